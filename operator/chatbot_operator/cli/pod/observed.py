"""What there is in the cluster around a pod with workload identity. Pure.

Names are those of https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

PREFIX: Final = "azure.workload.identity/"
USE: Final = f"{PREFIX}use"
CLIENT_ID: Final = f"{PREFIX}client-id"
TENANT_ID: Final = f"{PREFIX}tenant-id"
EXPIRATION: Final = f"{PREFIX}service-account-token-expiration"
SKIP: Final = f"{PREFIX}skip-containers"
BINDING: Final = f"{PREFIX}use-identity-binding"
GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""What client ids and tenant ids look like."""
HOOK: Final = "mutation.azure-workload-identity.io"


@dataclass(frozen=True, slots=True)
class Unseen:
    """What could not be looked at: why, and what to do about that."""

    why: str
    fix: str = ""
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a container: its value, or where that comes from and is not read."""

    value: str | None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """A container; `mounts` are paths by the volume that is mounted there."""

    name: str
    variables: Mapping[str, Variable] = field(default_factory=dict)
    mounts: Mapping[str, str] = field(default_factory=dict)

    def said(self, name: str) -> str:
        """Give a variable's value; empty where there is none or it is not known."""
        variable = self.variables.get(name)
        return (variable.value or "") if variable else ""


@dataclass(frozen=True, slots=True)
class Projection:
    """A service account token that a volume brings: at which path in it, for whom, how long."""

    volume: str
    path: str
    audience: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Owner:
    """What makes the pods: its own labels, those of its template, and what its template sets.

    `variables` are names of variables by container; `above` is whatever makes it in turn, if
    anything does, and may undo what is changed in it.
    """

    kind: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    template_labels: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, frozenset[str]] = field(default_factory=dict)
    above: str = ""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod. `chatbot` is the one that it belongs to where it is the operator's.

    `absent`: why there is no such pod, and this is the one that would be made.
    """

    namespace: str
    name: str
    created: dt.datetime
    phase: str
    leaving: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    account: str
    containers: tuple[Container, ...]
    projections: tuple[Projection, ...]
    chatbot: str = ""
    absent: str = ""

    @property
    def skipped(self) -> frozenset[str]:
        """Containers that the webhook shall leave alone."""
        names = self.annotations.get(SKIP, "").split(";")
        return frozenset(name.strip() for name in names if name.strip())

    @property
    def bound(self) -> bool:
        """Tell whether it goes by an AKS identity binding instead of a credential of its own."""
        return self.annotations.get(BINDING) == "true"

    def token_of(self, container: Container) -> Projection | None:
        """Find the token that lies where the container is told to look for it."""
        wanted = container.said("AZURE_FEDERATED_TOKEN_FILE")
        for each in self.projections:
            mount = container.mounts.get(each.volume)
            if mount is not None and f"{mount.rstrip('/')}/{each.path}" == wanted:
                return each
        return None


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account's marks."""

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hook:
    """A mutating webhook of workload identity; `service` is namespace and name, none with a URL.

    `endpoints`: how many of the service's are ready, or why that is not known.
    """

    configuration: str
    policy: str
    namespaces: Mapping[str, Any]
    objects: Mapping[str, Any]
    service: tuple[str, str] | None
    endpoints: int | Unseen = 0


@dataclass(frozen=True, slots=True)
class Claims:
    """What Entra compares of a token, and when it was made and ends; never the token itself.

    `issued` None: there is no token, the claims are worked out. `key` is the id of its key.
    """

    issuer: str
    subject: str
    audience: str
    key: str = ""
    issued: dt.datetime | None = None
    expires: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """Everything in the cluster that a pod's identity depends on.

    `trouble` says why there is no token to look at, where there is none.
    """

    pod: Pod
    owner: Owner | None
    account: ServiceAccount | Unseen | None
    namespace: Mapping[str, str] | Unseen
    hooks: tuple[Hook, ...] | Unseen
    claims: Claims
    trouble: Unseen | None = None
