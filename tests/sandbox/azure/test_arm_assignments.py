"""Role assignments and definitions, with the quirks that recordings of Azure show."""

import re
import uuid

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters
from sandbox.azure import settings as fixed

SUBSCRIPTION = f"/subscriptions/{fixed.SUBSCRIPTION}"
ACCOUNT = (
    f"{SUBSCRIPTION}/resourceGroups/openai/providers/Microsoft.CognitiveServices/accounts/contoso"
)
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
NAME = "11111111-2222-4333-8444-555555555555"
ROLES = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"


def path(scope=ACCOUNT, name=NAME):
    return f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"


def document(principal, role=OPENAI_USER, **more):
    properties = {
        "roleDefinitionId": f"{ROLES}/{role}",
        "principalId": principal,
        "principalType": "ServicePrincipal",
    }
    return {"properties": {k: v for k, v in (properties | more).items() if v is not None}}


@pytest.fixture
async def principal(azure):
    return (await azure.identity()).principal_id


async def test_the_put_response_has_no_creator_but_a_get_has(azure, principal):
    put = await azure.arm("PUT", path(), document(principal))
    got = await azure.arm("GET", path())

    assert put.status_code == 201
    assert put.json()["properties"]["createdBy"] is None
    assert got.json()["properties"]["createdBy"] == fixed.OWNER_OBJECT_ID
    assert got.json()["properties"]["updatedBy"] == fixed.OWNER_OBJECT_ID


async def test_the_body_is_the_recorded_one(azure, principal):
    body = (await azure.arm("PUT", path(), document(principal, description="for a test"))).json()

    assert body["id"] == path()
    assert body["type"] == "Microsoft.Authorization/roleAssignments"
    assert body["name"] == NAME
    assert body["properties"] | {"createdOn": "", "updatedOn": ""} == {
        "roleDefinitionId": f"{ROLES}/{OPENAI_USER}",
        "principalId": principal,
        "principalType": "ServicePrincipal",
        "scope": ACCOUNT,
        "condition": None,
        "conditionVersion": None,
        "createdOn": "",
        "updatedOn": "",
        "createdBy": None,
        "updatedBy": fixed.OWNER_OBJECT_ID,
        "delegatedManagedIdentityResourceId": None,
        "description": "for a test",
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", body["properties"]["createdOn"])


async def test_an_update_is_201_with_a_fresh_creation_time_that_a_get_does_not_confirm(
    azure, principal, clock
):
    first = (await azure.arm("PUT", path(), document(principal))).json()["properties"]
    clock.ahead = 60

    update = await azure.arm("PUT", path(), document(principal, description="changed"))
    got = (await azure.arm("GET", path())).json()["properties"]

    assert update.status_code == 201
    assert update.json()["properties"]["createdOn"] > first["createdOn"]
    assert update.json()["properties"]["createdBy"] is None
    assert got["createdOn"] == first["createdOn"]
    assert got["description"] == "changed"


@pytest.mark.parametrize("status", [200, 201])
async def test_an_identical_put_answers_with_either_status(azure, principal, status):
    await azure.set(identical_assignment_status=status)
    await azure.arm("PUT", path(), document(principal))

    assert (await azure.arm("PUT", path(), document(principal))).status_code == status


async def test_deleting_answers_with_the_deleted_object_and_then_204(azure, principal, clock):
    made = (await azure.arm("PUT", path(), document(principal))).json()
    clock.ahead = 60

    deleted = await azure.arm("DELETE", path())
    again = await azure.arm("DELETE", path())

    assert deleted.status_code == 200
    assert deleted.json()["name"] == NAME
    assert deleted.json()["properties"]["updatedOn"] > made["properties"]["updatedOn"]
    assert (again.status_code, again.content) == (204, b"")


async def test_an_absent_assignment_is_not_found_in_azures_words(azure):
    with pytest.raises(ResourceNotFoundError) as refused:
        await azure.authorization().role_assignments.get(ACCOUNT, NAME)

    assert refused.value.error.code == "RoleAssignmentNotFound"
    assert refused.value.error.message == f"The role assignment '{NAME}' is not found."


async def test_a_name_must_be_a_guid(azure, principal):
    answer = await azure.arm("PUT", path(name="x"), document(principal))

    assert answer.status_code == 400
    assert answer.json() == {
        "error": {
            "code": "InvalidRoleAssignmentId",
            "message": "The role assignment ID 'x' is not valid. "
            "The role assignment ID must be a GUID.",
        }
    }


async def test_the_same_grant_under_another_name_exists_already(azure, principal):
    await azure.arm("PUT", path(), document(principal))

    with pytest.raises(ResourceExistsError) as refused:
        await azure.assign(principal)

    assert refused.value.error.code == "RoleAssignmentExists"
    assert refused.value.error.message == (
        "The role assignment already exists. The ID of the existing role assignment is "
        f"{NAME.replace('-', '')}."
    )


@pytest.mark.parametrize("change", ["principal", "scope"])
async def test_principal_and_scope_of_a_name_cannot_change_anywhere_in_the_tenant(
    azure, principal, change
):
    await azure.arm("PUT", path(), document(principal))
    other = (await azure.identity("other")).principal_id

    answer = await azure.arm(
        "PUT",
        path(scope=SUBSCRIPTION if change == "scope" else ACCOUNT),
        document(other if change == "principal" else principal),
    )

    assert answer.status_code == 400
    assert answer.json() == {
        "error": {
            "code": "RoleAssignmentUpdateNotPermitted",
            "message": "Tenant ID, application ID, principal ID, and scope are not allowed to be "
            "updated.",
        }
    }


@pytest.mark.parametrize("kind", [None, "User"])
async def test_a_young_principal_is_not_found_unless_the_type_spares_the_look_up(
    azure, principal, kind
):
    await azure.set(propagation_directory=30)

    refused = await azure.arm("PUT", path(), document(principal, principalType=kind))
    made = await azure.arm("PUT", path(), document(principal))

    assert refused.status_code == 400
    assert refused.json() == {
        "error": {
            "code": "PrincipalNotFound",
            "message": f"Principal {principal.replace('-', '')} does not exist in the directory "
            f"{fixed.TENANT}. Check that you have the correct principal ID. If you are creating "
            "this principal and then immediately assigning a role, this error might be related to "
            "a replication delay. In this case, set the role assignment principalType property to "
            "a value, such as ServicePrincipal, User, or Group.  See "
            "https://aka.ms/docs-principaltype",
        }
    }
    assert made.status_code == 201


async def test_a_principal_that_has_replicated_needs_no_type(azure, principal, clock):
    await azure.set(propagation_directory=30)
    clock.ahead = 31

    made = await azure.arm("PUT", path(), document(principal, principalType=None))

    assert made.status_code == 201
    assert made.json()["properties"]["principalType"] == "ServicePrincipal"


async def test_the_sdks_default_type_does_not_match_an_identity(azure, principal):
    with pytest.raises(HttpResponseError) as refused:
        await azure.authorization().role_assignments.create(
            ACCOUNT,
            NAME,
            RoleAssignmentCreateParameters(
                role_definition_id=f"{ROLES}/{OPENAI_USER}", principal_id=principal
            ),
        )

    assert refused.value.error.code == "UnmatchedPrincipalType"


async def test_a_role_must_exist(azure, principal):
    answer = await azure.arm("PUT", path(), document(principal, role=NAME))

    assert answer.status_code == 400
    assert answer.json() == {
        "error": {
            "code": "RoleDefinitionDoesNotExist",
            "message": "The specified role definition with ID "
            f"'{NAME.replace('-', '')}' does not exist.",
        }
    }


async def test_a_scope_must_exist(azure, principal):
    answer = await azure.arm("PUT", path(scope=f"{ACCOUNT}-2"), document(principal))

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "ResourceNotFound"


async def test_lists_filter_by_scope_and_principal(azure, principal):
    on_account = await azure.assign(principal)
    on_subscription = await azure.assign(principal, role=READER, scope=SUBSCRIPTION)
    group = f"{SUBSCRIPTION}/resourceGroups/openai"
    operations = azure.authorization().role_assignments

    async def names(scope, condition=None):
        return {a.name async for a in operations.list_for_scope(scope, filter=condition)}

    mine = f"principalId eq '{principal}'"
    assert await names(ACCOUNT, f"atScope() and {mine}") == {on_account, on_subscription}
    assert await names(group, f"atScope() and {mine}") == {on_subscription}
    assert await names(group, mine) == {on_account, on_subscription}
    assert await names(group, f"assignedTo('{principal}')") == {on_account, on_subscription}
    assert await names(ACCOUNT) > {on_account, on_subscription}


async def test_the_scope_is_spelled_as_it_was_given(azure, principal):
    scope = ACCOUNT.replace("resourceGroups", "resourcegroups")

    body = (await azure.arm("PUT", path(scope=scope), document(principal))).json()
    found = await azure.arm("GET", path())

    assert body["properties"]["scope"] == scope
    assert body["id"] == path(scope=scope)
    assert found.status_code == 200


async def test_role_definitions_are_found_by_name_and_by_id(azure):
    operations = azure.authorization().role_definitions

    found = [
        r
        async for r in operations.list(
            ACCOUNT, filter="roleName eq 'Cognitive Services OpenAI User'"
        )
    ]
    by_id = await operations.get(SUBSCRIPTION, OPENAI_USER)

    assert [r.name for r in found] == [OPENAI_USER]
    assert by_id.role_name == "Cognitive Services OpenAI User"
    assert "Microsoft.CognitiveServices/accounts/OpenAI/responses/*" in (
        by_id.permissions[0].data_actions
    )


async def test_a_caller_can_ask_what_it_may_do(azure):
    answer = await azure.arm("GET", f"{ACCOUNT}/providers/Microsoft.Authorization/permissions")

    assert [p["actions"] for p in answer.json()["value"]] == [["*"]]


async def test_a_custom_role_can_be_made(azure, principal):
    name = str(uuid.uuid4())
    body = {
        "properties": {
            "roleName": "Chatbot operator",
            "permissions": [{"actions": ["Microsoft.CognitiveServices/accounts/read"]}],
            "assignableScopes": [SUBSCRIPTION],
        }
    }

    assert (await azure.arm("PUT", f"{ROLES}/{name}", body)).status_code == 201
    made = await azure.arm("PUT", path(), document(principal, role=name))

    assert made.status_code == 201
