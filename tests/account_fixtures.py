"""Accounts of a test's own: in the cluster, in Azure, and the right to read them."""

from __future__ import annotations

from uuid import uuid4

import pytest
from azure_bodies import reads
from chatbot_operator.ports import ACCOUNTS
from chatbot_operator.reconcile import Key
from cluster_world import ACCOUNT_ID, SUBSCRIPTION_ID, account
from sandbox.azure import settings as fixed


@pytest.fixture
async def offer(operator, hand):
    """Makes an AzureOpenAIAccount of the test's own, looked at once."""
    made = []

    async def make(account_id=ACCOUNT_ID, **spec):
        name = f"a-{uuid4().hex[:8]}"
        await hand.create(account(name, account_id, **spec))
        made.append(name)
        await operator.look(Key(ACCOUNTS, "", name))
        return name

    yield make
    for name in made:
        await hand.delete(ACCOUNTS, "", name)


@pytest.fixture
async def azure_account(azure):
    """Makes an Azure OpenAI account of the test's own; gives its id."""
    made = []

    async def make(*, kind="OpenAI", subdomain=True):
        name = f"other{uuid4().hex[:8]}"
        at = (
            f"{SUBSCRIPTION_ID}/resourceGroups/{fixed.ACCOUNT_GROUP}"
            f"/providers/Microsoft.CognitiveServices/accounts/{name}"
        )
        properties = {"customSubDomainName": name} if subdomain else {}
        body = {"kind": kind, "location": fixed.LOCATION, "sku": {"name": "S0"}}
        await azure.done("PUT", at, {**body, "properties": properties})
        made.append(at)
        return at

    yield make
    for at in made:
        await azure.done("DELETE", at)


@pytest.fixture
async def reader(azure, standing):
    """Lets the operator read every account of the group, as Reader there does."""
    group = ACCOUNT_ID.partition("/providers")[0]
    where = f"{group}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
    await azure.done("PUT", where, reads(standing.principal_id))
    yield
    await azure.done("DELETE", where)
