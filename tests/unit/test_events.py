"""What is told of a pass, and how much."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from chatbot_operator.ports import SERVICES, Journal, Note, Receipt
from chatbot_operator.reconcile.events import BURST, OBJECTS, REFILL_SECONDS, Allowances
from unit.bodies import INSTALLATION
from unit.small_world import NOON, SmallWorld


def after(seconds):
    return NOON + dt.timedelta(seconds=seconds)


def test_a_note_with_a_receipt_names_the_target_and_the_request():
    journal = Journal()
    journal.note("RoleWithdrawn", "Deleted.", Receipt("delete role assignment", "/a/b", "r-1"))
    journal.note("PutBack", "It was gone.")
    assert journal.notes == [
        Note("RoleWithdrawn", "Deleted. /a/b (request r-1)", "DeleteRoleAssignment"),
        Note("PutBack", "It was gone."),
    ]


def test_an_object_has_a_burst_and_then_one_event_in_a_while():
    allowances = Allowances()
    assert all(allowances.take("a", NOON) for _ in range(BURST))
    assert not allowances.take("a", NOON)
    assert not allowances.take("a", after(REFILL_SECONDS - 1))
    assert allowances.take("a", after(REFILL_SECONDS))
    assert not allowances.take("a", after(REFILL_SECONDS))
    assert allowances.take("b", NOON)


def test_what_was_not_used_does_not_pile_up():
    allowances = Allowances()
    assert allowances.take("a", NOON)
    later = after(1000 * REFILL_SECONDS)
    assert [allowances.take("a", later) for _ in range(BURST + 1)] == [True] * BURST + [False]


def test_only_the_objects_that_spoke_last_are_remembered():
    allowances = Allowances()
    for _ in range(BURST):
        allowances.take("first", NOON)
    for number in range(OBJECTS):
        allowances.take(str(number), NOON)
    assert allowances.take("first", NOON)


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
