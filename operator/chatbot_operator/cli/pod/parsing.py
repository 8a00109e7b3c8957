"""From what the API server says of a pod and its surroundings to what was observed. Pure."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chatbot_operator.cli.pod.observed import (
    HOOK,
    Claims,
    Container,
    Hook,
    Owner,
    Pod,
    Projection,
    ServiceAccount,
    Variable,
)
from chatbot_operator.ports import Object


def parse_pod(body: Object, maps: Mapping[str, Mapping[str, str]]) -> Pod:
    """Read a pod; `maps` are the ConfigMaps that its containers take variables from."""
    metadata, spec = body["metadata"], body["spec"]
    labels = metadata.get("labels") or {}
    ours = labels.get("app.kubernetes.io/managed-by") == "chatbot-operator"
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        created=instant(metadata["creationTimestamp"]),
        phase=str((body.get("status") or {}).get("phase", "")),
        leaving="deletionTimestamp" in metadata,
        labels=labels,
        annotations=metadata.get("annotations") or {},
        account=spec.get("serviceAccountName") or "default",
        containers=tuple(_container(each, maps) for each in containers),
        projections=tuple(_projections(spec.get("volumes") or ())),
        chatbot=labels.get("app.kubernetes.io/instance", "") if ours else "",
    )


def pod_of(deployment: Object) -> Object:
    """Give the pod that a Deployment would make, before any webhook has seen it."""
    metadata, template = deployment["metadata"], deployment["spec"]["template"]
    controller = {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"]}
    own = {key: metadata[key] for key in ("name", "namespace", "creationTimestamp")}
    own["ownerReferences"] = [{**controller, "controller": True}]
    return {"metadata": {**(template.get("metadata") or {}), **own}, "spec": template["spec"]}


def refused(deployment: Object) -> str:
    """Say why a Deployment has no pod."""
    if not deployment["spec"].get("replicas", 1):
        return "it wants none: it is scaled to 0"
    conditions = (deployment.get("status") or {}).get("conditions") or ()
    said = [each.get("message", "") for each in conditions if each["type"] == "ReplicaFailure"]
    return said[0] if said else "it has not made one yet"


def parse_owner(body: Object) -> Owner:
    """Read what makes pods, a CronJob's too."""
    spec = body.get("spec") or {}
    inner = (spec.get("jobTemplate") or {}).get("spec") or spec
    template = inner.get("template") or {}
    of_pods = template.get("spec") or {}
    containers = [*(of_pods.get("initContainers") or ()), *(of_pods.get("containers") or ())]
    return Owner(
        kind=body["kind"],
        name=body["metadata"]["name"],
        labels=body["metadata"].get("labels") or {},
        template_labels=(template.get("metadata") or {}).get("labels") or {},
        variables={
            each["name"]: frozenset(variable["name"] for variable in each.get("env") or ())
            for each in containers
        },
    )


def parse_account(body: Object) -> ServiceAccount:
    """Read a service account."""
    metadata = body["metadata"]
    return ServiceAccount(metadata.get("labels") or {}, metadata.get("annotations") or {})


def parse_hooks(configurations: list[Object]) -> tuple[Hook, ...]:
    """Find the hooks of workload identity, whatever their configuration is called."""
    return tuple(
        _hook(configuration["metadata"]["name"], hook)
        for configuration in configurations
        for hook in configuration.get("webhooks") or ()
        if hook["name"] == HOOK
    )


def parse_claims(token: str) -> Claims:
    """Read what a token claims; nothing is verified."""
    header, payload = (_decoded(part) for part in token.split(".")[:2])
    audience = payload.get("aud", "")
    return Claims(
        issuer=str(payload.get("iss", "")),
        subject=str(payload.get("sub", "")),
        audience=str(audience if isinstance(audience, str) else audience[0]),
        key=str(header.get("kid", "")),
        issued=_epoch(payload.get("iat")),
        expires=_epoch(payload.get("exp")),
    )


def maps_of(body: Object) -> set[str]:
    """Name the ConfigMaps from which a pod's containers take variables."""
    spec = body["spec"]
    found = set()
    for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        for each in container.get("env") or ():
            found.add(((each.get("valueFrom") or {}).get("configMapKeyRef") or {}).get("name", ""))
        for each in container.get("envFrom") or ():
            found.add((each.get("configMapRef") or {}).get("name", ""))
    return found - {""}


def instant(text: str) -> dt.datetime:
    """Read a time of Kubernetes."""
    return dt.datetime.fromisoformat(text)


def _container(body: Object, maps: Mapping[str, Mapping[str, str]]) -> Container:
    variables: dict[str, Variable] = {}
    for each in body.get("envFrom") or ():
        name, prefix = (each.get("configMapRef") or {}).get("name", ""), each.get("prefix", "")
        held = maps.get(name, {})
        variables |= {f"{prefix}{key}": Variable(value) for key, value in held.items()}
    variables |= {each["name"]: _variable(each, maps) for each in body.get("env") or ()}
    mounts = {each["name"]: each["mountPath"] for each in body.get("volumeMounts") or ()}
    return Container(body["name"], variables, mounts)


def _variable(body: Object, maps: Mapping[str, Mapping[str, str]]) -> Variable:
    origin = body.get("valueFrom")
    if not origin:
        return Variable(str(body.get("value", "")))
    (kind, where), *_ = origin.items()
    name, key = where.get("name", ""), where.get("key", "")
    if kind == "configMapKeyRef" and key in maps.get(name, {}):
        return Variable(maps[name][key])
    what = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}.get(kind, kind)
    return Variable(None, f"{what} {name}".strip())


def _projections(volumes: Iterable[Object]) -> Iterator[Projection]:
    for volume in volumes:
        for source in (volume.get("projected") or {}).get("sources") or ():
            token = source.get("serviceAccountToken")
            if token:
                yield Projection(
                    volume["name"],
                    token.get("path", ""),
                    token.get("audience", ""),
                    int(token.get("expirationSeconds", 0)),
                )


def _hook(configuration: str, body: Object) -> Hook:
    service = (body.get("clientConfig") or {}).get("service")
    return Hook(
        configuration=configuration,
        policy=body.get("failurePolicy", "Fail"),
        namespaces=body.get("namespaceSelector") or {},
        objects=body.get("objectSelector") or {},
        service=(service["namespace"], service["name"]) if service else None,
    )


def _decoded(part: str) -> dict[str, Any]:
    found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found if isinstance(found, dict) else {}


def _epoch(value: object) -> dt.datetime | None:
    if isinstance(value, int | float):
        return dt.datetime.fromtimestamp(value, dt.UTC)
    return None
