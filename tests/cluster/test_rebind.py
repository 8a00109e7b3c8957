"""`kubectl chatbot rebind`: a cluster restored, and its chatbots' identities taken over."""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import replace

import pytest
from chatbot_operator.ports import CHATBOTS
from cluster_world import Operator, chatbot, key
from lives import begin_anew, console, deployed

__all__ = ["console", "deployed"]

NAMES = ("one", "two", "three")


async def until(reason, hand, namespace):
    """Wait until the chatbot is ready, or not, for this reason, being the kubelet meanwhile."""
    async with asyncio.timeout(60):
        while (await hand.conditions(namespace)).get("Ready", {}).get("reason") != reason:
            await hand.run_pods(namespace)
            await asyncio.sleep(0.2)


async def rebind(console, namespace, *words):
    return await console.inside("rebind", "-n", namespace, "-o", "json", *words)


@pytest.fixture
async def restored(*, operator, hand, azure, namespace, deployed):
    """Three chatbots that have begun anew, and wait; what their identities were."""
    for name in NAMES:
        await hand.create(chatbot(namespace, name))
        await operator.settle(key(namespace, name))
    before = {i["name"]: i for i in await azure.identities(namespace)}
    await begin_anew(hand, namespace, *NAMES)
    again = Operator(operator.world, hand)
    for name in NAMES:
        assert (await again.refused(key(namespace, name))).reason == "OwnedByEarlierLife"
    return again, before


async def test_all_of_a_restored_cluster_take_over_their_identities(
    *, console, hand, azure, namespace, restored
):
    operator, before = restored
    mark = await azure.mark()
    dry = await rebind(console, namespace, "--all", "--dry-run")
    assert (dry.code, {c["case"] for c in dry.document["chatbots"]}) == (1, {"EarlierLife"})
    refused = await rebind(console, namespace, "--all")
    assert (refused.code, "--yes" in refused.document["unanswered"]) == (2, True)
    declined = await console.at_terminal("rebind", "--all", "-n", namespace, typed="no")
    assert (declined.code, "Type 3" in declined.error) == (1, True)
    assert await azure.writes(mark) == [], "nothing without being told to"
    denied = {"action": "respond", "status": 403, "code": "AuthorizationFailed"}
    await azure.fault(**denied, method="PATCH", path="-two-")
    partly = await rebind(console, namespace, "--all", "--yes")
    assert partly.code == 1
    assert [e["chatbot"] for e in partly.document["notRebound"]] == [f"{namespace}/two"]
    await azure.heal()
    # As kubectl runs a plugin.
    rest = await console(
        *("chatbot", "rebind", "--all", "--yes", "-n", namespace),
        program="kubectl",
    )
    assert (rest.code, "has the identity" in rest.error) == (0, True), rest
    writes = [w for w in await azure.writes(mark) if w["status"] != 403]
    assert [w["method"] for w in writes] == ["PATCH"] * 3
    for name in NAMES:
        await operator.settle(key(namespace, name))
        assert (await hand.conditions(namespace, name))["Ready"]["status"] == "True"
    after = {i["name"]: i for i in await azure.identities(namespace)}
    assert {n: i["principal_id"] for n, i in after.items()} == {
        n: i["principal_id"] for n, i in before.items()
    }
    uids = {(await hand.get(CHATBOTS, namespace, n))["metadata"]["uid"] for n in NAMES}
    assert {i["tags"]["chatbot-operator-uid"] for i in after.values()} == uids
    assert {a["description"].rpartition("/")[2] for a in await azure.described(namespace)} == uids
    mark = await azure.mark()
    again = await rebind(console, namespace, "--all", "--yes")
    assert (again.code, {c["case"] for c in again.document["chatbots"]}) == (0, {"ItsOwn"})
    assert await azure.writes(mark) == []


async def test_one_is_rebound_and_the_operator_goes_on_at_once(
    *, console, hand, azure, operator, settled, deployed, start, pods
):
    before = await azure.identity(settled)
    await begin_anew(hand, settled, "support")

    async with start(PROOF_DELAY_SECONDS="0"):
        await until("OwnedByEarlierLife", hand, settled)
        ended = await rebind(console, settled, "support", "--yes")
        assert (ended.code, ended.document["lookedAtOnce"]) == (0, [f"{settled}/support"])
        await until("Ready", hand, settled)
    assert (await azure.identity(settled))["principal_id"] == before["principal_id"]


async def test_an_earlier_clusters_chatbots_need_its_owner_id_and_are_then_rebound(
    *, console, hand, azure, operator, namespace, deployed, kubectl, clock
):
    owner = f"earlier-{namespace}"
    former = "https://earlier.example/"
    here = operator.world.installation
    there = replace(operator.world, installation=replace(here, cluster=owner, issuer=former))
    earlier = Operator(there, hand)
    await hand.create(chatbot(namespace))
    await earlier.settle(key(namespace))
    before = await azure.identity(namespace)
    await begin_anew(hand, namespace, "support")
    mark = await azure.mark()
    told = await rebind(console, namespace, "--from", owner, "--yes")
    assert (told.code, told.document["claimed"]) == (2, [f"{namespace}/support"])
    assert await azure.writes(mark) == []
    (command,) = told.document["commands"]
    kubectl(*shlex.split(command)[1:])
    dry = await rebind(console, namespace, "--from", owner, "--dry-run")
    (warning,) = dry.document["chatbots"][0]["warnings"]
    assert warning.startswith(f"it trusts tokens of {former}, an earlier cluster's")
    ended = await rebind(console, namespace, "--from", owner, "--yes")
    assert (ended.code, ended.document["rebound"]) == (0, [f"{namespace}/support"])
    moved = replace(operator.world, installation=replace(here, cluster=owner))
    again = Operator(moved, hand)
    await again.settle(key(namespace))
    after = await azure.identity(namespace)
    assert after["principal_id"] == before["principal_id"]
    assert (await hand.conditions(namespace))["Ready"]["status"] == "True"
    assert {c["issuer"] for c in after["credentials"]} == {former, here.issuer}
    clock.ahead = 2 * here.credential_grace
    for _ in range(2):
        await again.settle(key(namespace))
    (left,) = (await azure.identity(namespace))["credentials"]
    assert left["issuer"] == here.issuer
