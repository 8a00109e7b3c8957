"""What the steps need of the world: two Protocols and the values that pass through them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

Object = dict[str, Any]
"""A Kubernetes object as JSON."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of Kubernetes object: `group` is empty for the core group."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The manifest's apiVersion."""
        return f"{self.group}/{self.version}" if self.group else self.version


CHATBOTS = Resource("chatbot-operator.dev", "v1alpha1", "azureopenaichatbots", "AzureOpenAIChatbot")
ACCOUNTS = Resource(
    "chatbot-operator.dev",
    "v1alpha1",
    "azureopenaiaccounts",
    "AzureOpenAIAccount",
    namespaced=False,
)
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
SERVICES = Resource("", "v1", "services", "Service")
PODS = Resource("", "v1", "pods", "Pod")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
AUTOSCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
DISRUPTION_BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
INGRESSES = Resource("networking.k8s.io", "v1", "ingresses", "Ingress")
NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
HTTP_ROUTES = Resource("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
EVENTS = Resource("events.k8s.io", "v1", "events", "Event")


@dataclass(frozen=True, slots=True)
class Receipt:
    """Azure's answer to a write that it carried out.

    `target` is the ARM id of what was written; `request_id` the x-ms-request-id by which the call
    is found in the activity log and by Microsoft's support, empty if Azure gave none.
    """

    operation: str
    target: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened to a chatbot or an account, as its event tells it.

    `reason` is one word for programs, `message` says what in words, `action` what was being done.
    """

    reason: str
    message: str
    action: str = "Reconcile"
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Journal:
    """What happened in a pass, in order; told as events at its end."""

    notes: list[Note] = field(default_factory=list)

    def note(
        self, reason: str, message: str, receipt: Receipt | None = None, *, warning: bool = False
    ) -> None:
        """Note that something happened; by Azure's hand if there is a receipt for it."""
        if receipt is None:
            self.notes.append(Note(reason, message, warning=warning))
            return
        action = "".join(word.capitalize() for word in receipt.operation.split())
        told = f"{message} {receipt.target} (request {receipt.request_id or 'without an id'})"
        self.notes.append(Note(reason, told, action, warning))


class Kubernetes(Protocol):
    """The Kubernetes API, in the few verbs the operator uses.

    Every method but `event` raises KubernetesRefusal; none retries.
    """

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """Read one object, live; None when there is none."""

    async def select(
        self, resource: Resource, namespace: str, labels: Mapping[str, str]
    ) -> list[Object]:
        """List the objects of a namespace (empty: of all) that bear these labels."""

    async def apply(
        self,
        resource: Resource,
        manifest: Object,
        *,
        onto: str | None,
        manager: str = "chatbot-operator",
    ) -> Object:
        """Apply a manifest on the server's side, forcing; `manager` then owns what it says.

        Only to the object that has the uid `onto`, or, where that is None, only if there is none
        of the name: what somebody else makes in the meantime is not taken over.
        """

    async def patch(
        self, resource: Resource, namespace: str, name: str, operations: list[Object]
    ) -> Object:
        """Make a JSON patch (RFC 6902) as the operator."""

    async def replace_status(
        self, resource: Resource, namespace: str, name: str, *, uid: str, status: Object
    ) -> None:
        """Replace the whole status of the object, which must have this uid."""

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        """Delete the object that has this uid, in the foreground; one that is gone is no error."""

    async def set_finalizers(
        self, resource: Resource, namespace: str, name: str, *, version: str, finalizers: list[str]
    ) -> Object | None:
        """Replace the finalizers of the object, which must still be at `version`; None if gone."""

    async def event(self, regarding: Object, note: Note, *, at: dt.datetime) -> None:
        """Tell of something that happened to an object. Best effort: never fails, never repeats."""


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
    """A role assignment."""

    name: str
    scope: str
    principal_id: str
    role_definition_id: str
    description: str


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


class Azure(Protocol):
    """Azure Resource Manager, in the few operations the operator uses.

    Ids are ARM ids. Every method raises Refusal; none retries: waiting belongs to the work queue.
    Every write gives a Receipt.
    """

    async def account(self, account_id: str) -> OpenAIAccount:
        """Read an account and its deployments."""

    async def soft_deleted(self, account_id: str, location: str) -> bool | None:
        """Tell whether a deleted account can be restored; None when the operator may not ask."""

    async def identity(self, identity_id: str) -> Identity | None:
        """Read a managed identity."""

    async def identities(self, resource_group_id: str) -> list[Identity]:
        """List the managed identities of a resource group."""

    async def put_identity(
        self, identity_id: str, *, location: str, tags: Mapping[str, str]
    ) -> tuple[Identity, Receipt]:
        """Create a managed identity."""

    async def tag_identity(
        self, identity_id: str, tags: Mapping[str, str]
    ) -> tuple[Identity, Receipt]:
        """Replace the tags of a managed identity."""

    async def delete_identity(self, identity_id: str) -> Receipt:
        """Delete a managed identity with its credentials; one that is gone is no error."""

    async def credential(self, identity_id: str, name: str) -> Credential | None:
        """Read a federated credential."""

    async def credentials(self, identity_id: str) -> list[Credential]:
        """List the federated credentials of a managed identity."""

    async def put_credential(self, identity_id: str, credential: Credential) -> Receipt:
        """Create or replace a federated credential."""

    async def delete_credential(self, identity_id: str, name: str) -> Receipt:
        """Delete a federated credential; one that is gone is no error."""

    async def assignment(self, scope: str, name: str) -> Assignment | None:
        """Read a role assignment."""

    async def assignments(self, scope: str, principal_id: str) -> list[Assignment]:
        """List the assignments of a principal at a scope and above it."""

    async def assignments_below(self, scope: str, principal_id: str) -> list[Assignment]:
        """List the assignments of a principal at a scope, above it and below it."""

    async def assignments_at(self, scope: str) -> list[Assignment]:
        """List the assignments of everybody at a scope and above it."""

    async def permissions(self, scope: str) -> list[Permission]:
        """List what the operator may do at a resource group or a resource."""

    async def put_assignment(self, assignment: Assignment) -> Receipt:
        """Create a role assignment for a service principal."""

    async def delete_assignment(self, scope: str, name: str) -> Receipt:
        """Delete a role assignment; one that is gone is no error."""


@dataclass(frozen=True, slots=True)
class Presented:
    """What a pod's own token claims, by which Entra finds a federated credential."""

    issuer: str
    subject: str
    audience: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """A pod's readiness document (docs/contract.md), already bounded; input from a tenant's pod."""

    reason: str
    message: str
    proven_at: str
    presented: Presented | None = None
    trace: str = ""


class Pods(Protocol):
    """The pods of chatbots, seen over the network."""

    async def readiness(self, address: str) -> Readiness | None:
        """Ask the pod at an IP address for its readiness document; None when it gives none."""


class Clock(Protocol):
    """The time of day."""

    def __call__(self) -> dt.datetime:
        """Give the present, in UTC."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """How chatbots get out: by a proxy except to some hosts, trusting more authorities (PEM)."""

    https_proxy: str = ""
    no_proxy: str = ""
    authorities: str = ""


class Manage(StrEnum):
    """What the operator may write in Azure; the rest it verifies, and says how to write it."""

    ALL = "All"
    FEDERATION_ONLY = "FederationOnly"
    NOTHING = "Nothing"

    @property
    def roles(self) -> bool:
        """Tell whether it assigns and withdraws the role."""
        return self is Manage.ALL

    @property
    def identities(self) -> bool:
        """Tell whether it makes and deletes identities with their credentials."""
        return self is not Manage.NOTHING


@dataclass(frozen=True, slots=True)
class Installation:
    """What holds for the whole installation, from settings and from the cluster itself.

    `issuer` is the `iss` claim of the operator's own projected token, byte for byte. `namespace`
    is where the operator runs, empty outside a cluster. `rebind`: a chatbot takes over the identity
    of an earlier one of its name.
    """

    cluster: str
    issuer: str
    tenant_id: str
    image: str
    namespace: str = ""
    gateway_namespaces: tuple[str, ...] = ()
    audience: str = "api://AzureADTokenExchange"
    data_scope: str = "https://cognitiveservices.azure.com/.default"
    identity_resource_group: str = ""
    identity_location: str = ""
    proof_delay: float = 15.0
    proof_recheck: float = 300.0
    propagation_deadline: float = 900.0
    resync: float = 3600.0
    proof_poll: float = 2.0
    withdrawal_grace: float = 300.0
    credential_grace: float = 3600.0
    rebind: bool = False
    manage: Manage = Manage.ALL
    outlet: Outlet = Outlet()


@dataclass(frozen=True, slots=True)
class World:
    """Everything a pass may touch, and its journal, which each pass begins anew.

    `undone` remembers by uid what admission made of an object that the operator has given up on.
    """

    kubernetes: Kubernetes
    azure: Azure
    pods: Pods
    now: Clock
    installation: Installation
    journal: Journal = field(default_factory=Journal)
    undone: dict[str, str] = field(default_factory=dict)
