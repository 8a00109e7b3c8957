"""What pods say of their proof, and what the status makes of it."""

from __future__ import annotations

import asyncio

import pytest
from chatbot_operator.ports import CHATBOTS, DEPLOYMENTS
from cluster_world import PATIENCE, chatbot, key


async def test_more_than_one_pod_runs_once_one_has_proven_itself(operator, hand, pods, namespace):
    pods.say("WaitingForCredential", "young", None)
    await hand.create(chatbot(namespace, replicas=3))
    for _ in range(8):
        await operator.look(key(namespace))
        await hand.run_pods(namespace)
    assert (await hand.get(DEPLOYMENTS, namespace))["spec"]["replicas"] == 1
    assert (await hand.conditions(namespace))["Ready"]["status"] != "True"
    pods.say()
    await operator.settle(key(namespace))
    assert (await hand.get(DEPLOYMENTS, namespace))["spec"]["replicas"] == 3
    async with asyncio.timeout(PATIENCE):
        while (await hand.get(CHATBOTS, namespace))["status"]["pods"] != "3/3":
            await hand.run_pods(namespace)
            await operator.look(key(namespace))


@pytest.mark.parametrize(
    ("reason", "proven", "ready", "shown"),
    [
        ("PermissionDenied", None, "Unknown", "RolePropagating"),
        ("ExchangeRefused", None, "Unknown", "FederationPropagating"),
        ("NetworkDenied", None, "False", "NetworkDenied"),
        ("Made\x07up", None, "False", "UnknownReadiness"),
    ],
)
async def test_what_a_pod_cannot_do_is_said_in_words(
    *, operator, hand, pods, namespace, reason, proven, ready, shown
):
    pods.say(reason, "because", proven)
    await hand.create(chatbot(namespace))
    for _ in range(40):
        again = await operator.look(key(namespace))
        await hand.run_pods(namespace)
        if again.fault and again.fault.reason == shown:
            break
        await asyncio.sleep(0.05)
    condition = (await hand.conditions(namespace))["Ready"]
    assert (condition["status"], condition["reason"]) == (ready, shown)
    assert "because" in condition["message"]


async def test_an_outage_degrades_a_proven_chatbot_and_does_not_stop_it(
    operator, hand, pods, namespace
):
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    pods.say("Throttled", "429 from the account")
    await operator.settle(key(namespace))
    conditions = await hand.conditions(namespace)
    assert conditions["Ready"]["status"] == "True"
    assert conditions["Degraded"]["reason"] == "Throttled"
    pods.say()
    await operator.settle(key(namespace))
    assert "Degraded" not in await hand.conditions(namespace)
