"""What lets somebody else be a chatbot is told, and stays."""

from __future__ import annotations

import copy

import pytest
from chatbot_operator.errors import Refusal
from chatbot_operator.ports import Assignment, Credential
from unit.bodies import ACCOUNT_ID, INSTALLATION
from unit.small_world import SmallWorld

SUBSCRIPTION = "/".join(ACCOUNT_ID.split("/")[:3])


async def working():
    world = SmallWorld()
    await world.settle()
    assert world.condition("LeastPrivilege") == ("True", "NothingForeign")
    return world


def message(world):
    found = world.chatbot["status"]["conditions"]
    return next(c["message"] for c in found if c["type"] == "LeastPrivilege")


def assigned(world, scope, name="theirs", role="/roleDefinitions/b24988ac"):
    (ours,) = [a for a in world.azure.assigned.values() if a.scope == ACCOUNT_ID]
    world.azure.assigned[scope, name] = Assignment(name, scope, ours.principal_id, role, "")


def federated(world):
    (at,) = world.azure.held
    theirs = Credential("theirs", "https://token.actions.githubusercontent.com", "repo:x", ("a",))
    world.azure.trusted[at, "theirs"] = theirs


def joined(world):
    metadata = {"name": "debug", "namespace": "team", "labels": {}}
    pod = {"metadata": metadata, "spec": {"serviceAccountName": "support"}, "status": {}}
    world.cluster.objects["pods", "team", "debug"] = pod


FOUND = {
    "ExtraAssignment": (lambda world: assigned(world, ACCOUNT_ID), f"theirs on {ACCOUNT_ID}"),
    "ExtraCredential": (federated, "lets repo:x of https://token.actions"),
    "SharedServiceAccount": (joined, "pod debug"),
}


@pytest.mark.parametrize("reason", FOUND)
async def test_it_is_found_when_azure_is_read_again_and_told_once(reason):
    world = await working()
    add, words = FOUND[reason]
    add(world)
    await world.look(after=INSTALLATION.resync)
    assert world.condition("LeastPrivilege") == ("False", reason)
    assert words in message(world)
    assert world.condition("Ready") == ("True", "Ready")
    told = [note.reason for note in world.cluster.told].count(reason)
    before = copy.deepcopy(world.chatbot)
    for after in (1, 60, INSTALLATION.resync):
        await world.look(after=after)
        assert world.chatbot == before
    assert [note.reason for note in world.cluster.told].count(reason) == told == 1
    assert not [what for what in world.azure.asked if what.startswith(("put", "delete"))]


async def test_assignments_elsewhere_in_the_subscription_are_seen_where_that_may_be_read():
    world = await working()
    assigned(world, f"{SUBSCRIPTION}/resourceGroups/other")
    await world.look(after=INSTALLATION.resync)
    assert world.condition("LeastPrivilege")[0] == "True", "the operator may not look there"
    world.restart()
    world.azure.closed = False
    await world.look()
    await world.look(after=INSTALLATION.resync)
    assert world.condition("LeastPrivilege") == ("False", "ExtraAssignment")


async def test_a_subscription_that_may_not_be_read_is_asked_once():
    world = await working()
    await world.look(after=INSTALLATION.resync)
    assert "list credentials" in world.azure.asked
    assert "list assignments below" not in world.azure.asked


async def test_what_cannot_be_looked_for_leaves_what_was_known():
    world = await working()
    federated(world)
    await world.look(after=INSTALLATION.resync)
    world.azure.unreadable = Refusal("call", status=503, code="", message="", reading=True)
    await world.look(after=INSTALLATION.resync)
    assert world.condition("LeastPrivilege") == ("False", "ExtraCredential")
    world.restart()
    await world.look(after=1)
    assert world.condition("LeastPrivilege") == ("False", "ExtraCredential")


async def test_a_new_process_looks_at_once_where_something_was_found():
    world = await working()
    federated(world)
    await world.look(after=INSTALLATION.resync)
    world.azure.trusted = {k: v for k, v in world.azure.trusted.items() if k[1] != "theirs"}
    world.restart()
    await world.look(after=1)
    assert world.condition("LeastPrivilege") == ("True", "NothingForeign")


async def test_a_new_process_does_not_look_through_a_fleet_at_once():
    world = await working()
    world.restart()
    await world.look(after=1)
    assert "list credentials" not in world.azure.asked


def fill(world, number):
    (at,) = world.azure.held
    for each in range(number):
        name = f"theirs-{each}"
        world.azure.trusted[at, name] = Credential(name, "https://theirs", f"s{each}", ("a",))


async def test_an_identity_with_almost_no_room_for_credentials_says_so_in_time():
    world = await working()
    fill(world, 17)
    await world.look(after=INSTALLATION.resync)
    assert world.condition("Degraded") == ("", "")
    fill(world, 18)
    await world.look(after=INSTALLATION.resync)
    assert world.condition("Degraded") == ("True", "FederationNearlyFull")
    assert world.condition("Ready") == ("True", "Ready")
    before = copy.deepcopy(world.chatbot)
    world.restart()
    await world.look(after=1)
    assert world.chatbot == before


async def test_an_identity_without_room_is_told_before_azure_refuses():
    world = await working()
    (ours,) = world.azure.trusted
    fill(world, 20)
    del world.azure.trusted[ours]
    await world.look(after=INSTALLATION.resync)
    assert world.condition("FederationReady") == ("False", "FederationFull")
    assert "put credential" not in world.azure.asked
    world.azure.trusted.popitem()
    await world.look(after=600)
    assert world.condition("FederationReady") == ("True", "Federated")
