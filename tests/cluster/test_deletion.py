"""Deletion comes to its end: of itself, when somebody helps, or when somebody lets it go."""

from __future__ import annotations

import asyncio

import pytest
from chatbot_operator.chatbot import LEAVE_AZURE
from chatbot_operator.errors import Stuck
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, CONFIG_MAPS, EVENTS, NAMESPACES
from chatbot_operator.steps.workload import CLEARING_SECONDS
from cluster_world import ASSIGNMENTS, account, chatbot, key, path

IDENTITY = "userAssignedIdentities/cb-[^/]*$"
ASSIGNMENT = "roleAssignments/"
LEAVE = {"metadata": {"annotations": {LEAVE_AZURE: "true"}}}
SECONDS = 60


def refusal(status, code, method, where):
    return {
        "action": "respond",
        "status": status,
        "code": code,
        "method": method,
        "path": where,
        "message": f"Azure says {code}.",
    }


TROUBLES = {
    "lock on the account": refusal(409, "ScopeLocked", "DELETE", ASSIGNMENT),
    "lock on the identity": refusal(409, "ScopeLocked", "DELETE", IDENTITY),
    "policy": refusal(403, "RequestDisallowedByPolicy", "DELETE", IDENTITY),
    "no right to look": refusal(403, "AuthorizationFailed", "GET", IDENTITY),
    "no right to delete": refusal(403, "AuthorizationFailed", "DELETE", IDENTITY),
    "no token": refusal(401, "ExpiredAuthenticationToken", None, ""),
    "throttled": refusal(429, "TooManyRequests", None, ""),
    "down": {"action": "reset"},
}


async def leaving(operator, hand, namespace):
    """The fault that keeps a deleted chatbot."""
    for _ in range(100):
        again = await operator.look(key(namespace))
        if again.fault and again.fault.reason != "PodsLeaving":
            return again.fault
        await asyncio.sleep(0.1)
    raise AssertionError(f"nothing keeps the chatbot: {again}")


async def events(hand, namespace):
    return (await hand.api.get(path(EVENTS, namespace)))["items"]


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_trouble_keeps_the_chatbot_says_the_way_out_and_ends(
    *, operator, hand, azure, settled, trouble
):
    await azure.fault(**{k: v for k, v in TROUBLES[trouble].items() if v})
    await hand.delete(CHATBOTS, settled)
    fault = await leaving(operator, hand, settled)
    ready = (await hand.conditions(settled))["Ready"]
    assert (ready["status"], ready["reason"]) == ("False", fault.reason)
    way_out = f"kubectl annotate chatbot -n {settled} support {LEAVE_AZURE}=true"
    assert way_out in ready["message"]
    await azure.heal()
    await operator.settle(key(settled))
    assert await hand.get(CHATBOTS, settled) is None
    assert await azure.identities(settled) == []
    assert await azure.described(settled) == []


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_somebody_may_let_the_chatbot_go_and_is_told_what_is_left(
    *, operator, hand, azure, settled, trouble
):
    identity = await azure.identity(settled)
    (assignment,) = await azure.described(settled)
    await azure.fault(**{k: v for k, v in TROUBLES[trouble].items() if v})
    await hand.delete(CHATBOTS, settled)
    await leaving(operator, hand, settled)
    mark = await azure.mark()
    await hand.edit(CHATBOTS, settled, LEAVE)
    await operator.settle(key(settled))
    assert await hand.get(CHATBOTS, settled) is None
    assert await hand.children(settled) == {}
    assert [e for e in await azure.writes(mark) if e["status"] < 300] == []
    assert (await azure.identity(settled))["id"] == identity["id"]
    (told,) = (e for e in await events(hand, settled) if e["reason"] == "LeftInAzure")
    assert told["type"] == "Warning"
    assert identity["name"] in told["note"]
    assert assignment["name"] in told["note"]
    await azure.heal()
    await azure.done("DELETE", f"{ASSIGNMENTS}/{assignment['name']}")
    await azure.done("DELETE", identity["id"])


async def test_who_lets_a_chatbot_without_a_record_go_is_told_what_to_look_for(
    operator, hand, azure, namespace
):
    await hand.create(chatbot(namespace))
    await azure.fault(action="reset")
    await operator.look(key(namespace))
    await hand.edit(CHATBOTS, namespace, LEAVE)
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    (told,) = (e for e in await events(hand, namespace) if e["reason"] == "LeftInAzure")
    assert f"chatbot-operator-namespace={namespace}" in told["note"]


async def test_without_a_deletion_the_annotation_does_nothing(operator, hand, azure, settled):
    mark = await azure.mark()
    await hand.edit(CHATBOTS, settled, LEAVE)
    await operator.settle(key(settled))
    assert await azure.writes(mark) == []
    assert (await hand.conditions(settled))["Ready"]["status"] == "True"


async def test_what_was_never_made_keeps_nothing_though_azure_is_down(
    operator, hand, azure, namespace
):
    await hand.create(chatbot(namespace, account="nobody"))
    with pytest.raises(Stuck):
        await operator.settle(key(namespace))
    await azure.fault(action="reset")
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert await hand.get(CHATBOTS, namespace) is None


async def test_somebody_elses_finalizer_on_an_object_keeps_the_chatbot_for_a_while_only(
    operator, hand, azure, settled, clock
):
    held = {"metadata": {"finalizers": ["example.com/held"]}}
    await hand.edit(CONFIG_MAPS, settled, held)
    await hand.delete(CHATBOTS, settled)
    for _ in range(100):
        again = await operator.look(key(settled))
        if again.fault and again.fault.reason == "ObjectsLeaving":
            break
        await asyncio.sleep(0.1)
    assert again.fault.reason == "ObjectsLeaving"
    clock.ahead = CLEARING_SECONDS
    await operator.settle(key(settled))
    assert await hand.get(CHATBOTS, settled) is None
    assert await azure.identities(settled) == []
    await hand.edit(CONFIG_MAPS, settled, {"metadata": {"finalizers": None}})


async def test_a_namespace_goes_with_its_chatbots_and_what_they_have(
    *, start, hand, azure, namespace
):
    names = ("support", "sales")
    await hand.create(account(namespace))
    async with start():
        for name in names:
            await hand.create(chatbot(namespace, name, account=namespace))

        async def ready():
            found = [(await hand.conditions(namespace, name)).get("Ready") for name in names]
            return all(one and one["status"] == "True" for one in found)

        async def gone():
            return await hand.get(NAMESPACES, "", namespace) is None

        for reached in (ready, gone):
            async with asyncio.timeout(SECONDS):
                while not await reached():
                    await hand.run_pods(namespace)
                    await asyncio.sleep(0.2)
            if reached is ready:
                await hand.delete(NAMESPACES, "", namespace)
    assert await azure.identities(namespace) == []
    assert await azure.described(namespace) == []
    await hand.delete(ACCOUNTS, "", namespace)


async def test_in_a_namespace_that_is_going_nothing_is_begun(operator, hand, azure, namespace):
    held = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held"}}
    held["metadata"] |= {"namespace": namespace, "finalizers": ["example.com/held"]}
    await hand.create(held)
    await hand.create(chatbot(namespace))
    await operator.look(key(namespace))
    await hand.delete(NAMESPACES, "", namespace)
    async with asyncio.timeout(SECONDS):
        while await hand.get(CHATBOTS, namespace) is not None:
            await operator.look(key(namespace))
            await asyncio.sleep(0.1)
    assert await azure.identities(namespace) == []
    await hand.edit(CONFIG_MAPS, namespace, {"metadata": {"finalizers": None}}, "held")
