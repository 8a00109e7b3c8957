"""The pods of a chatbot: what runs, with which settings, under which restrictions. Pure."""

from __future__ import annotations

import json
from typing import Final

from chatbot_operator.chatbot import Chatbot
from chatbot_operator.exposure import EntraToken, ProxyHeaders
from chatbot_operator.manifests.objects import TEMPLATE, Wanted, digest, selector
from chatbot_operator.ports import Object

PROMPT_KEY: Final = "system-prompt"
SINCE_KEY: Final = "credential-since"
CA_KEY: Final = "extra-ca.crt"
SKIP_CONTAINERS: Final = "azure.workload.identity/skip-containers"
"""Containers that the workload identity webhook leaves alone."""
RESOURCES: Final = {
    "requests": {"cpu": "25m", "memory": "128Mi"},
    "limits": {"memory": "256Mi"},
}
CONFIG_PATH: Final = "/etc/chatbot"
PAGE_PORT: Final = 8080
OPS_PORT: Final = 8088
GRACE_SECONDS: Final = 600
"""An answer that streams may take minutes, and a pod ends with its last one. The cluster autoscaler
waits as long by default (`max-graceful-termination-sec`,
https://learn.microsoft.com/azure/aks/cluster-autoscaler)."""


def template(wanted: Wanted) -> Object:
    """Give the pod template; the workload identity label is here and in no selector.

    Pods read the prompt and the authorities, and the webhook the ServiceAccount, when they are
    made: another prompt, authority or identity must make other pods.
    """
    chatbot, pod, given = wanted.chatbot, _pod(wanted), wanted.chatbot.pods
    own = {**selector(chatbot.name), "azure.workload.identity/use": "true"}
    labels, annotations = {**given.labels, **own}, dict(given.annotations)
    if given.skip_containers:
        annotations[SKIP_CONTAINERS] = ";".join(given.skip_containers)
    read = [chatbot.chat.system_prompt, wanted.identity.client_id, given.token_seconds]
    read.append(wanted.installation.outlet.authorities)
    mark = digest(json.dumps([pod, labels, annotations, read], sort_keys=True))
    return {
        "metadata": {"labels": labels, "annotations": {**annotations, TEMPLATE: mark}},
        "spec": pod,
    }


def _pod(wanted: Wanted) -> Object:
    name = wanted.chatbot.name
    return {
        "serviceAccountName": name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(wanted)],
        "volumes": [{"name": "config", "configMap": {"name": name}}],
        **_placed(wanted.chatbot),
    }


def _placed(chatbot: Chatbot) -> Object:
    """Say where the pods run, as far as the team does."""
    given = chatbot.pods
    spread = {"labelSelector": {"matchLabels": selector(chatbot.name)}}
    said = {
        "nodeSelector": dict(given.node_selector),
        "tolerations": list(given.tolerations),
        "affinity": dict(given.affinity),
        "topologySpreadConstraints": [{**each, **spread} for each in given.topology_spread],
        "priorityClassName": given.priority_class,
        "imagePullSecrets": [{"name": name} for name in given.pull_secrets],
    }
    return {key: value for key, value in said.items() if value}


def _container(wanted: Wanted) -> Object:
    return {
        "name": "chatbot",
        "image": wanted.image,
        "imagePullPolicy": "IfNotPresent",
        "env": _environment(wanted),
        "ports": [
            {"name": "http", "containerPort": PAGE_PORT, "protocol": "TCP"},
            {"name": "ops", "containerPort": OPS_PORT, "protocol": "TCP"},
        ],
        "readinessProbe": _probe("/readyz", period=5, failures=3),
        "livenessProbe": _probe("/livez", period=10, failures=6),
        "resources": dict(wanted.chatbot.pods.resources) or RESOURCES,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "config", "mountPath": CONFIG_PATH, "readOnly": True}],
    }


def _probe(path: str, *, period: int, failures: int) -> Object:
    get = {"path": path, "port": "ops", "scheme": "HTTP"}
    return {
        "httpGet": get,
        "periodSeconds": period,
        "timeoutSeconds": 3,
        "failureThreshold": failures,
    }


def _environment(wanted: Wanted) -> list[Object]:
    """List what docs/contract.md says, and what the team adds."""
    chatbot, chat, installation = wanted.chatbot, wanted.chatbot.chat, wanted.installation
    outlet = installation.outlet
    pod_ip = {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}
    given = {
        "PORT": str(PAGE_PORT),
        "OPS_PORT": str(OPS_PORT),
        "AZURE_OPENAI_ENDPOINT": wanted.endpoint,
        "AZURE_OPENAI_DEPLOYMENT": chatbot.deployment,
        "AZURE_OPENAI_SCOPE": installation.data_scope,
        "AZURE_OPENAI_API_VERSION": chatbot.api_version,
        "TEMPERATURE": _number(chatbot.temperature),
        "TOP_P": _number(chatbot.top_p),
        "MAX_OUTPUT_TOKENS": str(chatbot.max_output_tokens or ""),
        "DAILY_TOKEN_BUDGET": str(wanted.daily_tokens or ""),
        "CONTEXT_WINDOW": str(chatbot.context_window or ""),
        "MEMORY_MAX_TURNS": str(chat.max_turns or ""),
        "MEMORY_MAX_TOKENS": str(chat.max_tokens or ""),
        "CHAT_ANSWERS_AT_ONCE": str(chat.answers_per_pod or ""),
        "CHAT_ANSWERS_PER_USER": str(chat.answers_per_user or ""),
        "CHAT_API": "openai" if chatbot.openai_api else "",
        "CHAT_TITLE": chat.title,
        "CHAT_WELCOME": chat.welcome,
        "CHAT_STARTERS": _texts(chat.starters),
        "CHAT_DISCLAIMER": chat.disclaimer,
        "SYSTEM_PROMPT_FILE": f"{CONFIG_PATH}/{PROMPT_KEY}" if chat.system_prompt else "",
        "CREDENTIAL_SINCE_FILE": f"{CONFIG_PATH}/{SINCE_KEY}",
        "PROOF_DELAY_SECONDS": f"{installation.proof_delay:g}",
        "PROOF_RECHECK_SECONDS": f"{installation.proof_recheck:g}",
        "AZURE_PRINCIPAL_ID": wanted.identity.principal_id,
        "HTTPS_PROXY": outlet.https_proxy,
        "NO_PROXY": outlet.no_proxy,
        "EXTRA_CA_FILE": f"{CONFIG_PATH}/{CA_KEY}" if outlet.authorities else "",
        **_access(chatbot.exposure.access, installation.tenant_id),
    }
    literal = [{"name": name, "value": _verbatim(value)} for name, value in given.items() if value]
    theirs = [{"name": name, "value": value} for name, value in chatbot.pods.env.items()]
    return [{"name": "HOST", "valueFrom": pod_ip}, *literal, *theirs]


def _access(access: ProxyHeaders | EntraToken | None, tenant: str) -> dict[str, str]:
    match access:
        case ProxyHeaders(user):
            said = {"ACCESS_USER_HEADER": user}
        case EntraToken(audiences, tenant_id, header, groups):
            said = {
                "ACCESS_TOKEN_AUDIENCES": ",".join(audiences),
                "ACCESS_TOKEN_TENANT": tenant_id or tenant,
                "ACCESS_TOKEN_HEADER": header,
                "ACCESS_TOKEN_GROUPS": ",".join(groups),
            }
        case None:
            return {}
    return {**said, "ACCESS_TRUSTED_PEERS": ",".join(access.trusted_peers)}


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _texts(texts: tuple[str, ...]) -> str:
    return json.dumps(texts, ensure_ascii=False) if texts else ""


def _verbatim(value: str) -> str:
    """Keep the kubelet from expanding what a team wrote: of it, `$$` is the only way to say `$`."""
    return value.replace("$", "$$")
