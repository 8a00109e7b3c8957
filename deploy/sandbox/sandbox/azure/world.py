"""The world the emulator pretends to be: its memory, its settings, its clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.azure import settings as fixed
from sandbox.azure.builtin_roles import OWNER
from sandbox.azure.rbac import Assignment
from sandbox.azure.settings import Settings, Surroundings
from sandbox.azure.state import (
    Account,
    Clock,
    Group,
    ManagedCluster,
    ModelDeployment,
    NewGuid,
    Store,
)

SUBSCRIPTION_ID = f"/subscriptions/{fixed.SUBSCRIPTION}"
OWNER_ASSIGNMENT = "00000000-0000-4000-8000-000000000005"

_MODELS = (("gpt-4o", "2024-08-06"), ("gpt-4o-mini", "2024-07-18"))
_NO_TAGS: Mapping[str, str] = {}


@dataclass(slots=True)
class World:
    """What every part of the emulator shares; `base_url` has no trailing slash."""

    base_url: str
    surroundings: Surroundings
    clock: Clock
    new_guid: NewGuid
    settings: Settings
    store: Store = field(default_factory=Store)
    _first: Settings = field(init=False)

    def __post_init__(self) -> None:
        self._first = self.settings
        self.reset()

    def reset(self) -> None:
        """Go back to the settings and the resources of the start."""
        self.settings = self._first
        self.store = Store()
        for name in (fixed.ACCOUNT_GROUP, fixed.IDENTITY_GROUP, fixed.CLUSTER_GROUP):
            group = Group(group_id(name), name, fixed.LOCATION, _NO_TAGS)
            self.store.groups[group.id.lower()] = group
        self.store.put_assignment(_ownership(), 0.0)
        self._seed_account()
        if self.surroundings.issuer is not None:
            kind = "Microsoft.ContainerService/managedClusters"
            cluster = ManagedCluster(
                resource_id(fixed.CLUSTER_GROUP, kind, fixed.CLUSTER),
                fixed.CLUSTER,
                fixed.CLUSTER_GROUP,
                fixed.LOCATION,
                self.surroundings.issuer,
            )
            self.store.clusters[cluster.id.lower()] = cluster

    def _seed_account(self) -> None:
        kind = "Microsoft.CognitiveServices/accounts"
        account = Account(
            id=resource_id(fixed.ACCOUNT_GROUP, kind, fixed.ACCOUNT),
            name=fixed.ACCOUNT,
            group=fixed.ACCOUNT_GROUP,
            location=fixed.LOCATION,
            kind="OpenAI",
            sku="S0",
            tags=_NO_TAGS,
            subdomain=fixed.ACCOUNT,
            local_auth=False,
            public_access=True,
            network_acls={"defaultAction": "Allow", "virtualNetworkRules": [], "ipRules": []},
            provisioning_state="Succeeded",
            created_on=0.0,
        )
        self.store.accounts[account.id.lower()] = account
        deployments = self.store.deployments.setdefault(account.id.lower(), {})
        for name, version in _MODELS:
            deployment = ModelDeployment(
                id=f"{account.id}/deployments/{name}",
                name=name,
                sku="GlobalStandard",
                capacity=50,
                model={"publisher": "OpenAI", "format": "OpenAI", "name": name, "version": version},
                upgrade="OnceNewDefaultVersionAvailable",
                provisioning_state="Succeeded",
                created_on=0.0,
            )
            deployments[deployment.id.lower()] = deployment


def group_id(name: str) -> str:
    """The ARM id of a resource group."""
    return f"{SUBSCRIPTION_ID}/resourceGroups/{name}"


def resource_id(group: str, kind: str, name: str) -> str:
    """The ARM id of a resource of a kind such as `Microsoft.X/things`."""
    return f"{group_id(group)}/providers/{kind}/{name}"


def role_definition_id(guid: str) -> str:
    """The ARM id of a role definition."""
    return f"{SUBSCRIPTION_ID}/providers/Microsoft.Authorization/roleDefinitions/{guid}"


def _ownership() -> Assignment:
    return Assignment(
        name=OWNER_ASSIGNMENT,
        scope=SUBSCRIPTION_ID,
        role_definition_id=role_definition_id(OWNER),
        principal_id=fixed.OWNER_OBJECT_ID,
        principal_type="ServicePrincipal",
        description=None,
        condition=None,
        condition_version=None,
        created_on=0.0,
        created_by=fixed.OWNER_OBJECT_ID,
        updated_on=0.0,
        updated_by=fixed.OWNER_OBJECT_ID,
    )
