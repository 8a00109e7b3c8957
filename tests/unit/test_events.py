"""What is told of a pass, and how much."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from chatbot_operator.ports import SERVICES, Journal, Note, Receipt
from chatbot_operator.reconcile import events
from unit.bodies import INSTALLATION
from unit.small_world import SmallWorld


def test_a_note_with_a_receipt_names_the_target_and_the_request():
    journal = Journal()
    journal.note("RoleWithdrawn", "Deleted.", Receipt("delete role assignment", "/a/b", "r-1"))
    journal.note("PutBack", "It was gone.")
    assert journal.notes == [
        Note("RoleWithdrawn", "Deleted. /a/b (request r-1)", "DeleteRoleAssignment"),
        Note("PutBack", "It was gone."),
    ]


def reasons(world):
    """What was told since the last time."""
    told = [note.reason for note in world.cluster.told]
    world.cluster.told.clear()
    return told


async def test_a_chatbot_that_is_made_tells_of_what_was_made_and_of_the_end():
    world = SmallWorld()
    await world.settle()
    assert world.condition("WorkloadReady") == ("True", "PodsRun")
    assert sorted(reasons(world)) == [
        "CredentialWritten",
        "IdentityCreated",
        "Ready",
        "RoleAssigned",
    ]
    await world.look(after=2 * INSTALLATION.resync)
    assert reasons(world) == []


async def test_tags_that_are_put_right_are_told():
    world = SmallWorld()
    await world.settle()
    reasons(world)
    ((at, made),) = world.azure.held.items()
    world.azure.held[at] = replace(made, tags={**made.tags, "chatbot-operator-retained": "true"})
    await world.look(after=2 * INSTALLATION.resync)
    assert reasons(world) == ["IdentityTagged"]


async def test_what_becomes_of_a_retained_identity_is_told():
    world = SmallWorld(deletionPolicy="Retain")
    await world.settle()
    reasons(world)
    world.chatbot["metadata"]["deletionTimestamp"] = "2026-01-31T12:00:00Z"
    world.cluster.objects.pop(("pods", "team", "pod"))
    for _ in range(3):
        await world.look(after=100)
    assert "IdentityRetained" in reasons(world)


async def test_objects_that_linger_are_waited_for():
    world = SmallWorld()
    await world.settle()
    world.cluster.lingering = True
    await world.cluster.delete(SERVICES, "team", "support", uid="uid-of-services")
    await world.look()
    assert world.condition("WorkloadReady") == ("Unknown", "ChildLeaving")
    world.chatbot["metadata"]["deletionTimestamp"] = "2026-01-31T12:00:00Z"
    await world.look(after=100)
    assert world.condition("Ready") == ("False", "ObjectsLeaving")
    await world.look(after=100)
    assert world.chatbot["metadata"]["finalizers"] == [], "they go by their owner references"


async def test_an_api_server_that_hangs_holds_no_pass_up_for_an_event(monkeypatch):
    monkeypatch.setattr(events, "TELL_SECONDS", 0.01)
    world = SmallWorld()

    async def hang(*_args, **_kwargs):
        await asyncio.Event().wait()

    monkeypatch.setattr(world.cluster, "event", hang)
    async with asyncio.timeout(5):
        await world.settle()
    assert world.condition("Ready") == ("True", "Ready")
