"""The emulator's memory: plain records, and the store that holds them.

Keys are resource ids in lower case, since Azure compares ids without case.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure.builtin_roles import BUILT_IN
from sandbox.azure.errors import TokenRefusal
from sandbox.azure.history import History
from sandbox.azure.rbac import Assignment, RoleDefinition, covers

Clock = Callable[[], float]
"""Epoch seconds."""
NewGuid = Callable[[], str]
Tags = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """A resource group."""

    id: str
    name: str
    location: str
    tags: Tags


@dataclass(frozen=True, slots=True)
class Identity:
    """A user-assigned managed identity."""

    id: str
    name: str
    group: str
    location: str
    tags: Tags
    principal_id: str
    client_id: str
    isolation_scope: str | None
    created_on: float


@dataclass(frozen=True, slots=True)
class Credential:
    """A federated identity credential; `id` is its ARM id."""

    id: str
    name: str
    issuer: str
    subject: str
    audience: str


@dataclass(frozen=True, slots=True)
class Account:
    """A Cognitive Services account of kind OpenAI or AIServices."""

    id: str
    name: str
    group: str
    location: str
    kind: str
    sku: str
    tags: Tags
    subdomain: str | None
    local_auth: bool
    public_access: bool
    network_acls: Mapping[str, Any]
    provisioning_state: str
    created_on: float
    private_endpoints: tuple[tuple[str, str], ...] = ()
    """Name and state (Approved, Pending, Rejected) of each connection."""


@dataclass(frozen=True, slots=True)
class ModelDeployment:
    """A model deployed in an account; `capacity` is in thousands of tokens per minute."""

    id: str
    name: str
    sku: str
    capacity: int
    model: Mapping[str, str]
    upgrade: str
    provisioning_state: str
    created_on: float


@dataclass(frozen=True, slots=True)
class ManagedCluster:
    """An AKS cluster, as far as `az aks show` needs it for its OIDC issuer."""

    id: str
    name: str
    group: str
    location: str
    issuer: str


@dataclass(frozen=True, slots=True)
class Lock:
    """A management lock; its level is CanNotDelete or ReadOnly."""

    scope: str
    name: str
    level: str
    notes: str


@dataclass(slots=True)
class Store:
    """Everything there is. One event loop uses it; no await happens inside a change."""

    groups: dict[str, Group] = field(default_factory=dict)
    identities: History[Identity] = field(default_factory=History)
    clients: dict[str, str] = field(default_factory=dict)
    """Identity key by client id, also of identities that are gone."""
    credentials: dict[str, History[Credential]] = field(default_factory=dict)
    """By identity key, then by credential key."""
    assignments: dict[str, Assignment] = field(default_factory=dict)
    """By name: the names of assignments are unique in a tenant."""
    granted: dict[str, History[Assignment]] = field(default_factory=dict)
    """By principal, then by name."""
    roles: dict[str, RoleDefinition] = field(default_factory=lambda: dict(BUILT_IN))
    accounts: dict[str, Account] = field(default_factory=dict)
    deleted_accounts: dict[str, Account] = field(default_factory=dict)
    """Deleted softly: gone, until purged, only for those who look at them as deleted."""
    deployments: dict[str, dict[str, ModelDeployment]] = field(default_factory=dict)
    """By account key, then by deployment key."""
    retirements: dict[tuple[str, str], str] = field(default_factory=dict)
    """When models end, in Azure's form, by name and version."""
    clusters: dict[str, ManagedCluster] = field(default_factory=dict)
    locks: dict[str, Lock] = field(default_factory=dict)
    writing: set[str] = field(default_factory=set)
    """Keys of identities under which a credential is being written."""
    refused: dict[tuple[object, ...], tuple[float, TokenRefusal]] = field(default_factory=dict)
    """Failed token exchanges that Entra remembers, and until when."""

    def put_assignment(self, assignment: Assignment, moment: float) -> None:
        """Add or replace a role assignment."""
        self.assignments[assignment.name.lower()] = assignment
        history = self.granted.setdefault(assignment.principal_id.lower(), History())
        history.put(assignment.name.lower(), assignment, moment)

    def drop_assignment(self, assignment: Assignment, moment: float) -> None:
        """Remove a role assignment."""
        self.assignments.pop(assignment.name.lower(), None)
        history = self.granted.setdefault(assignment.principal_id.lower(), History())
        history.put(assignment.name.lower(), None, moment)

    def assignments_of(self, principal: str) -> list[Assignment]:
        """The role assignments of a principal, now."""
        history = self.granted.get(principal.lower())
        return history.values() if history else []

    def credentials_of(self, identity: str) -> History[Credential]:
        """The federated credentials of an identity, by its id."""
        return self.credentials.setdefault(identity.lower(), History())

    def drop_identity(self, identity: Identity, moment: float) -> None:
        """Remove an identity and its credentials; its role assignments stay behind."""
        self.identities.put(identity.id.lower(), None, moment)
        credentials = self.credentials_of(identity.id)
        for credential in credentials.values():
            credentials.put(credential.id.lower(), None, moment)

    def drop_account(self, account: Account, moment: float) -> None:
        """Remove an account with its deployments and the role assignments at or below it."""
        self.accounts.pop(account.id.lower(), None)
        self.deleted_accounts[account.id.lower()] = account
        self.deployments.pop(account.id.lower(), None)
        self._drop_assignments_below(account.id, moment)

    def drop_group(self, group: Group, moment: float) -> None:
        """Remove a resource group and everything in it."""
        self.groups.pop(group.id.lower(), None)
        for identity in self.identities.values():
            if covers(group.id, identity.id):
                self.drop_identity(identity, moment)
        for account in list(self.accounts.values()):
            if covers(group.id, account.id):
                self.drop_account(account, moment)
        for cluster in list(self.clusters.values()):
            if covers(group.id, cluster.id):
                self.clusters.pop(cluster.id.lower())
        self._drop_assignments_below(group.id, moment)

    def _drop_assignments_below(self, scope: str, moment: float) -> None:
        for assignment in list(self.assignments.values()):
            if covers(scope, assignment.scope):
                self.drop_assignment(assignment, moment)


def new_guid() -> str:
    """A random GUID in Azure's lower-case form."""
    return str(uuid.uuid4())
