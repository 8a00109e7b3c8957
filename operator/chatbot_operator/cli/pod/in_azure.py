"""What there is in Azure around a pod with workload identity, parsed once. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from chatbot_operator.cli.pod.observed import Unseen
from chatbot_operator.errors import Refusal
from chatbot_operator.ports import Credential, Discovery, Identity, OpenAIAccount, Tenancy

CHAT: Final = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"


IDENTITY: Final = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.ManagedIdentity"
    r"/userAssignedIdentities/[^/]+",
    re.IGNORECASE,
)
ACCOUNT: Final = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.CognitiveServices"
    r"/accounts/[^/]+",
    re.IGNORECASE,
)


def short(resource_id: str) -> str:
    """Spell where something is, for people: the whole id is among a check's facts."""
    match resource_id.strip("/").split("/"):
        case [_, _, _, group, _, _, _, *_, name]:
            return f"{name} in resource group {group}"
        case [_, _, _, group]:
            return f"resource group {group}"
        case [_, subscription]:
            return f"subscription {subscription}"
        case _:
            return resource_id


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription that the person can read."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Role:
    """What a role is called, and what it lets its holder do with data."""

    name: str
    data: tuple[str, ...] = ()
    not_data: tuple[str, ...] = ()

    def chats(self) -> bool:
        """Tell whether it lets its holder chat with models."""
        return _matches(self.data, CHAT) and not _matches(self.not_data, CHAT)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that the identity holds at a scope, itself or by a group; `condition` limits it."""

    scope: str
    role: Role
    condition: str = ""

    def covers(self, what: str) -> bool:
        """Tell whether it holds for a resource: at it, or above it."""
        above = self.scope.rstrip("/").lower()
        return what.lower() == above or what.lower().startswith(f"{above}/")


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock: where, under which name, and what it forbids (CanNotDelete, ReadOnly)."""

    scope: str
    name: str
    level: str


@dataclass(frozen=True, slots=True)
class Target:
    """The account that the pod calls: its id, how that is known, and what Azure says of it."""

    id: str
    how: str
    found: OpenAIAccount | Unseen | None
    locks: tuple[Lock, ...] | Unseen = ()


@dataclass(frozen=True, slots=True)
class Tried:
    """How an exchange went: for which scope, and what Entra refused, if it did."""

    scope: str
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Azure:
    """Everything in Azure that a pod's identity depends on.

    `client_id`, `tenant`, `authority`: what the pod says, or would after the webhook has seen it.
    `subscriptions` where the identity was looked for; `refused` names those that could not be read.
    `identity` None: nobody of that client id is in them. `endpoint`: what the pod calls, as far as
    its variables tell; `scope` where the person asks for roles. `tried` None: nobody asked for it.
    """

    client_id: str
    tenant: str
    authority: str
    published: Discovery | Unseen
    tenancy: Tenancy | Unseen
    subscriptions: tuple[Subscription, ...] | Unseen
    identity: Identity | Unseen | None = None
    credentials: tuple[Credential, ...] | Unseen = ()
    grants: tuple[Grant, ...] | Unseen = ()
    target: Target | None = None
    endpoint: str = ""
    scope: str = ""
    refused: tuple[str, ...] = ()
    tried: Tried | Unseen | None = None


def parse_identity(body: Mapping[str, Any]) -> Identity:
    """Read a managed identity."""
    properties = body["properties"]
    return Identity(
        id=body["id"],
        name=body["name"],
        location=body.get("location", ""),
        principal_id=properties["principalId"],
        client_id=properties["clientId"],
        tenant_id=properties["tenantId"],
        tags=body.get("tags") or {},
    )


def parse_role(body: Mapping[str, Any]) -> Role:
    """Read a role definition."""
    permissions = body["properties"].get("permissions") or ()

    def gathered(name: str) -> tuple[str, ...]:
        return tuple(each for permission in permissions for each in permission.get(name) or ())

    return Role(body["properties"]["roleName"], gathered("dataActions"), gathered("notDataActions"))


def parse_lock(body: Mapping[str, Any]) -> Lock:
    """Read a lock; its scope is what stands before it in its id."""
    scope, _, _ = body["id"].rpartition("/providers/Microsoft.Authorization/locks/")
    return Lock(scope, body["name"], body["properties"]["level"])


_CLOUD_HOSTS: Final = re.compile(
    r"[a-z0-9-]+\.(openai|cognitiveservices|services\.ai)\.azure\.(com|us|cn)", re.IGNORECASE
)
_NAMED: Final = re.compile(r"OPENAI.*(ENDPOINT|BASE)|(ENDPOINT|BASE).*OPENAI", re.IGNORECASE)


def endpoint_of(variables: Iterable[tuple[str, str]]) -> str:
    """Find the Azure OpenAI endpoint among a pod's variables; empty where there is none."""
    urls = [(name, value) for name, value in variables if value.startswith("https://")]
    for _, value in urls:
        if _CLOUD_HOSTS.fullmatch(urlsplit(value).hostname or ""):
            return value
    return next((value for name, value in urls if _NAMED.search(name)), "")


def answers(body: Mapping[str, Any], endpoint: str) -> bool:
    """Tell whether an account as Azure lists it answers at an endpoint."""
    properties = body["properties"]
    urls = [properties.get("endpoint") or "", *(properties.get("endpoints") or {}).values()]
    wanted = _place(endpoint)
    subdomain = (properties.get("customSubDomainName") or "").lower()
    host = urlsplit(endpoint).hostname or ""
    named = bool(_CLOUD_HOSTS.fullmatch(host)) and host.partition(".")[0] == subdomain
    return named or any(url and f"{wanted}/".startswith(f"{_place(url)}/") for url in urls)


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _matches(patterns: Iterable[str], action: str) -> bool:
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), action, re.IGNORECASE)
        for pattern in patterns
    )
