"""Permission taken back on the real API server and the emulator."""

from __future__ import annotations

import asyncio
import copy
import uuid

from chatbot_operator import naming
from chatbot_operator.errors import Denied
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, DEPLOYMENTS, SERVICE_ACCOUNTS
from cluster_world import ACCOUNT_ID, ASSIGNMENTS, chatbot, key

ALL = {"spec": {"allowedNamespaces": {"all": True}}}
NONE = {"spec": {"allowedNamespaces": None}}


async def take_back(operator, hand, clock, namespace):
    """Withdraw permission, and let the grace pass."""
    await hand.edit(ACCOUNTS, "", NONE, namespace)
    again = await operator.look(key(namespace))
    assert isinstance(again.fault, Denied)
    clock.ahead += again.seconds + 1
    return await operator.look(key(namespace))


async def test_pods_and_role_go_and_come_back_with_a_new_permission(
    *, operator, hand, azure, clock, working
):
    identity = await azure.identity(working)
    await take_back(operator, hand, clock, working)
    assert await azure.assignments(identity["principal_id"]) == []
    kept = await azure.identity(working)
    assert kept["client_id"] == identity["client_id"]
    assert len(kept["credentials"]) == 1
    assert (await hand.get(DEPLOYMENTS, working))["spec"]["replicas"] == 0
    conditions = await hand.conditions(working)
    assert conditions["RoleAssigned"]["reason"] == "Withdrawn"
    assert conditions["Ready"]["reason"] == "NamespaceNotAllowed"
    await hand.edit(ACCOUNTS, "", ALL, working)
    await operator.settle(key(working))
    assert (await hand.conditions(working))["Ready"]["status"] == "True"
    assert (await hand.get(DEPLOYMENTS, working))["spec"]["replicas"] == 1
    assert len(await azure.assignments(identity["principal_id"])) == 1


async def test_withdrawn_it_rests(*, operator, hand, azure, audit, clock, working):
    await take_back(operator, hand, clock, working)
    await asyncio.sleep(0.2)
    ledger, log = await azure.mark(), audit.mark()
    for _ in range(3):
        await operator.look(key(working))
    await asyncio.sleep(0.2)  # the audit log lags behind
    assert not await azure.writes(ledger)
    assert not audit.writes(log, working)


async def test_within_the_grace_it_goes_on(*, operator, hand, azure, clock, working):
    mark = await azure.mark()
    await hand.edit(ACCOUNTS, "", NONE, working)
    again = await operator.look(key(working))
    assert 290 < again.seconds <= 300
    clock.ahead += 200
    await hand.delete(SERVICE_ACCOUNTS, working)
    again = await operator.look(key(working))
    assert 90 < again.seconds <= 100
    assert await hand.get(SERVICE_ACCOUNTS, working) is None, "nothing new is given"
    assert not await azure.writes(mark)
    assert (await hand.get(DEPLOYMENTS, working))["spec"]["replicas"] == 1


async def test_an_account_object_that_is_deleted_withdraws(
    *, operator, hand, azure, clock, working
):
    await hand.delete(ACCOUNTS, "", working)
    again = await operator.look(key(working))
    assert again.fault.reason == "AccountNotFound"
    clock.ahead += again.seconds + 1
    await operator.look(key(working))
    assert await azure.described(working) == []
    assert (await hand.get(DEPLOYMENTS, working))["spec"]["replicas"] == 0


async def test_a_deployment_taken_off_the_list_withdraws(*, operator, hand, azure, clock, working):
    await hand.edit(ACCOUNTS, "", {"spec": {"deployments": ["gpt-4o-mini"]}}, working)
    again = await operator.look(key(working))
    assert again.fault.reason == "DeploymentNotAllowed"
    clock.ahead += again.seconds + 1
    await operator.look(key(working))
    assert await azure.described(working) == []


async def test_a_suspended_chatbot_is_withdrawn(*, operator, hand, azure, clock, working):
    await hand.edit(CHATBOTS, working, {"spec": {"suspend": True}})
    await operator.look(key(working))
    await take_back(operator, hand, clock, working)
    assert await azure.described(working) == []
    assert (await hand.get(DEPLOYMENTS, working))["spec"]["replicas"] == 0
    assert (await hand.conditions(working))["Ready"]["reason"] == "Suspended"


async def test_what_somebody_else_assigned_remains_and_is_named(
    *, operator, hand, azure, clock, working
):
    identity = await azure.identity(working)
    (ours,) = await azure.described(working)
    group = ACCOUNT_ID.partition("/providers")[0]
    name = str(uuid.uuid4())
    where = f"{group}/providers/Microsoft.Authorization/roleAssignments/{name}"
    properties = {
        "roleDefinitionId": naming.role_definition_id(ACCOUNT_ID),
        "principalId": identity["principal_id"],
        "principalType": "ServicePrincipal",
    }
    await azure.done("PUT", where, {"properties": properties})
    await take_back(operator, hand, clock, working)
    (left,) = await azure.assignments(identity["principal_id"])
    assert left["name"] == name
    assert (await azure.arm("GET", f"{ASSIGNMENTS}/{ours['name']}")).status_code == 404
    condition = (await hand.conditions(working))["RoleAssigned"]
    assert condition["reason"] == "AccessRemains"
    assert name in condition["message"]
    await azure.done("DELETE", where)


async def test_many_at_once_are_held_until_confirmed(*, operator, hand, azure, clock, working):
    live = await hand.get(CHATBOTS, working)
    for number in range(6):
        name = f"more{number}"
        made = await hand.create(chatbot(working, name, account=working))
        status = copy.deepcopy(live["status"])
        where = f"/apis/chatbot-operator.dev/v1alpha1/namespaces/{working}/azureopenaichatbots"
        await hand.api.patch(f"{where}/{name}/status", {"status": status})
        assert made["metadata"]["uid"]
    await hand.edit(ACCOUNTS, "", NONE, working)
    names = [f"more{number}" for number in range(6)]
    for name in ["support", *names]:
        await operator.look(key(working, name))
        await operator.look(key(working, name))  # the first look of one may be for its finalizer
    clock.ahead += 301
    await operator.look(key(working))
    conditions = await hand.conditions(working)
    assert conditions["Permitted"]["reason"] == "MassRevocationHeld"
    assert "7 of the 7" in conditions["Permitted"]["message"]
    assert len(await azure.described(working)) == 1
    confirm = {"metadata": {"annotations": {"chatbot-operator.dev/confirm-withdrawal": "true"}}}
    await hand.edit(CHATBOTS, working, confirm)
    await operator.look(key(working))
    assert await azure.described(working) == []
    assert (await hand.conditions(working))["RoleAssigned"]["reason"] == "Withdrawn"
