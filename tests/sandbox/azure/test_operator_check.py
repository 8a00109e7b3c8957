"""`chatbot-operator --check`, as `helm test` runs it: does the operator get into Azure?"""

import asyncio
import os
import sys

import pytest
from sandbox.azure import settings as fixed
from sandbox.azure.world import SUBSCRIPTION_ID

GROUP = f"{SUBSCRIPTION_ID}/resourceGroups/{fixed.IDENTITY_GROUP}"
IDENTITY_CONTRIBUTOR = "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


@pytest.fixture
async def check(azure, issuer, token_file):
    """Runs it as a federated identity; its exit code, and what it says."""
    identity = await azure.identity()
    await azure.federate("support", issuer.url)

    async def run(role="", group=GROUP, **more):
        if role:
            await azure.assign(identity.principal_id, role, GROUP)
        own = {
            "PATH": os.environ["PATH"],
            "SSL_CERT_FILE": str(azure.ca),
            "CHATBOT_IMAGE": "chatbot",
            "ARM_ENDPOINT": azure.url,
            "AZURE_AUTHORITY_HOST": azure.url,
            "AZURE_TENANT_ID": fixed.TENANT,
            "AZURE_CLIENT_ID": identity.client_id,
            "AZURE_FEDERATED_TOKEN_FILE": str(token_file()),
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "chatbot_operator", "--check", group),
            env=own | more,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, error = await process.communicate()
        said = (output + error).decode()
        assert "eyJ" not in said  # how every token begins
        return process.returncode, said

    return run


async def test_an_operator_that_may_do_what_it_has_to_passes(azure, check):
    code, said = await check(IDENTITY_CONTRIBUTOR)
    assert (code, said) == (
        0,
        f"The operator signs in to Azure, and holds what it needs on {GROUP}.\n",
    )
    asked = [each for each in await azure.ledger() if each["principal"] != fixed.OWNER_OBJECT_ID]
    assert {each["method"] for each in asked if each["plane"] == "arm"} == {"GET"}, "it only reads"


async def test_what_it_lacks_is_named(check):
    code, said = await check(READER)
    assert code == 1
    assert "lacks Microsoft.ManagedIdentity/userAssignedIdentities/write on the identities'" in said


async def test_an_operator_that_only_looks_needs_to_read(check):
    assert (await check(READER, AZURE_MANAGE="Nothing"))[0] == 0


async def test_an_identity_that_does_not_trust_the_cluster_is_told(azure, check):
    other = await azure.identity("other")
    code, said = await check(AZURE_CLIENT_ID=other.client_id)
    assert code == 1
    assert "Entra refuses the operator's own token. " in said
    assert "AADSTS70025" in said


async def test_without_settings_it_says_which(check):
    code, said = await check(AZURE_CLIENT_ID="")
    assert (code, "AZURE_CLIENT_ID is missing" in said) == (2, True)


async def test_what_is_no_resource_group_is_refused(check):
    code, said = await check(group=fixed.IDENTITY_GROUP)
    assert code == 2
    assert "not /subscriptions/ID/resourceGroups/NAME: 'chatbot-identities'" in said
