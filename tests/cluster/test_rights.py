"""The operator's own rights, as Azure tells them, in the status of an account."""

from __future__ import annotations

from uuid import uuid4

import pytest
from azure_bodies import reads
from chatbot_operator.ports import ACCOUNTS
from chatbot_operator.reconcile import Key
from cluster_world import ACCOUNT_ID, account

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


@pytest.fixture
async def looked_at(operator, hand):
    """Makes an account object; gives its condition RightsFit."""
    made = []

    async def look(account_id=ACCOUNT_ID):
        name = f"a-{uuid4().hex[:8]}"
        await hand.create(account(name, account_id))
        made.append(name)
        await operator.look(Key(ACCOUNTS, "", name))
        return (await hand.conditions_of(ACCOUNTS, "", name))["RightsFit"]

    yield look
    for name in made:
        await hand.delete(ACCOUNTS, "", name)


async def test_what_is_shipped_is_what_it_needs_and_no_more(looked_at):
    found = await looked_at()
    assert (found["status"], found["reason"]) == ("True", "HoldsWhatItNeeds"), found["message"]


async def test_a_role_without_the_condition_is_more_than_it_needs(looked_at, azure, standing):
    where = f"{ACCOUNT_ID}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
    body = reads(standing.principal_id)
    role = body["properties"]["roleDefinitionId"].rpartition("/")[0]
    body["properties"]["roleDefinitionId"] = f"{role}/{OWNER}"
    await azure.done("PUT", where, body)
    found = await looked_at()
    await azure.done("DELETE", where)
    assert (found["status"], found["reason"]) == ("False", "HoldsMore")
    assert "read the account's keys" in found["message"]
    assert "assign any role on the account" in found["message"]


async def test_an_account_on_which_it_has_no_role_says_what_is_missing(looked_at):
    found = await looked_at(ACCOUNT_ID.replace("contoso", "fabrikam"))
    assert (found["status"], found["reason"]) == ("False", "HoldsLess")
    assert "Microsoft.Authorization/roleAssignments/write on the account" in found["message"]
    assert "resource group," not in found["message"]
