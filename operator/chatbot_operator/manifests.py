"""The Kubernetes objects of a chatbot, and whether a live one still is what was wanted. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from chatbot_operator import ports
from chatbot_operator.chatbot import GROUP, KIND, VERSION, Chatbot
from chatbot_operator.ports import Identity, Installation, Object

MANAGER: Final = "chatbot-operator"
INTENT: Final = f"{GROUP}/intent"
TEMPLATE: Final = f"{GROUP}/template"
"""Annotation of pods: tells those that are wanted from those that they replace."""
SINCE_KEY: Final = "credential-since"
PROMPT_KEY: Final = "system-prompt"
CONFIG_PATH: Final = "/etc/chatbot"
PAGE_PORT: Final = 8080
OPS_PORT: Final = 8088
PROGRESS_DEADLINE_SECONDS: Final = 1800
"""A role may take ten minutes to spread; a rollout that waits for it has not failed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the objects of a chatbot are made from."""

    chatbot: Chatbot
    identity: Identity
    endpoint: str
    image: str
    replicas: int
    installation: Installation


def selector(name: str) -> dict[str, str]:
    """Give the labels that pick a chatbot's pods. Immutable in a Deployment, so nothing more.

    The workload identity label stays out of it: it is the webhook's, not a name.
    """
    return {
        "app.kubernetes.io/name": "chatbot",
        "app.kubernetes.io/instance": name,
        "app.kubernetes.io/managed-by": MANAGER,
    }


def service_account(chatbot: Chatbot, identity: Identity) -> Object:
    """Bind the pods to the identity; must be there before the first pod is admitted."""
    return _object(
        ports.SERVICE_ACCOUNTS,
        chatbot,
        annotations={
            "azure.workload.identity/client-id": identity.client_id,
            "azure.workload.identity/tenant-id": identity.tenant_id,
        },
        automountServiceAccountToken=False,
    )


def config_map(chatbot: Chatbot, *, since: str) -> Object:
    """Carry the system prompt and the time (RFC 3339) at which the credential was written."""
    data = {SINCE_KEY: since, PROMPT_KEY: chatbot.system_prompt}
    return _object(ports.CONFIG_MAPS, chatbot, data=data)


def service(chatbot: Chatbot) -> Object:
    """Make the chatbot reachable on its page's port only."""
    port = {"name": "http", "port": chatbot.service_port, "targetPort": "http", "protocol": "TCP"}
    return _object(
        ports.SERVICES,
        chatbot,
        spec={
            "type": chatbot.service_type,
            "selector": selector(chatbot.name),
            "ports": [{**port, "appProtocol": "http"}],
        },
    )


def deployment(wanted: Wanted) -> Object:
    """Run the chatbot's pods; the identity label is in the pod template only."""
    chatbot, pod = wanted.chatbot, _pod(wanted)
    # Pods read the prompt, and the webhook the ServiceAccount, when they are made: another prompt
    # or another identity must make other pods.
    made_from = [pod, chatbot.system_prompt, wanted.identity.client_id]
    template = {
        "metadata": {
            "labels": {**selector(chatbot.name), "azure.workload.identity/use": "true"},
            "annotations": {TEMPLATE: _hash(json.dumps(made_from, sort_keys=True))},
        },
        "spec": pod,
    }
    return _object(
        ports.DEPLOYMENTS,
        chatbot,
        spec={
            "replicas": wanted.replicas,
            "progressDeadlineSeconds": PROGRESS_DEADLINE_SECONDS,
            "revisionHistoryLimit": 2,
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            },
            "selector": {"matchLabels": selector(chatbot.name)},
            "template": template,
        },
    )


def _pod(wanted: Wanted) -> Object:
    name = wanted.chatbot.name
    return {
        "serviceAccountName": name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 60,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(wanted)],
        "volumes": [{"name": "config", "configMap": {"name": name}}],
    }


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
        "resources": {
            "requests": {"cpu": "25m", "memory": "128Mi"},
            "limits": {"memory": "256Mi"},
        },
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
    """List what docs/contract.md says, in its order."""
    chatbot, installation = wanted.chatbot, wanted.installation
    pod_ip = {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}
    given = {
        "PORT": str(PAGE_PORT),
        "OPS_PORT": str(OPS_PORT),
        "AZURE_OPENAI_ENDPOINT": wanted.endpoint,
        "AZURE_OPENAI_DEPLOYMENT": chatbot.deployment,
        "AZURE_OPENAI_SCOPE": installation.data_scope,
        "TEMPERATURE": "" if chatbot.temperature is None else f"{chatbot.temperature:g}",
        "MAX_OUTPUT_TOKENS": str(chatbot.max_output_tokens or ""),
        "CHAT_TITLE": chatbot.title,
        "SYSTEM_PROMPT_FILE": f"{CONFIG_PATH}/{PROMPT_KEY}" if chatbot.system_prompt else "",
        "CREDENTIAL_SINCE_FILE": f"{CONFIG_PATH}/{SINCE_KEY}",
        "PROOF_DELAY_SECONDS": f"{installation.proof_delay:g}",
        "PROOF_RECHECK_SECONDS": f"{installation.proof_recheck:g}",
        "AZURE_PRINCIPAL_ID": wanted.identity.principal_id,
    }
    literal = [{"name": name, "value": _verbatim(value)} for name, value in given.items() if value]
    return [{"name": "HOST", "valueFrom": pod_ip}, *literal]


def _verbatim(value: str) -> str:
    """Keep the kubelet from expanding what a team wrote: of it, `$$` is the only way to say `$`."""
    return value.replace("$", "$$")


def _object(
    resource: ports.Resource,
    chatbot: Chatbot,
    *,
    annotations: dict[str, str] | None = None,
    **body: Any,
) -> Object:
    manifest: Object = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {
            "name": chatbot.name,
            "namespace": chatbot.namespace,
            "labels": selector(chatbot.name),
            "annotations": dict(annotations or {}),
            "ownerReferences": [
                {
                    "apiVersion": f"{GROUP}/{VERSION}",
                    "kind": KIND,
                    "name": chatbot.name,
                    "uid": chatbot.uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        **body,
    }
    intent = _hash(json.dumps(manifest, sort_keys=True))
    manifest["metadata"]["annotations"][INTENT] = intent
    return manifest


def owned(live: Object, uid: str) -> bool:
    """Tell whether a chatbot of this uid controls a live object."""
    owners = live["metadata"].get("ownerReferences", ())
    return any(o.get("controller") and o["uid"] == uid for o in owners)


def current(pod: Object, deployment: Object) -> bool:
    """Tell whether a pod is of the Deployment's present template, not one being replaced."""
    template = deployment["spec"]["template"]["metadata"]
    return _template(pod["metadata"]) == _template(template)


def _template(metadata: Object) -> str | None:
    mark: str | None = metadata.get("annotations", {}).get(TEMPLATE)
    return mark


def differs(live: Object | None, manifest: Object) -> bool:
    """Tell whether applying the manifest would change the live object.

    What Kubernetes fills in by itself does not count; what the manifest no longer says does, by the
    hash of the intent that the last apply left behind.
    """
    return live is None or not _within(manifest, live)


def _within(wanted: Any, live: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(
            _within(value, live.get(key)) or (value == {} and key not in live)
            for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(live, list) and _items_within(wanted, live)
    return bool(wanted == live)


def _items_within(wanted: list[Any], live: list[Any]) -> bool:
    """Match lists of named things by name, as server-side apply merges them, others in order."""
    if all(isinstance(item, dict) and "name" in item for item in [*wanted, *live]):
        return all(any(_within(item, other) for other in live) for item in wanted)
    if len(wanted) != len(live):
        return False
    return all(_within(one, other) for one, other in zip(wanted, live, strict=True))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
