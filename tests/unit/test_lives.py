"""Chatbots of the same name: of an earlier life, of another cluster."""

from __future__ import annotations

from dataclasses import replace

from chatbot_operator.steps.workload import LEAVING_SECONDS
from unit.bodies import INSTALLATION
from unit.small_world import SmallWorld


async def working():
    """A world whose chatbot works."""
    world = SmallWorld()
    await world.settle()
    return world


def earlier_life(world):
    """The identity of another chatbot of the same name."""
    (at,) = world.azure.held
    made = world.azure.held[at]
    world.azure.held[at] = replace(made, tags={**made.tags, "chatbot-operator-uid": "earlier"})
    return at


def rebinding(world):
    world.world = replace(world.world, installation=replace(INSTALLATION, rebind=True))
    return world


async def remade(world):
    """Forget what the status says, as one that was restored without it."""
    world.chatbot["status"] = {"observedGeneration": -1}
    world.restart()
    for _ in range(3):
        await world.look(after=60)


async def test_an_identity_of_an_earlier_life_is_taken_over_where_that_is_wanted():
    world = rebinding(await working())
    at = earlier_life(world)
    principal = world.azure.held[at].principal_id
    await remade(world)
    assert world.condition("Ready") == ("True", "Ready")
    assert world.azure.held[at].principal_id == principal
    assert world.azure.held[at].tags["chatbot-operator-uid"] == world.chatbot["metadata"]["uid"]
    assert "IdentityRebound" in [note.reason for note in world.cluster.told]


async def test_by_default_an_earlier_life_stays():
    world = await working()
    at = earlier_life(world)
    await remade(world)
    assert world.condition("Ready") == ("False", "OwnedByEarlierLife")
    assert world.azure.held[at].tags["chatbot-operator-uid"] == "earlier"


async def test_an_identity_that_another_cluster_took_over_is_not_taken_back():
    world = rebinding(await working())
    at = earlier_life(world)
    await world.look(after=2 * INSTALLATION.resync)
    assert world.condition("Ready") == ("False", "OwnedByEarlierLife")
    assert world.azure.held[at].tags["chatbot-operator-uid"] == "earlier"


async def test_two_clusters_with_the_same_chatbot_share_nothing_in_azure():
    one, other = SmallWorld(), SmallWorld()
    other.azure = one.azure
    elsewhere = replace(INSTALLATION, cluster="another")
    other.world = replace(other.world, azure=one.azure, installation=elsewhere)
    await one.settle()
    before = dict(one.azure.held), dict(one.azure.trusted), dict(one.azure.assigned)
    await other.settle()
    assert [len(each) for each in (one.azure.held, one.azure.trusted)] == [2, 2]
    assert len(one.azure.assigned) == 2
    other.chatbot["metadata"]["deletionTimestamp"] = "2026-01-31T12:00:00Z"
    for _ in range(3):
        await other.look(after=LEAVING_SECONDS)
    left = dict(one.azure.held), dict(one.azure.trusted), dict(one.azure.assigned)
    assert before[0] == left[0]
    assert before[2] == left[2]
