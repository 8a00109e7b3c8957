"""Every field of a chatbot's spec: a change of it, and what it must reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from affinity import AFFINITY
from chatbot_operator.ports import (
    AUTOSCALERS,
    CHATBOTS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    HTTP_ROUTES,
    INGRESSES,
    NETWORK_POLICIES,
    SERVICE_ACCOUNTS,
    SERVICES,
    Resource,
)

Find = Callable[[Any], Any]


@dataclass(frozen=True)
class Reach:
    """`change` of the spec, and what `find` must then give of the live object of kind `where`."""

    change: dict[str, Any]
    where: Resource
    find: Find
    expected: Any


def template(live: Any) -> Any:
    return live["spec"]["template"]


def pod(live: Any) -> Any:
    return template(live)["spec"]


def container(live: Any) -> Any:
    (one,) = pod(live)["containers"]
    return one


def variable(name: str) -> Find:
    def find(live: Any) -> Any:
        return next((e.get("value") for e in container(live)["env"] if e["name"] == name), None)

    return find


def of_pods(name: str) -> Find:
    return lambda live: pod(live).get(name)


def annotation(name: str) -> Find:
    return lambda live: live["metadata"]["annotations"].get(name)


def ingress(name: str, value: str, find: Find) -> Reach:
    spec = {"ingress": {"host": "a.example", name: value}}
    return Reach(spec, INGRESSES, lambda live: find(live["spec"]), value)


def parent(name: str) -> Find:
    return lambda live: live["spec"]["parentRefs"][0].get(name)


def policy(change: dict[str, Any], find: Find, expected: Any) -> Reach:
    return Reach({"networkPolicy": change}, NETWORK_POLICIES, find, expected)


def admitted(live: Any) -> Any:
    peer = live["spec"]["ingress"][0]["from"][1]["namespaceSelector"]
    return peer["matchExpressions"][0]["values"]


PARENT = {"name": "public", "namespace": "gateways", "sectionName": "https", "port": 443}
ENTRA_ID = "72f988bf-86f1-41af-91ab-2d7cd011db47"
TOKEN = {
    "entraToken": {
        "audiences": ["api://bot", "api://b2"],
        "tenantId": ENTRA_ID,
        "header": "X-Token",
        "groups": [ENTRA_ID],
        "trustedPeers": ["10.0.0.0/8"],
    }
}
PROXY = {"proxyHeaders": {"user": "X-User", "trustedPeers": ["10.0.0.0/8", "fd00::/8"]}}
TOLERATION = {
    "key": "spot",
    "operator": "Equal",
    "value": "yes",
    "effect": "NoExecute",
    "tolerationSeconds": 60,
}
SPREAD = {
    "maxSkew": 1,
    "topologyKey": "topology.kubernetes.io/zone",
    "whenUnsatisfiable": "DoNotSchedule",
    "minDomains": 2,
}


def openai(name: str, value: Any, env: str, expected: str) -> Reach:
    return Reach({"openAI": {name: value}}, DEPLOYMENTS, variable(env), expected)


def chat(given: dict[str, Any], env: str, expected: str) -> Reach:
    return Reach({"chat": given}, DEPLOYMENTS, variable(env), expected)


def pods(name: str, value: Any, find: Find, expected: Any) -> Reach:
    return Reach({"pods": {name: value}}, DEPLOYMENTS, find, expected)


def tolerates(live: Any) -> Any:
    return pod(live)["tolerations"]


def spreads(live: Any) -> Any:
    (one,) = pod(live)["topologySpreadConstraints"]
    return {key: value for key, value in one.items() if key != "labelSelector"}


def scaling(name: str, value: int, find: Find) -> Reach:
    scaled = {"minReplicas": 1, "maxReplicas": 3, name: value}
    return Reach({"autoscaling": scaled}, AUTOSCALERS, find, value)


REACHES = {
    "openAI.deployment": openai(
        "deployment", "gpt-4o-mini", "AZURE_OPENAI_DEPLOYMENT", "gpt-4o-mini"
    ),
    "openAI.apiVersion": openai(
        "apiVersion", "2024-10-21", "AZURE_OPENAI_API_VERSION", "2024-10-21"
    ),
    "openAI.contextWindow": openai("contextWindow", 128000, "CONTEXT_WINDOW", "128000"),
    "openAI.topP": openai("topP", 0.5, "TOP_P", "0.5"),
    "openAI.temperature": openai("temperature", 0.5, "TEMPERATURE", "0.5"),
    "openAI.maxOutputTokens": openai("maxOutputTokens", 800, "MAX_OUTPUT_TOKENS", "800"),
    "api.openAI": Reach({"api": {"openAI": True}}, DEPLOYMENTS, variable("CHAT_API"), "openai"),
    "chat.title": Reach({"chat": {"title": "Help"}}, DEPLOYMENTS, variable("CHAT_TITLE"), "Help"),
    "chat.welcome": chat({"welcome": "Hi $"}, "CHAT_WELCOME", "Hi $$"),
    "chat.starters[]": chat({"starters": ["Why? 🙂"]}, "CHAT_STARTERS", '["Why? 🙂"]'),
    "chat.disclaimer": chat({"disclaimer": "None."}, "CHAT_DISCLAIMER", "None."),
    "chat.memory.maxTurns": chat({"memory": {"maxTurns": 4}}, "MEMORY_MAX_TURNS", "4"),
    "chat.answersAtOnce.perPod": chat(
        {"answersAtOnce": {"perPod": 50}}, "CHAT_ANSWERS_AT_ONCE", "50"
    ),
    "chat.answersAtOnce.perUser": chat(
        {"answersAtOnce": {"perUser": 2}}, "CHAT_ANSWERS_PER_USER", "2"
    ),
    "chat.memory.maxTokens": chat({"memory": {"maxTokens": 900}}, "MEMORY_MAX_TOKENS", "900"),
    "chat.systemPrompt": Reach(
        {"chat": {"systemPrompt": "Be kind."}},
        CONFIG_MAPS,
        lambda live: live["data"]["system-prompt"],
        "Be kind.",
    ),
    "replicas": Reach({"replicas": 2}, DEPLOYMENTS, lambda live: live["spec"]["replicas"], 2),
    "autoscaling.minReplicas": scaling("minReplicas", 2, lambda live: live["spec"]["minReplicas"]),
    "autoscaling.maxReplicas": scaling("maxReplicas", 4, lambda live: live["spec"]["maxReplicas"]),
    "autoscaling.targetCPUUtilization": scaling(
        "targetCPUUtilization",
        55,
        lambda live: live["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"],
    ),
    "image": Reach(
        {"image": "docker.io/team/chatbot:2"},
        DEPLOYMENTS,
        lambda live: container(live)["image"],
        "docker.io/team/chatbot:2",
    ),
    "pods.resources.requests.*": pods(
        "resources",
        {"requests": {"cpu": "1"}},
        lambda live: container(live)["resources"]["requests"],
        {"cpu": "1"},
    ),
    "pods.resources.limits.*": pods(
        "resources",
        {"limits": {"memory": "1Gi"}},
        lambda live: container(live)["resources"]["limits"],
        {"memory": "1Gi"},
    ),
    "pods.nodeSelector.*": pods("nodeSelector", {"a": "b"}, of_pods("nodeSelector"), {"a": "b"}),
    **{
        f"pods.tolerations[].{name}": pods("tolerations", [TOLERATION], tolerates, [TOLERATION])
        for name in TOLERATION
    },
    "pods.affinity": pods("affinity", AFFINITY, of_pods("affinity"), AFFINITY),
    **{
        f"pods.topologySpreadConstraints[].{name}": pods(
            "topologySpreadConstraints", [SPREAD], spreads, SPREAD
        )
        for name in SPREAD
    },
    "pods.priorityClassName": pods(
        "priorityClassName", "urgent", of_pods("priorityClassName"), "urgent"
    ),
    "pods.imagePullSecrets[].name": pods(
        "imagePullSecrets", [{"name": "pull"}], of_pods("imagePullSecrets"), [{"name": "pull"}]
    ),
    "pods.env[].name": pods("env", [{"name": "TZ", "value": "UTC"}], variable("TZ"), "UTC"),
    "pods.env[].value": pods("env", [{"name": "TZ", "value": "$(X)"}], variable("TZ"), "$(X)"),
    "pods.labels.*": pods(
        "labels", {"team": "a"}, lambda live: template(live)["metadata"]["labels"]["team"], "a"
    ),
    "pods.annotations.*": pods(
        "annotations",
        {"note": "n"},
        lambda live: template(live)["metadata"]["annotations"]["note"],
        "n",
    ),
    "pods.skipContainers[]": pods(
        "skipContainers",
        ["proxy", "agent"],
        lambda live: template(live)["metadata"]["annotations"][
            "azure.workload.identity/skip-containers"
        ],
        "proxy;agent",
    ),
    "serviceAccount.annotations.*": Reach(
        {"serviceAccount": {"annotations": {"note": "n"}}},
        SERVICE_ACCOUNTS,
        lambda live: live["metadata"]["annotations"]["note"],
        "n",
    ),
    "serviceAccount.tokenExpirationSeconds": Reach(
        {"serviceAccount": {"tokenExpirationSeconds": 7200}},
        SERVICE_ACCOUNTS,
        lambda live: live["metadata"]["annotations"][
            "azure.workload.identity/service-account-token-expiration"
        ],
        "7200",
    ),
    "service.type": Reach(
        {"service": {"type": "LoadBalancer"}},
        SERVICES,
        lambda live: live["spec"]["type"],
        "LoadBalancer",
    ),
    "service.port": Reach(
        {"service": {"port": 8081}}, SERVICES, lambda live: live["spec"]["ports"][0]["port"], 8081
    ),
    "service.annotations.*": Reach(
        {"service": {"annotations": {"note": "n"}}}, SERVICES, annotation("note"), "n"
    ),
    "ingress.host": ingress("host", "b.example", lambda spec: spec["rules"][0]["host"]),
    "ingress.className": ingress("className", "public", lambda spec: spec["ingressClassName"]),
    "ingress.path": ingress("path", "/x", lambda s: s["rules"][0]["http"]["paths"][0]["path"]),
    "ingress.tlsSecretName": ingress("tlsSecretName", "c", lambda s: s["tls"][0]["secretName"]),
    "ingress.annotations.*": Reach(
        {"ingress": {"host": "a.example", "annotations": {"note": "n"}}},
        INGRESSES,
        annotation("note"),
        "n",
    ),
    **{
        f"httpRoute.parentRefs[].{name}": Reach(
            {"httpRoute": {"parentRefs": [PARENT], "hostnames": ["a.example"]}},
            HTTP_ROUTES,
            parent(name),
            value,
        )
        for name, value in PARENT.items()
    },
    "httpRoute.hostnames[]": Reach(
        {"httpRoute": {"parentRefs": [PARENT], "hostnames": ["a.example", "b.example"]}},
        HTTP_ROUTES,
        lambda live: live["spec"]["hostnames"],
        ["a.example", "b.example"],
    ),
    "httpRoute.tls": Reach(
        {"httpRoute": {"parentRefs": [PARENT], "hostnames": ["a.example"], "tls": False}},
        CHATBOTS,
        lambda live: live["status"]["url"],
        "http://a.example/",
    ),
    "networkPolicy.enabled": policy({"enabled": False}, lambda live: live, None),
    "networkPolicy.fromNamespaces[]": policy({"fromNamespaces": ["portal"]}, admitted, ["portal"]),
    "networkPolicy.egress.enabled": policy(
        {"egress": {"enabled": True}}, lambda live: live["spec"]["policyTypes"][1], "Egress"
    ),
    "access.proxyHeaders.user": Reach(
        {"access": PROXY}, DEPLOYMENTS, variable("ACCESS_USER_HEADER"), "X-User"
    ),
    "access.proxyHeaders.trustedPeers[]": Reach(
        {"access": PROXY}, DEPLOYMENTS, variable("ACCESS_TRUSTED_PEERS"), "10.0.0.0/8,fd00::/8"
    ),
    "access.entraToken.audiences[]": Reach(
        {"access": TOKEN}, DEPLOYMENTS, variable("ACCESS_TOKEN_AUDIENCES"), "api://bot,api://b2"
    ),
    "access.entraToken.tenantId": Reach(
        {"access": TOKEN}, DEPLOYMENTS, variable("ACCESS_TOKEN_TENANT"), ENTRA_ID
    ),
    "access.entraToken.header": Reach(
        {"access": TOKEN}, DEPLOYMENTS, variable("ACCESS_TOKEN_HEADER"), "X-Token"
    ),
    "access.entraToken.groups[]": Reach(
        {"access": TOKEN}, DEPLOYMENTS, variable("ACCESS_TOKEN_GROUPS"), ENTRA_ID
    ),
    "access.entraToken.trustedPeers[]": Reach(
        {"access": TOKEN}, DEPLOYMENTS, variable("ACCESS_TRUSTED_PEERS"), "10.0.0.0/8"
    ),
    "suspend": Reach(
        {"suspend": True},
        CHATBOTS,
        lambda live: live["status"]["conditions"][0]["reason"],
        "Suspended",
    ),
}

SHOWN_ELSEWHERE = {
    "chat.systemPromptFrom.configMapKeyRef.name": "needs a ConfigMap: test_prompt",
    "chat.systemPromptFrom.configMapKeyRef.key": "needs a ConfigMap: test_prompt",
    "openAI.account": "cannot change: test_admission; what it means: test_permission",
    "identity.existing": "cannot change, and needs an identity: test_existing_identity",
    "deletionPolicy": "means something at the end only: test_made",
}


def leaves(schema: dict[str, Any], path: str = "") -> list[str]:
    """The fields of a schema that hold a value of their own."""
    if "properties" in schema:
        return [
            leaf
            for name, each in schema["properties"].items()
            for leaf in leaves(each, f"{path}.{name}" if path else name)
        ]
    if isinstance(schema.get("additionalProperties"), dict):
        return leaves(schema["additionalProperties"], f"{path}.*")
    if "items" in schema:
        return leaves(schema["items"], f"{path}[]")
    return [path]
