"""From a container's specification to a process.

All that differs from a real node is here:

* An image is a command line, looked up in a table; `command` and `args` mean what they mean for an
  image whose ENTRYPOINT it is.
* There is no filesystem of its own: a volume is a directory under the pod's, and wherever a mount
  path stands in the command line, a variable or the working directory, the real path is put in its
  place. A volume on /tmp also becomes $TMPDIR.
* /var/run/secrets/kubernetes.io cannot exist either: a container with that mount gets $KUBECONFIG.
* Of the host's environment only $PATH is passed on; users, capabilities and resources are ignored.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.cluster.api import Object, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

API_ACCESS = "/var/run/secrets/kubernetes.io/serviceaccount"
_EXPANSION = re.compile(r"\$(?:(\$)|\(([^()]+)\))")
_LABEL = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


class UnlaunchableError(Exception):
    """A container cannot be started now; `reason` is the kubelet's word for it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Launch:
    """A process to start; `mounts` maps mount paths to the directories that stand for them."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    mounts: Mapping[str, str]

    def command(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Another command line of the same container, as of a probe."""
        return tuple(translate(each, self.mounts) for each in argv)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a node gives to the containers of a pod.

    `lookup(kind, namespace, name)` finds a "configMap" or a "secret"; `environment` is what every
    container has.
    """

    pod: Object
    address: str
    node_address: str
    directory: Path
    images: Mapping[str, tuple[str, ...]]
    environment: Mapping[str, str]
    lookup: Callable[[str, str, str], Object | None]

    def volume(self, name: str) -> Path:
        """The directory of a volume."""
        return self.directory / "volumes" / name

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of a pod with an automatically mounted token."""
        return self.directory / "kubeconfig"


def launch(around: Surroundings, container: Object) -> Launch:
    """The process of a container.

    Raises:
        UnlaunchableError: its image is unknown, or what its environment refers to is missing.
    """
    entrypoint = _entrypoint(container["image"], around.images)
    mounts = {
        mount["mountPath"].rstrip("/"): str(around.volume(mount["name"]) / mount.get("subPath", ""))
        for mount in container.get("volumeMounts") or []
    }
    variables = _variables(around, container)
    command = container.get("command")
    argv = [*(command or entrypoint), *(container.get("args") or [])]
    given = {name: translate(value, mounts) for name, value in variables.items()}
    extra = {"KUBECONFIG": str(around.kubeconfig)} if API_ACCESS in mounts else {}
    extra |= {"TMPDIR": mounts["/tmp"]} if "/tmp" in mounts else {}  # noqa: S108
    working = translate(container.get("workingDir", ""), mounts)
    own = len(() if command else entrypoint)
    return Launch(
        argv=(
            *argv[:own],
            *(translate(expand(each, variables), mounts) for each in argv[own:]),
        ),
        environment={**around.environment, **extra, **given},
        directory=Path(working) if working in mounts.values() else around.directory,
        mounts=mounts,
    )


def _entrypoint(image: str, images: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    bare = image.partition("@")[0]
    path, slash, last = bare.rpartition("/")
    repository = path + slash + last.partition(":")[0]
    for name in (image, bare, repository):
        if name in images:
            return images[name]
    raise UnlaunchableError(
        "ErrImagePull",
        f'failed to pull image "{image}": not an image of this sandbox:'
        f" it has {', '.join(sorted(images)) or 'none'}",
    )


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace $(NAME) as Kubernetes does: $$ is a dollar, an unknown name stays as it is."""
    return _EXPANSION.sub(
        lambda found: "$" if found[1] else variables.get(found[2], found[0]), text
    )


def translate(text: str, mounts: Mapping[str, str]) -> str:
    """Replace each mount path in a text by the directory that stands for it."""
    if not mounts:
        return text
    paths = "|".join(re.escape(path) for path in sorted(mounts, key=len, reverse=True))
    return re.sub(rf"(?<![\w./~-])({paths})(?![\w.-])", lambda found: mounts[found[1]], text)


def field(around: Surroundings, path: str) -> str:
    """A field of the pod, as the downward API names it.

    Raises:
        UnlaunchableError: there is no such field here.
    """
    meta, spec = around.pod["metadata"], around.pod["spec"]
    if found := _LABEL.fullmatch(path):
        return str((meta.get(found[1]) or {}).get(found[2], ""))
    known = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta["uid"],
        "spec.nodeName": spec["nodeName"],
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.podIP": around.address,
        "status.podIPs": around.address,
        "status.hostIP": around.node_address,
        "status.hostIPs": around.node_address,
    }
    if path not in known:
        raise UnlaunchableError("CreateContainerConfigError", f"unsupported fieldPath: {path}")
    return str(known[path])


def _variables(around: Surroundings, container: Object) -> dict[str, str]:
    variables: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        prefix = source.get("prefix", "")
        for kind in ("configMap", "secret"):
            if reference := source.get(f"{kind}Ref"):
                data = _data(around, kind, reference)
                variables |= {prefix + name: value for name, value in data.items()}
    for entry in container.get("env") or []:
        if origin := entry.get("valueFrom"):
            value = _value_from(around, origin)
        else:
            value = expand(entry.get("value", ""), variables)
        if value is not None:
            variables[entry["name"]] = value
    return variables


def _value_from(around: Surroundings, origin: Object) -> str | None:
    if reference := origin.get("fieldRef"):
        return field(around, reference["fieldPath"])
    for kind, named in (("configMap", "ConfigMap"), ("secret", "Secret")):
        if reference := origin.get(f"{kind}KeyRef"):
            data = _data(around, kind, reference)
            if reference["key"] in data or reference.get("optional"):
                return data.get(reference["key"])
            where = f"{around.pod['metadata']['namespace']}/{reference['name']}"
            raise UnlaunchableError(
                "CreateContainerConfigError",
                f"couldn't find key {reference['key']} in {named} {where}",
            )
    raise UnlaunchableError("CreateContainerConfigError", f"unsupported source: {origin}")


def _data(around: Surroundings, kind: str, reference: Object) -> dict[str, str]:
    namespace, _ = key_of(around.pod)
    found = around.lookup(kind, namespace, reference["name"])
    if found is None:
        if reference.get("optional"):
            return {}
        raise UnlaunchableError(
            "CreateContainerConfigError", f'{kind.lower()} "{reference["name"]}" not found'
        )
    return {name: value.decode() for name, value in contents(kind, found).items()}


def contents(kind: str, found: Object) -> dict[str, bytes]:
    """The keys and values of a "configMap" or "secret"."""
    encoded = dict(found.get("data") or {}) if kind == "secret" else found.get("binaryData") or {}
    plain = {} if kind == "secret" else found.get("data") or {}
    return {name: base64.b64decode(value) for name, value in encoded.items()} | {
        name: value.encode() for name, value in plain.items()
    }
