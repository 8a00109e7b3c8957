"""The kill walk: stop the operator after each of its writes in turn, and compare.

A run that was cut off after any write, or that lost the answer to it, and went on with an empty
memory, must end where an undisturbed run ends, with nothing made twice and nothing left behind
(https://www.usenix.org/conference/osdi22/presentation/sun, intermediate states).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from chatbot_operator import ports
from chatbot_operator.ports import ACCOUNTS, CHATBOTS
from chatbot_operator.reconcile import Key
from cluster_world import account, chatbot, key
from fuse import WRITES, Fuse
from kill_walk import Walk, cut_off, each


@pytest.fixture
def walk(operator, hand, azure, audit):
    return Walk(operator, hand, azure, audit)


WANTED = {"chat": {"systemPrompt": "Be kind."}}


async def undisturbed(walk: Walk) -> tuple[str, list[str]]:
    """A chatbot made without disturbance: its namespace and the writes it took."""
    namespace, fuse = await walk.namespace(), Fuse()
    await walk.hand.create(chatbot(namespace, **WANTED))
    await walk.run(fuse).settle(key(namespace))
    return namespace, fuse.writes


CHANGE = {
    "spec": {
        "chat": {"systemPrompt": "Be brief."},
        "openAI": {"deployment": "gpt-4o-mini", "temperature": 0.5},
        "service": {"port": 8081},
    }
}


async def test_a_life_cut_off_after_any_write_goes_and_ends_like_an_undisturbed_one(walk):
    reference, writes = await undisturbed(walk)
    made = await walk.outcome(reference)
    assert {"put_identity", "put_assignment", "put_credential"} <= set(writes)
    fuse = Fuse()
    await walk.hand.edit(CHATBOTS, reference, CHANGE)
    await walk.run(fuse).settle(key(reference))
    changed = await walk.outcome(reference)
    fuse = Fuse()
    await walk.hand.delete(CHATBOTS, reference)
    await walk.run(fuse).settle(key(reference))
    await walk.nothing(reference)
    assert {"delete_identity", "delete_assignment"} <= set(fuse.writes)

    async def disturb(at, *, lost):
        namespace = await walk.namespace()
        ledger, log = await walk.azure.mark(), walk.audit.mark()
        await walk.hand.create(chatbot(namespace, **WANTED))
        await walk.disturbed(namespace, at, lost=lost)
        assert await walk.outcome(namespace) == made
        await walk.hand.edit(CHATBOTS, namespace, CHANGE)
        await walk.disturbed(namespace, at, lost=lost)
        assert await walk.outcome(namespace) == changed
        counted = await walk.made(namespace, ledger, log)
        assert len(counted) == 8, counted
        assert set(counted.values()) == {1}, counted
        await walk.hand.delete(CHATBOTS, namespace)
        await walk.disturbed(namespace, at, lost=lost)
        await walk.nothing(namespace)

    await each(walk, max(len(writes), len(fuse.writes)), disturb)


async def test_a_chatbot_taken_away_while_it_was_being_made_leaves_nothing_behind(walk):
    _, writes = await undisturbed(walk)

    async def disturb(at, *, lost):
        namespace, fuse = await walk.namespace(), Fuse(at, lost=lost)
        await walk.hand.create(chatbot(namespace, **WANTED))
        await walk.until_stopped(walk.run(fuse), namespace, fuse)
        await walk.hand.delete(CHATBOTS, namespace)
        await walk.run(Fuse()).settle(key(namespace))
        await walk.nothing(namespace)

    await each(walk, len(writes), disturb)


async def test_a_retained_identity_is_marked_wherever_the_deletion_was_cut_off(walk):
    async def retained():
        namespace = await walk.namespace()
        await walk.hand.create(chatbot(namespace, deletionPolicy="Retain"))
        await walk.run(Fuse()).settle(key(namespace))
        await walk.hand.delete(CHATBOTS, namespace)
        return namespace

    reference, fuse = await retained(), Fuse()
    await walk.run(fuse).settle(key(reference))

    async def disturb(at, *, lost):
        namespace = await retained()
        await walk.disturbed(namespace, at, lost=lost)
        kept = await walk.azure.identity(namespace)
        assert kept["tags"]["chatbot-operator-retained"] == "true"
        assert len(kept["credentials"]) == 1
        assert await walk.azure.described(namespace) == []
        assert await walk.hand.children(namespace) == {}

    await each(walk, len(fuse.writes), disturb, ways=(False,))


async def test_a_withdrawal_and_a_new_permission_end_alike_wherever_they_were_cut_off(walk):
    at_once = replace(walk.operator.world.installation, withdrawal_grace=0)
    walk.operator.world = replace(walk.operator.world, installation=at_once)

    async def working():
        namespace = await walk.namespace()
        await walk.hand.create(account(namespace))
        await walk.run(Fuse()).look(Key(ACCOUNTS, "", namespace))
        await walk.hand.create(chatbot(namespace, account=namespace))
        await walk.run(Fuse()).settle(key(namespace))
        return namespace

    async def allow(namespace, *, all_):
        allowed = {"allowedNamespaces": {"all": True} if all_ else None}
        await walk.hand.edit(ACCOUNTS, "", {"spec": allowed}, namespace)

    async def denied_to_the_end(operator, namespace):
        while (await operator.look(key(namespace))).failed or not await withdrawn(namespace):
            await asyncio.sleep(0)

    async def withdrawn(namespace):
        role = (await walk.hand.conditions(namespace))["RoleAssigned"]
        return role["reason"] == "Withdrawn"

    reference, taking, giving = await working(), Fuse(), Fuse()
    await allow(reference, all_=False)
    await denied_to_the_end(walk.run(taking), reference)
    taken = await walk.outcome(reference)
    await allow(reference, all_=True)
    await walk.run(giving).settle(key(reference))
    given = await walk.outcome(reference)
    assert {"patch Deployment", "delete_assignment"} <= set(taking.writes)
    assert {"apply Deployment", "put_assignment"} <= set(giving.writes)

    async def disturb(at, *, lost):
        namespace, fuse = await working(), Fuse(at, lost=lost)
        await allow(namespace, all_=False)
        await cut_off(denied_to_the_end(walk.run(fuse), namespace), fuse)
        await denied_to_the_end(walk.run(Fuse()), namespace)
        assert await walk.outcome(namespace) == taken
        await allow(namespace, all_=True)
        await walk.disturbed(namespace, at, lost=lost)
        assert await walk.outcome(namespace) == given
        await walk.hand.delete(CHATBOTS, namespace)
        await walk.run(Fuse()).settle(key(namespace))
        await walk.nothing(namespace)
        await walk.hand.delete(ACCOUNTS, "", namespace)

    await each(walk, max(len(taking.writes), len(giving.writes)), disturb)


def test_a_fuse_sees_every_write_of_the_ports():
    reads = {
        "permissions",
        "get",
        "select",
        "account",
        "soft_deleted",
        "identity",
        "identities",
        "credential",
    }
    reads |= {"assignment", "assignments", "assignments_at", "assignments_below", "credentials"}
    methods = {
        name
        for port in (ports.Kubernetes, ports.Azure)
        for name in vars(port)
        if not name.startswith("_")
    }
    assert methods == WRITES | reads | {"event"}, "an event is told, not written: none may miss it"
