"""What there is in Azure, as far as the operator reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Identity:
    """A user-assigned managed identity."""

    id: str
    name: str
    location: str
    principal_id: str
    client_id: str
    tenant_id: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Credential:
    """A federated identity credential of a managed identity."""

    name: str
    issuer: str
    subject: str
    audiences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """A role assignment; `created` is when (RFC 3339), empty where Azure has not said."""

    name: str
    scope: str
    principal_id: str
    role_definition_id: str
    description: str
    created: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Permission:
    """What one role lets the operator do at a scope; `condition` limits it, empty without one."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A model deployment of an Azure OpenAI account.

    `capacity` in thousands of tokens a minute; `retires`: the date (YYYY-MM-DD) on which Azure ends
    this version of the model, empty when it does not say; `chat` tells whether it answers chats.
    """

    name: str
    model: str
    version: str
    capacity: int = 0
    state: str = "Succeeded"
    retires: str = ""
    chat: bool = True


@dataclass(frozen=True, slots=True)
class PrivateEndpoint:
    """A private endpoint that leads to an account; used only when `state` is Approved."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Network:
    """From where an account answers.

    `public`: also over its public address, there to `everywhere` or to what its `rules` name.
    """

    public: bool = True
    everywhere: bool = True
    rules: int = 0
    endpoints: tuple[PrivateEndpoint, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenAIAccount:
    """What Azure says of an Azure OpenAI account.

    `subdomain` is empty when it has none; `keys` tells whether keys open it beside Entra tokens.
    """

    kind: str
    location: str
    endpoint: str
    subdomain: str
    provisioning_state: str
    models: tuple[Model, ...]
    keys: bool = False
    network: Network = Network()
