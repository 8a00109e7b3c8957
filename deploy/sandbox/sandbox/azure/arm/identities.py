"""User-assigned managed identities (Microsoft.ManagedIdentity)."""

from __future__ import annotations

import re
from dataclasses import replace

from sandbox.azure.arm.call import Call, Json, Operation, Reply, listing, section, tags_of
from sandbox.azure.arm.groups import find_group, location_of, same_location
from sandbox.azure.errors import bad_request, resource_not_found
from sandbox.azure.settings import TENANT
from sandbox.azure.state import Identity
from sandbox.azure.world import SUBSCRIPTION_ID

KIND = "Microsoft.ManagedIdentity/userAssignedIdentities"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,127}")


def identity_id(group: str, name: str) -> str:
    """The id as this provider spells it, `resourcegroups` in lower case."""
    return f"{SUBSCRIPTION_ID}/resourcegroups/{group}/providers/{KIND}/{name}"


def identity_in(call: Call) -> Identity | None:
    """The identity that the path names, if it exists."""
    key = identity_id(call.params["group"], call.params["name"]).lower()
    return call.store.identities.get(key)


def _document(identity: Identity) -> Json:
    isolation = {"isolationScope": identity.isolation_scope} if identity.isolation_scope else {}
    return {
        "id": identity.id,
        "name": identity.name,
        "type": KIND,
        "location": identity.location,
        "tags": dict(identity.tags),
        "properties": {
            "tenantId": TENANT,
            "principalId": identity.principal_id,
            "clientId": identity.client_id,
            **isolation,
        },
    }


def _put(call: Call) -> Reply:
    find_group(call)
    name, location = call.params["name"], location_of(call.body)
    existing = identity_in(call)
    if existing is None:
        identity = _create(call, name, location)
    else:
        same_location(existing.name, existing.group, existing.location, location)
        identity = replace(
            existing, tags=tags_of(call.body), isolation_scope=_isolation(call, existing)
        )
    call.store.identities.put(identity.id.lower(), identity, call.now)
    if existing:
        return Reply(200, _document(identity))
    path = identity.id.replace("/resourcegroups/", "/resourceGroups/")
    return Reply(201, _document(identity), {"location": path})


def _create(call: Call, name: str, location: str) -> Identity:
    if not _NAME.fullmatch(name):
        raise bad_request(f"The resource name '{name}' is invalid.")
    identity = Identity(
        id=identity_id(call.params["group"], name),
        name=name,
        group=call.params["group"],
        location=location,
        tags=tags_of(call.body),
        principal_id=call.world.new_guid(),
        client_id=call.world.new_guid(),
        isolation_scope=_isolation(call, None),
        created_on=call.now,
    )
    call.store.clients[identity.client_id] = identity.id.lower()
    return identity


def _isolation(call: Call, existing: Identity | None) -> str | None:
    scope = call.properties.get("isolationScope")
    if scope is None:
        return existing.isolation_scope if existing else None
    if scope not in {"None", "Regional"}:
        raise bad_request(f"The isolation scope '{scope}' is invalid.")
    return str(scope)


def _found(call: Call) -> Identity:
    identity = identity_in(call)
    if identity is None:
        find_group(call)
        raise resource_not_found(KIND, call.params["name"], call.params["group"])
    return identity


def _get(call: Call) -> Reply:
    return Reply(200, _document(_found(call)))


def _patch(call: Call) -> Reply:
    identity = _found(call)
    if "tags" in call.body:
        identity = replace(identity, tags=tags_of(call.body))
    if "isolationScope" in section(call.body, "properties"):
        identity = replace(identity, isolation_scope=_isolation(call, identity))
    call.store.identities.put(identity.id.lower(), identity, call.now)
    return Reply(200, _document(identity))


def _merge_tags(call: Call) -> Reply:
    """Add tags, and leave the others: PATCH of Microsoft.Resources/tags."""
    identity = _found(call)
    if str(call.body.get("operation")).lower() != "merge":
        raise bad_request(f"The tags operation '{call.body.get('operation')}' is not supported.")
    more = tags_of(call.properties)
    kept = {key: v for key, v in identity.tags.items() if key.lower() not in map(str.lower, more)}
    identity = replace(identity, tags={**kept, **more})
    call.store.identities.put(identity.id.lower(), identity, call.now)
    tagged = {"id": call.path, "name": "default", "type": _TAGS_KIND}
    return Reply(200, {**tagged, "properties": {"tags": dict(identity.tags)}})


def _delete(call: Call) -> Reply:
    identity = identity_in(call)
    if identity is None:
        return Reply(204)
    call.store.drop_identity(identity, call.now)
    return Reply(200)


def _list_group(call: Call) -> Reply:
    group = find_group(call).name.lower()
    return listing(_document(i) for i in call.store.identities.values() if i.group.lower() == group)


def _list_all(call: Call) -> Reply:
    return listing(_document(i) for i in call.store.identities.values())


_ALL = f"/subscriptions/{{subscription}}/providers/{KIND}"
_IN_GROUP = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{KIND}"
_ONE = f"{_IN_GROUP}/{{name}}"
_TAGS_KIND = "Microsoft.Resources/tags"
_TAGS = f"{_ONE}/providers/{_TAGS_KIND}/default"

OPERATIONS = (
    Operation("PUT", _ONE, _put, resource=KIND, kind="identity"),
    Operation("GET", _ONE, _get, resource=KIND, kind="identity"),
    Operation("PATCH", _ONE, _patch, resource=KIND, kind="identity"),
    Operation("PATCH", _TAGS, _merge_tags, resource=_TAGS_KIND, kind="identity"),
    Operation("DELETE", _ONE, _delete, resource=KIND, kind="identity"),
    Operation("GET", _IN_GROUP, _list_group, resource=KIND, kind="identity"),
    Operation("GET", _ALL, _list_all, resource=KIND, kind="identity"),
)
