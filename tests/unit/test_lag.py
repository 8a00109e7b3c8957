"""What a read does not see right after the write is no drift."""

from __future__ import annotations

import pytest
from chatbot_operator.steps.lag import LAG_SECONDS
from unit.small_world import SmallWorld

WRITES = {"assigned": "put assignment", "trusted": "put credential"}


async def unseen(world, what, *, after):
    """A pass that reads everything, and does not see this."""
    getattr(world.azure, what).clear()
    world.memory.granted[world.chatbot["metadata"]["uid"]] = None
    world.cluster.told.clear()
    await world.look(after=after)
    return WRITES[what] in world.azure.asked


@pytest.mark.parametrize("what", WRITES)
async def test_it_is_not_written_again_at_once_but_after_a_while(what):
    world = SmallWorld()
    await world.settle()
    before = world.chatbot["status"]["grantedAt"]
    assert not await unseen(world, what, after=LAG_SECONDS - 1)
    assert world.cluster.told == []
    assert world.chatbot["status"]["grantedAt"] == before
    assert await unseen(world, what, after=1)


@pytest.mark.parametrize("what", WRITES)
async def test_of_another_identity_it_is_written_at_once(what):
    world = SmallWorld()
    await world.settle()
    world.azure.held.clear()
    assert await unseen(world, what, after=1)
    assert world.condition("Ready") == ("True", "Ready")
