"""How many pods run: by hand, by an autoscaler, and from one to the other without a dip."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from chatbot_operator.ports import AUTOSCALERS, CHATBOTS, DEPLOYMENTS, DISRUPTION_BUDGETS
from cluster_world import Operator, chatbot, key, path

SCALED = {"autoscaling": {"minReplicas": 2, "maxReplicas": 6, "targetCPUUtilization": 70}}


async def replicas(hand, namespace):
    return (await hand.get(DEPLOYMENTS, namespace))["spec"]["replicas"]


async def scale(hand, resource, namespace, count):
    """As `kubectl scale` and the autoscaler do."""
    where = f"{path(resource, namespace, 'support')}/scale"
    await hand.api.patch(where, {"spec": {"replicas": count}})


@contextlib.asynccontextmanager
async def film(hand, namespace):
    """Every number of replicas that the Deployment has meanwhile, oldest first."""
    where, seen = path(DEPLOYMENTS, namespace), []
    version = (await hand.api.get(where))["metadata"]["resourceVersion"]

    def see(_, live):
        if "spec" in live:
            seen.append(live["spec"]["replicas"])

    watch = asyncio.create_task(hand.api.watch(where, {"resourceVersion": version}, see))
    yield seen
    await asyncio.sleep(0.5)
    watch.cancel()


async def test_the_autoscaler_takes_over_without_a_dip(operator, hand, namespace):
    await hand.create(chatbot(namespace, replicas=3))
    await operator.settle(key(namespace))
    assert await replicas(hand, namespace) == 3
    async with film(hand, namespace) as seen:
        await hand.edit(CHATBOTS, namespace, {"spec": SCALED})
        await operator.settle(key(namespace))
        await Operator(operator.world, hand).settle(key(namespace))
        assert await replicas(hand, namespace) == 3
        await scale(hand, DEPLOYMENTS, namespace, 5)
        await operator.settle(key(namespace))
        assert await replicas(hand, namespace) == 5
        await hand.edit(CHATBOTS, namespace, {"spec": {"chat": {"title": "Other"}}})
        await operator.settle(key(namespace))
    assert seen
    assert min(seen) >= 3
    scaler = await hand.get(AUTOSCALERS, namespace)
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (2, 6)
    assert scaler["spec"]["scaleTargetRef"]["name"] == "support"
    assert scaler["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
    assert (await hand.get(CHATBOTS, namespace))["status"]["pods"].endswith("/5")


async def test_what_stands_in_the_chatbot_counts_again_once_it_is_not_autoscaled(
    operator, hand, namespace
):
    await hand.create(chatbot(namespace, replicas=2, **SCALED))
    await operator.settle(key(namespace))
    await scale(hand, DEPLOYMENTS, namespace, 6)
    await hand.edit(CHATBOTS, namespace, {"spec": {"autoscaling": None}})
    await operator.settle(key(namespace))
    assert await replicas(hand, namespace) == 2
    assert await hand.get(AUTOSCALERS, namespace) is None


async def test_one_pod_proves_before_the_autoscaler_begins(operator, hand, pods, namespace):
    pods.say("WaitingForCredential", "young", None)
    await hand.create(chatbot(namespace, **SCALED))
    for _ in range(8):
        await operator.look(key(namespace))
        await hand.run_pods(namespace)
    assert await replicas(hand, namespace) == 1
    assert await hand.get(AUTOSCALERS, namespace) is None
    pods.say()
    await operator.settle(key(namespace))
    assert await hand.get(AUTOSCALERS, namespace)


async def test_an_autoscaled_chatbot_at_rest_writes_nothing(
    *, operator, hand, azure, audit, namespace
):
    await hand.create(chatbot(namespace, **SCALED))
    await operator.settle(key(namespace))
    await operator.settle(key(namespace))
    mark, ledger = audit.mark(), await azure.mark()
    await operator.look(key(namespace))
    await Operator(operator.world, hand).look(key(namespace))
    assert audit.writes(mark) == []
    assert await azure.writes(ledger) == []


async def test_kubectl_scale_reaches_the_pods(operator, hand, namespace):
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    await scale(hand, CHATBOTS, namespace, 4)
    await operator.settle(key(namespace))
    assert await replicas(hand, namespace) == 4


async def test_more_than_one_pod_has_a_disruption_budget(operator, hand, namespace):
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    assert await hand.get(DISRUPTION_BUDGETS, namespace) is None
    await scale(hand, CHATBOTS, namespace, 2)
    await operator.settle(key(namespace))
    budget = (await hand.get(DISRUPTION_BUDGETS, namespace))["spec"]
    assert (budget["maxUnavailable"], budget["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")
    await scale(hand, CHATBOTS, namespace, 1)
    await operator.settle(key(namespace))
    live = await hand.get(DISRUPTION_BUDGETS, namespace)
    assert live is None or "deletionTimestamp" in live["metadata"]


@pytest.mark.parametrize("resource", [AUTOSCALERS, DISRUPTION_BUDGETS], ids=lambda r: r.plural)
async def test_what_scales_is_put_back_and_goes_with_the_chatbot(
    operator, hand, namespace, resource
):
    await hand.create(chatbot(namespace, **SCALED))
    await operator.settle(key(namespace))
    await hand.delete(resource, namespace)
    await operator.settle(key(namespace))
    assert await hand.get(resource, namespace)
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert await hand.get(resource, namespace) is None
