"""Role definitions, and what a caller may do at a scope (Microsoft.Authorization)."""

from __future__ import annotations

import re

from sandbox.azure.arm.call import Call, Json, Operation, Reply, listing
from sandbox.azure.builtin_roles import BUILT_IN
from sandbox.azure.errors import Refusal, bad_request
from sandbox.azure.rbac import RoleDefinition, covers
from sandbox.azure.world import SUBSCRIPTION_ID, role_definition_id

_KIND = "Microsoft.Authorization/roleDefinitions"
_NAMED = re.compile(r"\s*roleName\s+eq\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)
_TYPED = re.compile(r"\s*(atScope\(\)|atScopeAndBelow\(\)|type\s+eq\s+'(\w+)')\s*", re.IGNORECASE)


def _permissions(role: RoleDefinition) -> Json:
    return {
        "actions": list(role.actions),
        "notActions": list(role.not_actions),
        "dataActions": list(role.data_actions),
        "notDataActions": list(role.not_data_actions),
    }


def _document(role: RoleDefinition) -> Json:
    built_in = role.guid in BUILT_IN
    return {
        "id": role_definition_id(role.guid),
        "type": _KIND,
        "name": role.guid,
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole" if built_in else "CustomRole",
            "description": role.description,
            "assignableScopes": ["/"] if built_in else [SUBSCRIPTION_ID],
            "permissions": [_permissions(role)],
        },
    }


def _get(call: Call) -> Reply:
    guid = call.params["name"].lower()
    role = call.store.roles.get(guid)
    if role is None:
        raise Refusal(
            404,
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{guid.replace('-', '')}' does not exist.",
        )
    return Reply(200, _document(role))


def _list(call: Call) -> Reply:
    roles = list(call.store.roles.values())
    for clause in filter(None, re.split(r"\s+and\s+", call.query.get("$filter", ""))):
        if named := _NAMED.fullmatch(clause):
            wanted = named[1].replace("''", "'").lower()
            roles = [role for role in roles if role.name.lower() == wanted]
        elif typed := _TYPED.fullmatch(clause):
            kind = (typed[2] or "").lower()
            roles = [r for r in roles if not kind or kind == _origin(r)]
        else:
            raise bad_request(f"The filter '{clause}' is not supported.")
    return listing(_document(role) for role in roles)


def _origin(role: RoleDefinition) -> str:
    return "builtinrole" if role.guid in BUILT_IN else "customrole"


def _put(call: Call) -> Reply:
    guid, given = call.params["name"].lower(), call.properties
    if guid in BUILT_IN:
        raise bad_request("A built-in role cannot be changed.")
    permissions = [p for p in given.get("permissions") or () if isinstance(p, dict)]

    def gathered(name: str) -> tuple[str, ...]:
        return tuple(str(action) for p in permissions for action in p.get(name) or ())

    role = RoleDefinition(
        guid=guid,
        name=str(given.get("roleName", guid)),
        actions=gathered("actions"),
        not_actions=gathered("notActions"),
        data_actions=gathered("dataActions"),
        not_data_actions=gathered("notDataActions"),
        description=str(given.get("description") or ""),
    )
    call.store.roles[guid] = role
    return Reply(201, _document(role))


def _permissions_at(call: Call) -> Reply:
    mine = call.store.assignments_of(call.caller.oid)
    here = [a for a in mine if covers(a.scope, call.params["scope"])]
    return listing(
        {
            **_permissions(role),
            "condition": assignment.condition,
            "conditionVersion": assignment.condition_version,
        }
        for assignment in here
        if (role := call.store.roles.get(assignment.role)) is not None
    )


_ALL = f"{{scope}}/providers/{_KIND}"

OPERATIONS = (
    Operation("GET", f"{_ALL}/{{name}}", _get, resource=_KIND),
    Operation("PUT", f"{_ALL}/{{name}}", _put, resource=_KIND),
    Operation("GET", _ALL, _list, resource=_KIND),
    Operation("GET", "{scope}/providers/Microsoft.Authorization/permissions", _permissions_at),
)
