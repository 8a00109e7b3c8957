"""What others put into a chatbot's pods, where it can act as the chatbot. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from chatbot_operator.manifests.comparison import current
from chatbot_operator.ports import Object

INJECTED: Final = "AZURE_FEDERATED_TOKEN_FILE"
WEBHOOKS_VARIABLES: Final = frozenset(
    {
        "AZURE_AUTHORITY_HOST",
        "AZURE_CLIENT_ID",
        INJECTED,
        "AZURE_TENANT_ID",
    }
)
"""What the workload identity webhook gives a pod
(https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html)."""
USUAL_VOLUMES: Final = (
    "azure-workload-identity-reserved-",
    "azure-identity-token",
    "kube-api-access-",
)
"""How names of volumes begin: the webhook's since v1.6 and before, and the API server's."""

_CONTAINERS: Final = ("initContainers", "containers", "ephemeralContainers")
_OVERRIDES: Final = ("command", "args", "lifecycle", "envFrom")
_SHARED: Final = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace")


def foreign(deployment: Object, pods: list[Object], manifest: Object) -> list[str]:
    """Name what the Deployment's template, and its pods, have and the manifest does not say.

    Pods of another template are on their way out and do not count.
    """
    wanted = manifest["spec"]["template"]["spec"]
    found = set(_beyond(deployment["spec"]["template"]["spec"], wanted))
    for pod in pods:
        if current(pod, deployment):
            found |= set(_beyond(pod["spec"], wanted)) - set(_injected(pod["spec"]))
    return sorted(found)


def injected(pod: Object) -> bool:
    """Tell whether the workload identity webhook gave a pod what it needs."""
    return any(
        variable["name"] == INJECTED
        for container in pod["spec"]["containers"]
        for variable in container.get("env", ())
    )


def _beyond(live: Object, wanted: Object) -> Iterator[str]:
    yield from (part for part in _SHARED if _adds(live, wanted, part))
    yield from _named("volume", live, wanted, "volumes")
    for kind in _CONTAINERS:
        said = {each["name"]: each for each in wanted.get(kind, ())}
        for container in live.get(kind, ()):
            name = container["name"]
            if name not in said:
                yield f"{kind[:-1]} {name}"
                continue
            own = said[name]
            yield from _named(f"{name}: env", container, own, "env")
            yield from _named(f"{name}: mount", container, own, "volumeMounts", "mountPath")
            yield from (f"{name}: {part}" for part in _OVERRIDES if _adds(container, own, part))


def _adds(live: Object, wanted: Object, part: str) -> bool:
    return bool(live.get(part)) and live[part] != wanted.get(part)


def _named(what: str, live: Object, wanted: Object, part: str, by: str = "name") -> Iterator[str]:
    said = {each[by] for each in wanted.get(part, ())}
    yield from (f"{what} {each[by]}" for each in live.get(part, ()) if each[by] not in said)


def _injected(live: Object) -> Iterator[str]:
    """Name what a pod is given on any cluster with workload identity."""
    for volume in live.get("volumes", ()):
        if _usual(volume):
            yield f"volume {volume['name']}"
    for container in live["containers"]:
        name = container["name"]
        yield from (f"{name}: env {variable}" for variable in WEBHOOKS_VARIABLES)
        for mount in container.get("volumeMounts", ()):
            if _usual(mount):
                yield f"{name}: mount {mount['mountPath']}"


def _usual(volume: dict[str, Any]) -> bool:
    name: str = volume["name"]
    return name.startswith(USUAL_VOLUMES)
