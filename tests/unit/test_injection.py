"""Pods without workload identity are restarted, a few times, and others never."""

from __future__ import annotations

from chatbot_operator.ports import Readiness
from chatbot_operator.steps.injection import RESTART_SECONDS, RESTARTS
from unit.small_world import SmallWorld

MISSED = Readiness("NotInjected", "There is no token.", "")


async def missed():
    """A world whose webhook passes every pod over, after its restarts."""
    world = SmallWorld()
    world.pods.answer = MISSED
    deleted = 0
    for _ in range(RESTARTS + 5):
        await world.look(after=5)
        if world.deployment and ("pods", "team", "pod") not in world.cluster.objects:
            deleted += 1
            world.cluster.run(world.deployment)
    return world, deleted


async def test_a_pod_that_the_webhook_passed_over_is_restarted_within_a_budget():
    world, deleted = await missed()
    assert deleted == RESTARTS
    told = [n.reason for n in world.cluster.told if n.reason == "PodRestarted"]
    assert len(told) == RESTARTS
    assert world.condition("Ready") == ("False", "NotInjected")
    await world.look(after=RESTART_SECONDS)
    assert ("pods", "team", "pod") not in world.cluster.objects


async def test_a_pod_that_only_says_so_stays():
    world = SmallWorld()
    await world.settle()
    world.pods.answer = MISSED
    pod = world.cluster.objects["pods", "team", "pod"]
    pod["spec"]["containers"][0]["env"].append({"name": "AZURE_FEDERATED_TOKEN_FILE"})
    await world.look(after=60)
    assert ("pods", "team", "pod") in world.cluster.objects
    assert world.condition("Ready") == ("False", "NotInjected")


async def test_a_pod_that_does_not_say_so_stays():
    world = SmallWorld()
    await world.settle()
    await world.look(after=60)
    assert ("pods", "team", "pod") in world.cluster.objects
