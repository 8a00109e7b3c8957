"""The real `az`, logged in to the emulator as its owner.

It is looked for at $AZ, then where `make az` puts it.
"""

import asyncio
import json
import os
import subprocess
from pathlib import Path

import pytest
from sandbox.azure import settings as fixed

HOME = Path.home() / ".cache" / "chatbot-sandbox" / "az-2.91.0" / "bin" / "az"
ACCOUNT = (
    f"/subscriptions/{fixed.SUBSCRIPTION}/resourceGroups/openai"
    "/providers/Microsoft.CognitiveServices/accounts/contoso"
)
OPENAI_USER = "Cognitive Services OpenAI User"


@pytest.fixture(scope="session")
def environment(the_emulator, authority, tmp_path_factory):
    """Variables under which `az` talks to the emulator, logged in."""
    program = Path(os.environ.get("AZ", HOME))
    if not program.exists():
        pytest.skip(f"there is no az at $AZ or {HOME}")
    variables = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path_factory.mktemp("home")),
        "AZURE_CONFIG_DIR": str(tmp_path_factory.mktemp("az")),
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "REQUESTS_CA_BUNDLE": str(authority.bundle),
    }
    for arguments in (
        ("cloud", "register", "-n", "sandbox", "--endpoint-resource-manager", the_emulator.url),
        ("cloud", "set", "-n", "sandbox"),
        (
            *("login", "--service-principal", "-u", fixed.OWNER_CLIENT_ID),
            *("-p", fixed.OWNER_SECRET, "-t", fixed.TENANT),
        ),
    ):
        subprocess.run(["az", *arguments], env=variables, check=True, capture_output=True)
    return variables


@pytest.fixture
def az(azure, environment):
    """Runs `az` and reads its answer."""

    async def run(*arguments):
        process = await asyncio.create_subprocess_exec(
            "az",
            *arguments,
            *("-o", "json", "--only-show-errors"),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        return json.loads(output) if output.strip() else None

    return run


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
