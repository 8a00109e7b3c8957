"""Azure OpenAI accounts, their deployments, resource groups and the cluster."""

from dataclasses import replace

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.cognitiveservices.models import (
    Account,
    AccountProperties,
    Deployment,
    DeploymentModel,
    DeploymentProperties,
    Sku,
)
from sandbox.azure import settings as fixed

GROUP = fixed.ACCOUNT_GROUP
SUBSCRIPTION = f"/subscriptions/{fixed.SUBSCRIPTION}"
ACCOUNT = (
    f"{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.CognitiveServices/accounts/contoso"
)


def wanted(name="gpt-4o", capacity=7):
    return Deployment(
        sku=Sku(name="Standard", capacity=capacity),
        properties=DeploymentProperties(
            model=DeploymentModel(format="OpenAI", name=name, version="2024-08-06")
        ),
    )


async def test_the_seeded_account_answers_at_its_subdomain_and_takes_no_keys(azure):
    account = await azure.cognitive().accounts.get(GROUP, "contoso")

    assert account.kind == "OpenAI"
    assert account.properties.custom_sub_domain_name == "contoso"
    assert account.properties.endpoint == f"{azure.url}/contoso/"
    assert account.properties.endpoints["OpenAI Language Model Instance API"] == (
        f"{azure.url}/contoso/"
    )
    assert account.properties.disable_local_auth is True
    assert account.properties.provisioning_state == "Succeeded"
    assert account.properties.network_acls.default_action == "Allow"


async def test_ids_of_this_provider_spell_resource_groups_in_camel_case(azure):
    body = (await azure.arm("GET", ACCOUNT.lower())).json()

    assert body["id"] == ACCOUNT


async def test_an_account_is_created_by_a_long_running_operation(azure):
    made = await azure.arm(
        "PUT",
        f"{ACCOUNT}-2",
        {"location": "eastus", "kind": "AIServices", "properties": {"customSubDomainName": "two"}},
    )
    operation = await azure.arm(
        "GET", made.headers["azure-asyncoperation"].removeprefix(azure.url).partition("?")[0]
    )

    assert made.status_code == 201
    assert made.json()["properties"]["provisioningState"] == "Accepted"
    assert "/locations/eastus/operationResults/" in made.headers["azure-asyncoperation"]
    assert operation.json()["status"] == "Succeeded"
    assert (await azure.arm("GET", f"{ACCOUNT}-2")).json()["properties"][
        "provisioningState"
    ] == "Succeeded"


async def test_an_account_without_a_subdomain_has_the_regional_endpoint(azure):
    poller = await azure.cognitive().accounts.begin_create(
        GROUP,
        "plain",
        Account(
            location="eastus", kind="OpenAI", sku=Sku(name="S0"), properties=AccountProperties()
        ),
    )
    account = await poller.result()

    assert account.properties.endpoint == "https://eastus.api.cognitive.microsoft.com/"
    assert account.properties.custom_sub_domain_name is None
    assert account.properties.disable_local_auth is False


async def test_accounts_are_listed_by_group_and_by_subscription(azure):
    operations = azure.cognitive().accounts

    assert [a.name async for a in operations.list_by_resource_group(GROUP)] == ["contoso"]
    assert [a.name async for a in operations.list()] == ["contoso"]


async def test_deleting_an_account_takes_its_role_assignments_with_it(azure):
    identity = await azure.identity()
    name = await azure.assign(identity.principal_id)

    assert (await azure.arm("DELETE", ACCOUNT)).status_code == 200
    assert (await azure.arm("DELETE", ACCOUNT)).status_code == 204
    assert name not in [a["name"] for a in (await azure.state())["assignments"]]


async def test_the_seeded_deployments_can_chat(azure):
    found = {d.name: d async for d in azure.cognitive().deployments.list(GROUP, "contoso")}

    assert set(found) == {"gpt-4o", "gpt-4o-mini"}
    assert found["gpt-4o"].properties.model.name == "gpt-4o"
    assert found["gpt-4o"].properties.capabilities["chatCompletion"] == "true"


async def test_a_capacity_of_one_is_a_thousand_tokens_per_minute(azure):
    poller = await azure.cognitive().deployments.begin_create_or_update(
        GROUP, "contoso", "chat", wanted(capacity=7)
    )
    made = await poller.result()

    assert made.properties.current_capacity == 7
    assert {limit.key: limit.count for limit in made.properties.rate_limits}["token"] == 7000


async def test_a_capacity_may_arrive_as_a_string(azure):
    body = {"sku": {"name": "Standard", "capacity": "3"}, "properties": {"model": {"name": "m"}}}

    made = await azure.arm("PUT", f"{ACCOUNT}/deployments/chat", body)

    assert made.status_code == 201
    assert made.json()["sku"]["capacity"] == 3
    assert (await azure.arm("PUT", f"{ACCOUNT}/deployments/chat", body)).status_code == 200


async def test_an_absent_deployment_is_not_found(azure):
    with pytest.raises(ResourceNotFoundError) as refused:
        await azure.cognitive().deployments.get(GROUP, "contoso", "nothing")

    assert refused.value.error.code == "ResourceNotFound"


async def test_a_deployment_is_deleted_once(azure):
    path = f"{ACCOUNT}/deployments/gpt-4o"

    assert (await azure.arm("DELETE", path)).status_code == 200
    assert (await azure.arm("DELETE", path)).status_code == 204


async def test_a_busy_account_takes_no_deployment(azure):
    answer = await azure.http.patch(
        "/_emulator/accounts/contoso", json={"provisioningState": "Creating"}
    )
    assert answer.status_code == 200

    with pytest.raises(ResourceExistsError) as refused:
        await azure.cognitive().deployments.begin_create_or_update(
            GROUP, "contoso", "chat", wanted()
        )

    assert refused.value.error.code == "AccountIsNotSucceeded"
    account = await azure.cognitive().accounts.get(GROUP, "contoso")
    assert account.properties.provisioning_state == "Creating"


async def test_a_kind_that_is_not_openai_is_refused(azure):
    body = {"location": "eastus", "kind": "Face"}

    with pytest.raises(HttpResponseError):
        await azure.cognitive().accounts.begin_create(GROUP, "face", body)


async def test_the_cluster_names_its_issuer(azure, issuer):
    path = (
        f"{SUBSCRIPTION}/resourceGroups/{fixed.CLUSTER_GROUP}/providers"
        f"/Microsoft.ContainerService/managedClusters/{fixed.CLUSTER}"
    )

    found = (await azure.arm("GET", path)).json()

    assert found["properties"]["oidcIssuerProfile"] == {"enabled": True, "issuerURL": issuer.url}
    assert (await azure.arm("GET", f"{path}-2")).status_code == 404


async def test_a_resource_group_is_made_once_and_stays_where_it_is(azure):
    path = f"{SUBSCRIPTION}/resourceGroups/new"

    assert (await azure.arm("HEAD", path)).status_code == 404
    assert (await azure.arm("PUT", path, {"location": "eastus"})).status_code == 201
    assert (await azure.arm("PUT", path, {"location": "eastus"})).status_code == 200
    assert (await azure.arm("PUT", path, {"location": "westus"})).status_code == 409
    assert (await azure.arm("HEAD", path)).status_code == 204
    names = [g["name"] for g in (await azure.arm("GET", path.rsplit("/", 1)[0])).json()["value"]]
    assert "new" in names


async def test_providers_are_registered(azure):
    answer = await azure.arm("POST", f"{SUBSCRIPTION}/providers/Microsoft.ManagedIdentity/register")

    assert answer.json()["registrationState"] == "Registered"


async def test_a_deleted_account_can_be_looked_at_until_it_is_purged(azure):
    body = {"location": "eastus", "kind": "OpenAI", "properties": {}}
    await azure.arm("PUT", f"{ACCOUNT}-gone", body)
    deleted = azure.cognitive().deleted_accounts
    with pytest.raises(ResourceNotFoundError):
        await deleted.get("eastus", GROUP, "contoso-gone")

    await azure.arm("DELETE", f"{ACCOUNT}-gone")
    found = await deleted.get("eastus", GROUP, "contoso-gone")
    assert (found.name, found.location) == ("contoso-gone", "eastus")
    with pytest.raises(ResourceNotFoundError):
        await deleted.get("westus", GROUP, "contoso-gone")

    await (await deleted.begin_purge("eastus", GROUP, "contoso-gone")).result()
    with pytest.raises(ResourceNotFoundError):
        await deleted.get("eastus", GROUP, "contoso-gone")


async def test_the_models_of_an_account_say_when_they_end(azure, the_emulator):
    the_emulator.world.store.retirements["gpt-4o", "2024-08-06"] = "2026-10-01T00:00:00Z"
    models = [m async for m in azure.cognitive().accounts.list_models(GROUP, "contoso")]
    ends = {m.name: m.deprecation and m.deprecation.inference for m in models}
    assert ends == {"gpt-4o": "2026-10-01T00:00:00Z", "gpt-4o-mini": None}


async def test_private_endpoint_connections_are_shown_with_their_state(azure, the_emulator):
    store = the_emulator.world.store.accounts
    store[ACCOUNT.lower()] = replace(
        store[ACCOUNT.lower()], private_endpoints=(("hub", "Pending"),)
    )
    account = await azure.cognitive().accounts.get(GROUP, "contoso")
    (connection,) = account.properties.private_endpoint_connections
    assert connection.name == "hub"
    assert connection.properties.private_link_service_connection_state.status == "Pending"
