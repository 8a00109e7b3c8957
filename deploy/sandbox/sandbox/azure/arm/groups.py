"""Subscriptions, resource groups, and the registry of resource providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.azure.arm.call import Call, Json, Operation, Reply, listing, tags_of
from sandbox.azure.errors import Refusal, group_not_found
from sandbox.azure.rbac import covers
from sandbox.azure.settings import LOCATION, SUBSCRIPTION, SUBSCRIPTION_NAME, TENANT
from sandbox.azure.state import Account, Group, Identity, ManagedCluster
from sandbox.azure.world import SUBSCRIPTION_ID, group_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"
_TYPES = {
    "Microsoft.ManagedIdentity": ("userAssignedIdentities",),
    "Microsoft.Authorization": ("roleAssignments", "roleDefinitions", "permissions"),
    "Microsoft.CognitiveServices": ("accounts", "accounts/deployments"),
    "Microsoft.ContainerService": ("managedClusters",),
    "Microsoft.Resources": ("resourceGroups", "subscriptions"),
}
_NAMESPACES = {namespace.lower(): namespace for namespace in _TYPES}
_VERSION = "2025-01-01"
"""The one version that is announced; every version is served."""


def find_group(call: Call) -> Group:
    """The resource group in the path, or the refusal."""
    name = call.params["group"]
    group = call.store.groups.get(group_id(name).lower())
    if group is None:
        raise group_not_found(name)
    return group


def location_of(body: Json) -> str:
    """The location of a body in its short form, `East US` being `eastus`."""
    location = body.get("location")
    if not isinstance(location, str) or not location:
        raise Refusal(
            400, "LocationRequired", "The location property is required for this definition."
        )
    return location.replace(" ", "").lower()


def same_location(name: str, group: str, existing: str, wanted: str) -> None:
    """Refuse to move a resource to another location."""
    if existing != wanted:
        raise Refusal(
            409,
            "InvalidResourceLocation",
            f"The resource '{name}' already exists in location '{existing}' in resource group "
            f"'{group}'. A resource with the same name cannot be created in location "
            f"'{wanted}'. Please select a new resource name.",
            gateway=True,
        )


def _subscription() -> Json:
    return {
        "id": SUBSCRIPTION_ID,
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": SUBSCRIPTION,
        "tenantId": TENANT,
        "displayName": SUBSCRIPTION_NAME,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def _list_subscriptions(call: Call) -> Reply:
    mine = call.store.assignments_of(call.caller.oid)
    touched = any(covers(SUBSCRIPTION_ID, a.scope) or a.scope == "/" for a in mine)
    return Reply(
        200,
        {
            "value": [_subscription()] if touched else [],
            "count": {"type": "Total", "value": int(touched)},
        },
    )


def _get_subscription(_call: Call) -> Reply:
    return Reply(200, _subscription())


def _list_tenants(_call: Call) -> Reply:
    return listing([{"id": f"/tenants/{TENANT}", "tenantId": TENANT, "displayName": "Sandbox"}])


def _document(group: Group) -> Mapping[str, object]:
    return {
        "id": group.id,
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        "tags": dict(group.tags),
        "properties": {"provisioningState": "Succeeded"},
    }


def _put(call: Call) -> Reply:
    name, location = call.params["group"], location_of(call.body)
    key = group_id(name).lower()
    existing = call.store.groups.get(key)
    if existing is not None and existing.location != location:
        raise Refusal(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{location}'. The Resource group already exists "
            f"in location '{existing.location}'.",
            gateway=True,
        )
    kept = existing.name if existing else name
    call.store.groups[key] = Group(group_id(kept), kept, location, tags_of(call.body))
    return Reply(200 if existing else 201, _document(call.store.groups[key]))


def _get(call: Call) -> Reply:
    return Reply(200, _document(find_group(call)))


def _head(call: Call) -> Reply:
    known = group_id(call.params["group"]).lower() in call.store.groups
    return Reply(204 if known else 404)


def _delete(call: Call) -> Reply:
    group = find_group(call)
    call.store.drop_group(group, call.now)
    done = f"{call.world.base_url}{SUBSCRIPTION_ID}/operationresults/{call.world.new_guid()}"
    return Reply(202, headers={"location": f"{done}?api-version=2024-11-01", "retry-after": "0"})


def _list(call: Call) -> Reply:
    return listing(_document(group) for group in call.store.groups.values())


def _resources(call: Call) -> Reply:
    """What is in a group. Azure leaves out what the caller may not read; here one may all or none.

    https://learn.microsoft.com/rest/api/resources/resources/list-by-resource-group
    """
    group, store = find_group(call).name.lower(), call.store
    kinds: tuple[tuple[str, Iterable[Identity | Account | ManagedCluster]], ...] = (
        ("Microsoft.ManagedIdentity/userAssignedIdentities", store.identities.values()),
        ("Microsoft.CognitiveServices/accounts", store.accounts.values()),
        ("Microsoft.ContainerService/managedClusters", store.clusters.values()),
    )
    return listing(
        {"id": each.id, "name": each.name, "type": kind, "location": each.location}
        for kind, found in kinds
        for each in found
        if each.group.lower() == group
    )


def _done(_call: Call) -> Reply:
    return Reply(200)


def _provider(call: Call) -> Reply:
    asked = call.params["namespace"]
    namespace = _NAMESPACES.get(asked.lower())
    if namespace is None:
        raise Refusal(
            404,
            "InvalidResourceNamespace",
            f"The resource namespace '{asked}' is invalid.",
            gateway=True,
        )
    return Reply(200, _registration(namespace))


def _providers(_call: Call) -> Reply:
    return listing(_registration(namespace) for namespace in _NAMESPACES.values())


def _registration(namespace: str) -> Json:
    return {
        "id": f"{SUBSCRIPTION_ID}/providers/{namespace}",
        "namespace": namespace,
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [
            {"resourceType": kind, "locations": [LOCATION], "apiVersions": [_VERSION]}
            for kind in _TYPES[namespace]
        ],
        "registrationState": "Registered",
    }


_IN_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_IN_SUBSCRIPTION}/resourceGroups/{{group}}"

OPERATIONS = (
    Operation("GET", "/subscriptions", _list_subscriptions),
    Operation("GET", "/tenants", _list_tenants),
    Operation(
        "GET", _IN_SUBSCRIPTION, _get_subscription, resource="Microsoft.Resources/subscriptions"
    ),
    Operation("GET", f"{_IN_SUBSCRIPTION}/resourceGroups", _list, resource=_GROUPS),
    Operation("PUT", _GROUP, _put, resource=_GROUPS),
    Operation("GET", _GROUP, _get, resource=_GROUPS),
    Operation("HEAD", _GROUP, _head, resource=_GROUPS),
    Operation("DELETE", _GROUP, _delete, resource=_GROUPS),
    Operation("GET", f"{_GROUP}/resources", _resources, resource=f"{_GROUPS}/resources"),
    Operation("GET", f"{_IN_SUBSCRIPTION}/operationresults/{{operation}}", _done),
    Operation("GET", f"{_IN_SUBSCRIPTION}/providers", _providers),
    Operation("GET", f"{_IN_SUBSCRIPTION}/providers/{{namespace}}", _provider),
    Operation(
        "POST",
        f"{_IN_SUBSCRIPTION}/providers/{{namespace}}/register",
        _provider,
        resource="Microsoft.Resources/subscriptions/providers",
        verb="register/action",
    ),
)
