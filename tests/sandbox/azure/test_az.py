"""The real `az` against the emulator."""

import json
from functools import partial

import azure_cli
import pytest
from sandbox.azure import settings as fixed

ACCOUNT = (
    f"/subscriptions/{fixed.SUBSCRIPTION}/resourceGroups/openai"
    "/providers/Microsoft.CognitiveServices/accounts/contoso"
)
OPENAI_USER = "Cognitive Services OpenAI User"


@pytest.fixture(scope="session")
def environment(the_emulator, authority, tmp_path_factory):
    """Variables under which `az` talks to the emulator, logged in."""
    return azure_cli.logged_in(the_emulator.url, authority.bundle, tmp_path_factory.mktemp("az"))


@pytest.fixture
def az(azure, environment):
    """Runs `az` and reads its answer."""
    return partial(azure_cli.run, environment)


async def test_az_makes_an_identity_that_a_pods_token_is_exchanged_for(az, azure, issuer):
    group = ("-g", "new")
    await az("group", "create", "-n", "new", "-l", "eastus")
    identity = await az("identity", "create", *group, "-n", "support")
    cluster = await az("aks", "show", "-g", fixed.CLUSTER_GROUP, "-n", fixed.CLUSTER)
    await az(
        *("identity", "federated-credential", "create", *group, "--identity-name", "support"),
        *("-n", "cluster", "--issuer", cluster["oidcIssuerProfile"]["issuerUrl"]),
        *("--subject", "system:serviceaccount:team-a:support"),
        *("--audiences", "api://AzureADTokenExchange"),
    )
    made = await az(
        *("role", "assignment", "create", "--role", OPENAI_USER, "--scope", ACCOUNT),
        *("--assignee-object-id", identity["principalId"]),
        *("--assignee-principal-type", "ServicePrincipal"),
    )

    answer = await azure.exchange(identity["clientId"], issuer.token())
    models = await azure.http.get(
        "/contoso/openai/v1/models",
        headers={"authorization": f"Bearer {answer.json()['access_token']}"},
    )

    assert made["principalId"] == identity["principalId"]
    assert models.status_code == 200


async def test_az_makes_an_account_and_a_deployment(az, azure):
    await az(
        *("cognitiveservices", "account", "create", "-g", fixed.ACCOUNT_GROUP, "-n", "second"),
        *("-l", "eastus", "--kind", "OpenAI", "--sku", "S0", "--custom-domain", "second", "--yes"),
    )
    deployment = await az(
        *("cognitiveservices", "account", "deployment", "create", "-g", fixed.ACCOUNT_GROUP),
        *("-n", "second", "--deployment-name", "chat", "--model-name", "gpt-4o"),
        *("--model-version", "2024-08-06", "--model-format", "OpenAI"),
        *("--sku-name", "Standard", "--sku-capacity", "5"),
    )
    account = await az(
        "cognitiveservices", "account", "show", "-g", fixed.ACCOUNT_GROUP, "-n", "second"
    )

    assert deployment["sku"]["capacity"] == 5
    assert account["properties"]["endpoint"] == f"{azure.url}/second/"


async def test_az_finds_a_principal_by_its_client_id_and_lists_its_roles(az, azure):
    identity = await azure.identity()
    await az(
        *("role", "assignment", "create", "--assignee", identity.client_id),
        *("--role", OPENAI_USER, "--scope", ACCOUNT),
    )

    listed = await az("role", "assignment", "list", "--assignee", identity.client_id, "--all")

    assert [(a["principalName"], a["roleDefinitionName"]) for a in listed] == [
        (identity.client_id, OPENAI_USER)
    ]


async def test_az_makes_the_operators_role_and_delegates_under_a_condition(az, azure):
    identity = await azure.identity("operator")
    role = {
        "Name": "Chatbot identities",
        "Description": "Writes the identities of chatbots.",
        "Actions": ["Microsoft.ManagedIdentity/userAssignedIdentities/*"],
        "AssignableScopes": [f"/subscriptions/{fixed.SUBSCRIPTION}"],
    }
    condition = (
        "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR "
        "(@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] "
        "ForAnyOfAnyValues:GuidEquals {5e0bd9bd-7b93-4f28-af87-19fc36ad61bd}))"
    )
    assignee = (
        *("--assignee-object-id", identity.principal_id),
        *("--assignee-principal-type", "ServicePrincipal"),
    )

    await az("role", "definition", "create", "--role-definition", json.dumps(role))
    custom = await az(
        *("role", "assignment", "create", *assignee, "--role", "Chatbot identities"),
        *("--scope", f"/subscriptions/{fixed.SUBSCRIPTION}/resourceGroups/chatbot-identities"),
    )
    delegated = await az(
        *("role", "assignment", "create", *assignee, "--scope", ACCOUNT),
        *("--role", "Role Based Access Control Administrator"),
        *("--condition", condition, "--condition-version", "2.0"),
    )

    assert custom["principalId"] == identity.principal_id
    assert delegated["condition"] == condition


async def test_az_closes_the_network_of_an_account_by_the_generic_command(az):
    changed = await az(
        "resource", "update", "--ids", ACCOUNT, "--set", "properties.publicNetworkAccess=Disabled"
    )

    assert changed["properties"]["publicNetworkAccess"] == "Disabled"


async def test_az_deletes_a_group(az):
    await az("group", "create", "-n", "new", "-l", "eastus")
    await az("group", "delete", "-n", "new", "--yes")

    assert await az("group", "exists", "-n", "new") is False
