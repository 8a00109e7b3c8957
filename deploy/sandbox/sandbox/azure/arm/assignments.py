"""Role assignments at any scope (Microsoft.Authorization)."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace

from sandbox.azure.arm.call import Attributes, Call, Json, Operation, Reply, instant, listing
from sandbox.azure.arm.scopes import require_scope
from sandbox.azure.errors import Refusal, bad_request
from sandbox.azure.rbac import Assignment, covers
from sandbox.azure.settings import OWNER_OBJECT_ID, TENANT
from sandbox.azure.state import Store

KIND = "Microsoft.Authorization/roleAssignments"
LIMIT = 4000
"""Role assignments per subscription."""
_BY_PRINCIPAL = re.compile(
    r"\s*(?:principalId\s+eq\s+'([^']*)'|assignedTo\('([^']*)'\))\s*", re.IGNORECASE
)


def _document(assignment: Assignment) -> Json:
    return {
        "properties": {
            "roleDefinitionId": assignment.role_definition_id,
            "principalId": assignment.principal_id,
            "principalType": assignment.principal_type,
            "scope": assignment.scope,
            "condition": assignment.condition,
            "conditionVersion": assignment.condition_version,
            "createdOn": instant(assignment.created_on),
            "updatedOn": instant(assignment.updated_on),
            "createdBy": assignment.created_by,
            "updatedBy": assignment.updated_by,
            "delegatedManagedIdentityResourceId": None,
            "description": assignment.description,
        },
        "id": f"{assignment.scope}/providers/{KIND}/{assignment.name}",
        "type": KIND,
        "name": assignment.name,
    }


def _name(call: Call) -> str:
    name = call.params["name"]
    try:
        return str(uuid.UUID(name))
    except ValueError:
        raise Refusal(
            400,
            "InvalidRoleAssignmentId",
            f"The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.",
        ) from None


def _at(call: Call) -> Assignment | None:
    assignment = call.store.assignments.get(_name(call))
    if assignment is None or assignment.scope.lower() != call.params["scope"].lower():
        return None
    return assignment


def _wanted(call: Call, name: str) -> Assignment:
    given = call.properties
    role, principal = given.get("roleDefinitionId"), given.get("principalId")
    if not isinstance(role, str) or not isinstance(principal, str):
        raise bad_request("The request was incorrectly formatted.")
    return Assignment(
        name=name,
        scope=call.params["scope"],
        role_definition_id=role,
        principal_id=principal,
        principal_type=str(given.get("principalType") or "ServicePrincipal"),
        description=given.get("description"),
        condition=given.get("condition"),
        condition_version=given.get("conditionVersion"),
        created_on=call.now,
        created_by=call.caller.oid,
        updated_on=call.now,
        updated_by=call.caller.oid,
    )


def _put(call: Call) -> Reply:
    wanted = _wanted(call, _name(call))
    require_scope(call.store, wanted.scope)
    _require_role(call.store, wanted)
    existing = call.store.assignments.get(wanted.name)
    if existing is None:
        _require_principal(call, wanted)
        _require_new(call.store, wanted)
    elif _essence(existing) != _essence(wanted):
        raise Refusal(
            400,
            "RoleAssignmentUpdateNotPermitted",
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
        )
    else:
        wanted = replace(
            wanted,
            scope=existing.scope,
            created_on=existing.created_on,
            created_by=existing.created_by,
        )
    call.store.put_assignment(wanted, call.now)
    status = 201
    if existing is not None and _terms(existing) == _terms(wanted):
        status = call.world.settings.identical_assignment_status
    document = _document(wanted)
    fresh = {"createdOn": instant(call.now), "createdBy": None}
    return Reply(status, {**document, "properties": {**document["properties"], **fresh}})


def _essence(assignment: Assignment) -> tuple[str, str, str]:
    return assignment.scope.lower(), assignment.role, assignment.principal_id.lower()


def _terms(assignment: Assignment) -> tuple[str | None, ...]:
    return assignment.description, assignment.condition, assignment.condition_version


def _require_role(store: Store, wanted: Assignment) -> None:
    if wanted.role not in store.roles:
        raise Refusal(
            400,
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{wanted.role.replace('-', '')}' "
            "does not exist.",
        )


def _require_new(store: Store, wanted: Assignment) -> None:
    for other in store.assignments_of(wanted.principal_id):
        if _essence(other) == _essence(wanted):
            raise Refusal(
                409,
                "RoleAssignmentExists",
                "The role assignment already exists. The ID of the existing role assignment is "
                f"{other.name.replace('-', '')}.",
            )
    if len(store.assignments) >= LIMIT:
        raise Refusal(400, "RoleAssignmentLimitExceeded", "No more role assignments can be created")


def _require_principal(call: Call, wanted: Assignment) -> None:
    """The directory is asked only when the caller does not name a type that spares the look-up."""
    if (call.properties.get("principalType") or "User") != "User":
        return
    principal = wanted.principal_id.lower()
    since = _since(call.store, principal)
    if since is None or call.now < since + call.world.settings.propagation_directory:
        raise Refusal(
            400,
            "PrincipalNotFound",
            f"Principal {principal.replace('-', '')} does not exist in the directory {TENANT}. "
            "Check that you have the correct principal ID. If you are creating this principal and "
            "then immediately assigning a role, this error might be related to a replication "
            "delay. In this case, set the role assignment principalType property to a value, such "
            "as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
        )
    if call.properties.get("principalType") == "User":
        raise Refusal(
            400,
            "UnmatchedPrincipalType",
            f"The PrincipalId '{principal.replace('-', '')}' has type 'ServicePrincipal' , which "
            "is different from specified PrinciaplType 'User'.",
        )


def _since(store: Store, principal: str) -> float | None:
    if principal == OWNER_OBJECT_ID:
        return 0.0
    for identity in store.identities.values():
        if identity.principal_id == principal:
            return identity.created_on
    return None


def _get(call: Call) -> Reply:
    assignment = _at(call)
    if assignment is None:
        raise Refusal(
            404,
            "RoleAssignmentNotFound",
            f"The role assignment '{call.params['name']}' is not found.",
        )
    return Reply(200, _document(assignment))


def _delete(call: Call) -> Reply:
    assignment = _at(call)
    if assignment is None:
        return Reply(204)
    call.store.drop_assignment(assignment, call.now)
    return Reply(200, _document(replace(assignment, updated_on=call.now)))


def _list(call: Call) -> Reply:
    scope = call.params["scope"]
    below = True
    found = list(call.store.assignments.values())
    for clause in filter(None, re.split(r"\s+and\s+", call.query.get("$filter", ""))):
        if clause.strip().lower() == "atscope()":
            below = False
        elif match := _BY_PRINCIPAL.fullmatch(clause):
            found = call.store.assignments_of(match[1] or match[2])
        else:
            raise bad_request(f"The filter '{clause}' is not supported.")
    return listing(
        _document(a) for a in found if covers(a.scope, scope) or (below and covers(scope, a.scope))
    )


def attributes(call: Call) -> tuple[Attributes, Attributes]:
    """What a condition can ask about: the assignment in the request, and the one that exists."""
    given, existing = call.properties, _at(call)
    request = {
        "RoleDefinitionId": _last(given.get("roleDefinitionId")),
        "PrincipalId": given.get("principalId"),
        "PrincipalType": given.get("principalType"),
    }
    resource = {
        "RoleDefinitionId": existing.role if existing else None,
        "PrincipalId": existing.principal_id if existing else None,
        "PrincipalType": existing.principal_type if existing else None,
    }
    return request, resource


def _last(path: object) -> str | None:
    return path.rsplit("/", 1)[-1] if isinstance(path, str) else None


_ALL = f"{{scope}}/providers/{KIND}"

OPERATIONS = (
    Operation("PUT", f"{_ALL}/{{name}}", _put, resource=KIND, kind="role"),
    Operation("GET", f"{_ALL}/{{name}}", _get, resource=KIND, kind="role"),
    Operation("DELETE", f"{_ALL}/{{name}}", _delete, resource=KIND, kind="role"),
    Operation("GET", _ALL, _list, resource=KIND, kind="role"),
)
