"""A tenant who takes finalizers off, suspends, deletes and makes anew, to keep access."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from chatbot_operator.ports import ACCOUNTS, CHATBOTS
from chatbot_operator.reconcile import Key
from cheating import take_back
from cluster_world import ASSIGNMENTS, CHILDREN, Operator, chatbot, key
from sandbox.cluster.api import ApiError


async def test_a_finalizer_taken_off_by_hand_leaves_nothing_behind(
    *, operator, hand, azure, mallory
):
    await operator.look(key(mallory))
    await hand.delete(CHATBOTS, mallory)
    await hand.edit(CHATBOTS, mallory, {"metadata": {"finalizers": None}})
    assert await hand.get(CHATBOTS, mallory) is None
    await operator.look(key(mallory))
    assert await azure.identities(mallory) == []
    assert await azure.described(mallory) == []


async def test_a_chatbot_put_in_place_of_one_that_lost_its_finalizer_begins_anew(
    *, operator, hand, azure, mallory
):
    first = await azure.identity(mallory)
    await operator.look(key(mallory))
    await hand.delete(CHATBOTS, mallory)
    await hand.edit(CHATBOTS, mallory, {"metadata": {"finalizers": None}})
    for resource in CHILDREN:  # as the cluster's garbage collector does, which may be there first
        with suppress(ApiError):
            await hand.delete(resource, mallory)
    await hand.create(chatbot(mallory, account=mallory))
    await operator.settle(key(mallory))
    assert (await azure.identity(mallory))["principal_id"] != first["principal_id"]
    assert await azure.assignments(first["principal_id"]) == []


async def test_a_finalizer_taken_off_while_no_operator_runs_is_told_to_the_accounts_owners(
    *, operator, hand, azure, mallory
):
    identity = await azure.identity(mallory)
    await hand.delete(CHATBOTS, mallory)
    await hand.edit(CHATBOTS, mallory, {"metadata": {"finalizers": None}})
    restarted = Operator(operator.world, hand)
    await restarted.look(Key(ACCOUNTS, "", mallory))
    found = (await hand.get(ACCOUNTS, "", mallory))["status"]["findings"]
    (told,) = [f for f in found if identity["name"] in f["message"]]
    assert (told["type"], told["severity"]) == ("OrphanedIdentity", "Warning")
    assert "az identity delete" in told["message"]
    (ours,) = await azure.described(mallory)
    await azure.done("DELETE", f"{ASSIGNMENTS}/{ours['name']}")
    await azure.done("DELETE", identity["id"])
    await Operator(operator.world, hand).look(Key(ACCOUNTS, "", mallory))
    found = (await hand.get(ACCOUNTS, "", mallory))["status"]["findings"]
    assert not [f for f in found if identity["name"] in f["message"]]


async def test_an_operator_of_other_namespaces_says_nothing_of_identities_that_are_not_its_own(
    *, operator, hand, azure, mallory
):
    identity = await azure.identity(mallory)
    await hand.delete(CHATBOTS, mallory)
    await hand.edit(CHATBOTS, mallory, {"metadata": {"finalizers": None}})
    installation = replace(operator.world.installation, watched=("elsewhere",))
    narrow = Operator(replace(operator.world, installation=installation), hand)
    await narrow.look(Key(ACCOUNTS, "", mallory))
    found = (await hand.get(ACCOUNTS, "", mallory))["status"].get("findings", [])
    assert [f for f in found if identity["name"] in f["message"]] == []


async def test_access_cannot_be_left_in_azure_where_it_can_be_taken(
    *, operator, hand, azure, mallory
):
    leave = {"metadata": {"annotations": {"chatbot-operator.dev/leave-azure": "true"}}}
    await hand.edit(CHATBOTS, mallory, leave)
    await hand.delete(CHATBOTS, mallory)
    await operator.settle(key(mallory))
    assert await azure.identities(mallory) == []
    assert await azure.described(mallory) == []


async def test_suspending_keeps_no_access(*, operator, hand, azure, clock, mallory):
    await take_back(operator, hand, clock, mallory)
    await hand.edit(CHATBOTS, mallory, {"spec": {"suspend": True}})
    await operator.look(key(mallory))
    assert await azure.described(mallory) == []


async def test_a_suspended_chatbot_without_its_finalizer_keeps_no_access(
    *, operator, hand, azure, clock, mallory
):
    without = {"metadata": {"finalizers": None}, "spec": {"suspend": True}}
    await hand.edit(CHATBOTS, mallory, without)
    operator = Operator(operator.world, hand)  # nor does the process remember anything
    await take_back(operator, hand, clock, mallory)
    await operator.look(key(mallory))
    assert await azure.described(mallory) == []


async def test_a_suspended_chatbot_without_its_finalizer_leaves_nothing_behind(
    *, operator, hand, azure, mallory
):
    without = {"metadata": {"finalizers": None}, "spec": {"suspend": True}}
    await hand.edit(CHATBOTS, mallory, without)
    await Operator(operator.world, hand).look(key(mallory))
    await hand.delete(CHATBOTS, mallory)
    await Operator(operator.world, hand).settle(key(mallory))
    assert await azure.identities(mallory) == []
    assert await azure.described(mallory) == []


async def test_a_finalizer_taken_off_again_and_again_buys_no_time(
    *, operator, hand, azure, clock, mallory
):
    await take_back(operator, hand, clock, mallory)
    await hand.edit(CHATBOTS, mallory, {"metadata": {"finalizers": None}})
    await operator.look(key(mallory))
    assert await azure.described(mallory) == []


async def test_a_finalizer_put_in_place_of_the_operators_holds_no_access(
    *, operator, hand, azure, mallory
):
    theirs = {"metadata": {"finalizers": ["mallory.dev/hold"]}}
    await hand.edit(CHATBOTS, mallory, theirs)
    await hand.delete(CHATBOTS, mallory)
    assert "deletionTimestamp" in (await hand.get(CHATBOTS, mallory))["metadata"]
    again = Operator(operator.world, hand)
    await again.settle(key(mallory))
    assert await azure.identities(mallory) == []
    assert await azure.described(mallory) == []
    assert await hand.children(mallory) == {}
    version = (await hand.get(CHATBOTS, mallory))["metadata"]["resourceVersion"]
    mark = await azure.mark()
    await again.look(key(mallory))
    assert (await hand.get(CHATBOTS, mallory))["metadata"]["resourceVersion"] == version
    assert not await azure.writes(mark)
    await hand.edit(CHATBOTS, mallory, {"metadata": {"finalizers": None}})
