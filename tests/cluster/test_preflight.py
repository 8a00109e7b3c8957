"""What the status of an AzureOpenAIAccount tells of the account in Azure."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import uuid4

import pytest
from azure_bodies import deploy, reads
from chatbot_operator.ports import ACCOUNTS
from chatbot_operator.reconcile import Key
from cluster_world import SUBSCRIPTION_ID


async def test_the_status_of_an_account_tells_what_was_found(
    *, operator, hand, azure, emulator, offer, azure_account, reader
):
    at = await azure_account()
    properties = {
        "disableLocalAuth": False,
        "networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "10.0.0.0/8"}]},
    }
    await azure.done("PATCH", at, {"properties": properties})
    store = emulator.world.store
    account = store.accounts[at.lower()]
    store.accounts[at.lower()] = replace(account, private_endpoints=(("hub", "Pending"),))
    store.retirements["gpt-4o", "2024-08-06"] = "2020-01-01T00:00:00Z"
    await deploy(azure, at)
    name = await offer(at, deployments=["gpt-4o", "gpt-5"])
    store.retirements.clear()
    status = (await hand.get(ACCOUNTS, "", name))["status"]
    others = "OrphanedIdentity"  # what other tests left behind
    found = [f for f in status["findings"] if f["type"] != others]
    assert [(f["severity"], f["type"]) for f in found] == [
        ("Error", "ModelRetired"),
        ("Warning", "DeploymentMissing"),
        ("Warning", "KeyAccess"),
        ("Warning", "NetworkRestricted"),
        ("Warning", "PrivateEndpointNotApproved"),
    ]
    (deployment,) = status["deployments"]
    assert deployment == {
        "name": "gpt-4o",
        "model": "gpt-4o",
        "version": "2024-08-06",
        "capacity": 1,
        "state": "Succeeded",
        "chat": True,
        "retires": "2020-01-01",
    }
    conditions = await hand.conditions_of(ACCOUNTS, "", name)
    assert conditions["Usable"]["status"] == "True"
    assert conditions["Reachable"]["reason"] == "NetworkRestricted"


async def test_a_model_that_azure_soon_ends_is_told_before(
    *, operator, hand, azure, emulator, offer, azure_account, reader, clock
):
    at = await azure_account()
    soon = clock() + dt.timedelta(days=30)
    retirements = emulator.world.store.retirements
    retirements["gpt-4o", "2024-08-06"] = soon.strftime("%Y-%m-%dT00:00:00Z")
    await deploy(azure, at)
    name = await offer(at)
    retirements.clear()
    findings = (await hand.get(ACCOUNTS, "", name))["status"]["findings"]
    (found,) = (each for each in findings if each["type"] == "ModelRetiring")
    assert found["severity"] == "Warning"
    assert f"{soon:%Y-%m-%d}" in found["message"]


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_a_role_or_a_cloud_without_the_models_leaves_their_end_out(
    *, operator, hand, azure, offer, status
):
    refusal = {"action": "respond", "path": "/models$", "status": status, "code": "No"}
    await azure.fault(method="GET", **refusal)
    name = await offer()
    live = await hand.get(ACCOUNTS, "", name)
    assert (await hand.conditions_of(ACCOUNTS, "", name))["Usable"]["status"] == "True"
    assert all("retires" not in each for each in live["status"]["deployments"])


@pytest.mark.parametrize("everywhere", [True, False], ids=["may look", "may not look"])
async def test_an_account_that_was_deleted_softly(
    *, operator, hand, azure, offer, azure_account, reader, standing, clock, everywhere
):
    at = await azure_account()
    name = await offer(at)
    await azure.done("DELETE", at)
    where = f"{SUBSCRIPTION_ID}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
    if everywhere:
        await azure.done("PUT", where, reads(standing.principal_id))
    clock.ahead = 60
    await operator.look(Key(ACCOUNTS, "", name))
    usable = (await hand.conditions_of(ACCOUNTS, "", name))["Usable"]
    if everywhere:
        await azure.done("DELETE", where)
    assert usable["reason"] == ("AccountSoftDeleted" if everywhere else "AccountNotFound")
    assert ("az cognitiveservices account recover" in usable["message"]) is everywhere
