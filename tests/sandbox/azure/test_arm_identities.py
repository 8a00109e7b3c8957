"""User-assigned managed identities, through Azure's SDK and plain requests."""

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.msi.v2024_11_30.models import Identity, IdentityUpdate
from sandbox.azure import settings as fixed

GROUP = fixed.IDENTITY_GROUP
PATH = (
    f"/subscriptions/{fixed.SUBSCRIPTION}/resourceGroups/{GROUP}"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
)


async def test_a_new_identity_is_201_with_a_location_header_and_a_second_put_is_200(azure):
    first = await azure.arm("PUT", f"{PATH}/support", {"location": "eastus"})
    second = await azure.arm("PUT", f"{PATH}/support", {"location": "eastus", "tags": {"a": "b"}})

    assert first.status_code == 201
    assert first.headers["location"] == f"{PATH}/support"
    assert second.status_code == 200
    assert second.json()["properties"] == first.json()["properties"]
    assert second.json()["tags"] == {"a": "b"}


async def test_the_body_is_the_recorded_one_with_resourcegroups_in_lower_case(azure):
    body = (await azure.arm("PUT", f"{PATH}/support", {"location": "East US"})).json()

    assert body["id"] == (
        f"/subscriptions/{fixed.SUBSCRIPTION}/resourcegroups/{GROUP}"
        "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/support"
    )
    assert body["name"] == "support"
    assert body["type"] == "Microsoft.ManagedIdentity/userAssignedIdentities"
    assert body["location"] == "eastus"
    assert body["tags"] == {}
    assert set(body["properties"]) == {"tenantId", "principalId", "clientId"}
    assert body["properties"]["tenantId"] == fixed.TENANT


async def test_paths_are_compared_without_case(azure):
    await azure.identity("Support")

    answer = await azure.arm(
        "GET", PATH.upper().replace("SUBSCRIPTIONS", "Subscriptions") + "/SUPPORT"
    )

    assert answer.status_code == 200
    assert answer.json()["name"] == "Support"


async def test_a_recreated_identity_is_somebody_else(azure):
    first = await azure.identity()
    await azure.msi().user_assigned_identities.delete(GROUP, "support")
    second = await azure.identity()

    assert first.principal_id != second.principal_id
    assert first.client_id != second.client_id


async def test_deleting_is_200_with_no_content_and_204_when_there_is_nothing(azure):
    await azure.identity()

    first = await azure.arm("DELETE", f"{PATH}/support")
    second = await azure.arm("DELETE", f"{PATH}/support")

    assert (first.status_code, first.content) == (200, b"")
    assert first.headers["content-length"] == "0"
    assert second.status_code == 204


async def test_an_absent_identity_is_not_found_in_azures_words(azure):
    with pytest.raises(ResourceNotFoundError) as refused:
        await azure.msi().user_assigned_identities.get(GROUP, "nobody")

    assert refused.value.error.code == "ResourceNotFound"
    assert refused.value.error.message == (
        "The Resource 'Microsoft.ManagedIdentity/userAssignedIdentities/nobody' under resource "
        f"group '{GROUP}' was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix"
    )


async def test_an_absent_resource_group_is_not_found_in_azures_words(azure):
    with pytest.raises(ResourceNotFoundError) as refused:
        await azure.identity(group="nowhere")

    assert refused.value.error.code == "ResourceGroupNotFound"
    assert refused.value.error.message == "Resource group 'nowhere' could not be found."


async def test_patch_changes_tags_only(azure):
    made = await azure.identity()

    changed = await azure.msi().user_assigned_identities.update(
        GROUP, "support", IdentityUpdate(tags={"owner": "me"})
    )

    assert changed.tags == {"owner": "me"}
    assert changed.client_id == made.client_id


async def test_lists_are_by_group_and_by_subscription(azure):
    operations = azure.msi().user_assigned_identities
    await azure.identity("one")
    await azure.identity("two", group=fixed.ACCOUNT_GROUP)

    of_group = [i.name async for i in operations.list_by_resource_group(GROUP)]
    of_all = [i.name async for i in operations.list_by_subscription()]

    assert of_group == ["one"]
    assert sorted(of_all) == ["one", "two"]


async def test_a_group_lists_what_is_in_it_of_every_kind(azure, issuer):
    await azure.identity("one")
    group = f"/subscriptions/{fixed.SUBSCRIPTION}/resourceGroups"

    here = await azure.arm("GET", f"{group}/{GROUP}/resources")
    there = await azure.arm("GET", f"{group}/{fixed.ACCOUNT_GROUP}/resources")
    nowhere = await azure.arm("GET", f"{group}/nowhere/resources")

    (identity,) = here.json()["value"]
    assert identity["id"].endswith("/userAssignedIdentities/one")
    assert identity["type"] == "Microsoft.ManagedIdentity/userAssignedIdentities"
    assert [each["name"] for each in there.json()["value"]] == [fixed.ACCOUNT]
    assert nowhere.json()["error"]["code"] == "ResourceGroupNotFound"


async def test_what_is_in_a_group_takes_a_right_to_read(azure, issuer, token_file):
    identity = await azure.identity("operator")
    await azure.federate("operator", issuer.url)
    stranger = azure.workload(identity.client_id, token_file())
    group = f"/subscriptions/{fixed.SUBSCRIPTION}/resourceGroups/{GROUP}"
    token = (await stranger.get_token(f"{fixed.ARM_AUDIENCE}/.default")).token

    refused = await azure.arm("GET", f"{group}/resources", token=token)

    assert refused.status_code == 403
    assert "Microsoft.Resources/subscriptions/resourceGroups/resources/read" in refused.text


async def test_an_identity_does_not_move(azure):
    await azure.identity()

    answer = await azure.arm("PUT", f"{PATH}/support", {"location": "westus"})

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "InvalidResourceLocation"


@pytest.mark.parametrize("name", ["ab", "-abc", "a" * 129, "a.b.c"])
async def test_names_azure_would_not_have_are_refused(azure, name):
    assert (await azure.arm("PUT", f"{PATH}/{name}", {"location": "eastus"})).status_code == 400


async def test_the_isolation_scope_is_kept(azure):
    made = await azure.msi().user_assigned_identities.create_or_update(
        GROUP, "support", Identity(location="eastus", isolation_scope="Regional")
    )

    assert made.isolation_scope == "Regional"


async def test_deleting_an_identity_leaves_its_role_assignments_behind(azure):
    identity = await azure.identity()
    name = await azure.assign(identity.principal_id)

    await azure.msi().user_assigned_identities.delete(GROUP, "support")

    assert name in [a["name"] for a in (await azure.state())["assignments"]]


async def test_deleting_a_group_deletes_what_is_in_it(azure):
    await azure.identity()
    group = f"/subscriptions/{fixed.SUBSCRIPTION}/resourceGroups/{GROUP}"

    accepted = await azure.arm("DELETE", group)
    done = await azure.arm("GET", accepted.headers["location"].removeprefix(azure.url))

    assert accepted.status_code == 202
    assert done.status_code == 200
    assert (await azure.state())["identities"] == []
    assert (await azure.arm("HEAD", group)).status_code == 404


async def test_tags_are_merged_at_the_scope_of_the_identity(azure):
    await azure.arm("PUT", f"{PATH}/support", {"location": "eastus", "tags": {"a": "b", "C": "d"}})
    more = {"operation": "Merge", "properties": {"tags": {"c": "e"}}}
    tags = f"{PATH}/support/providers/Microsoft.Resources/tags/default"
    answer = await azure.arm("PATCH", tags, more)
    assert answer.status_code == 200
    assert (await azure.arm("GET", f"{PATH}/support")).json()["tags"] == {"a": "b", "c": "e"}
    assert (await azure.arm("PATCH", tags, {**more, "operation": "?"})).status_code == 400
