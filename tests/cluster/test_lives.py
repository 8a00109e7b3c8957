"""Clusters rebuilt, restored or beside one another, on one Azure."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from chatbot_operator.ports import CHATBOTS
from cluster_world import ASSIGNMENTS, Operator, chatbot, key


def elsewhere(operator, hand, **changes):
    """An operator that has just started, of another installation."""
    installation = replace(operator.world.installation, **changes)
    return Operator(replace(operator.world, installation=installation), hand)


async def test_a_rebuilt_cluster_takes_its_identities_over_if_told_to(
    operator, hand, azure, settled
):
    before = await azure.identity(settled)
    await hand.forget_chatbots()
    await gone(hand, settled)
    made = await hand.create(chatbot(settled))
    fault = await Operator(operator.world, hand).refused(key(settled))
    assert fault.reason == "OwnedByEarlierLife"
    rebinding = elsewhere(operator, hand, rebind=True)
    await rebinding.settle(key(settled))
    after = await azure.identity(settled)
    assert after["client_id"] == before["client_id"]
    assert after["tags"]["chatbot-operator-uid"] == made["metadata"]["uid"]
    (assignment,) = await azure.described(settled)
    assert assignment["description"].endswith(made["metadata"]["uid"])
    assert (await hand.conditions(settled))["Ready"]["status"] == "True"
    mark = await azure.mark()
    await rebinding.settle(key(settled))
    assert await azure.writes(mark) == []


async def test_two_clusters_with_the_same_chatbot_never_touch_one_azure_object(
    operator, hand, azure, settled
):
    theirs = await azure.identity(settled)
    granted = await azure.assignments(theirs["principal_id"])
    await hand.forget_chatbots()
    await gone(hand, settled)
    await hand.create(chatbot(settled))
    mark = await azure.mark()
    other = elsewhere(operator, hand, cluster="another", rebind=True)
    await other.settle(key(settled))
    (mine,) = [i for i in await azure.identities(settled) if i["id"] != theirs["id"]]
    await hand.delete(CHATBOTS, settled)
    await other.settle(key(settled))
    touched = {write["path"].lower() for write in await azure.writes(mark)}
    assert not any(theirs["id"].lower() in each for each in touched)
    assert not any(each.endswith(granted[0]["name"]) for each in touched)
    assert await azure.identities(settled) == [theirs]
    assert await azure.assignments(theirs["principal_id"]) == granted
    assert await azure.assignments(mine["principal_id"]) == []
    await azure.done("DELETE", f"{ASSIGNMENTS}/{granted[0]['name']}")
    await azure.done("DELETE", theirs["id"])


async def test_a_former_issuers_credential_stands_beside_the_new_one_and_then_goes(
    operator, hand, azure, settled, clock
):
    (before,) = (await azure.identity(settled))["credentials"]
    after = "https://after.example/"
    other = elsewhere(operator, hand, issuer=after)
    await other.settle(key(settled))
    both = (await azure.identity(settled))["credentials"]
    assert [c["issuer"] for c in both] == [before["issuer"], after]
    assert both[0] == before
    clock.ahead = 2 * other.world.installation.credential_grace
    for _ in range(2):
        await other.settle(key(settled))
    (left,) = (await azure.identity(settled))["credentials"]
    assert left["issuer"] == after
    assert (await hand.conditions(settled))["Ready"]["status"] == "True"
    mark = await azure.mark()
    await other.settle(key(settled))
    assert await azure.writes(mark) == []


async def gone(hand, namespace):
    """Wait until the garbage collector has taken what a chatbot had in the cluster."""
    async with asyncio.timeout(60):
        while await hand.children(namespace) or await hand.get(CHATBOTS, namespace):
            await asyncio.sleep(0.2)
