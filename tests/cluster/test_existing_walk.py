"""The kill walk of a chatbot that runs as an identity that somebody else made."""

from __future__ import annotations

from dataclasses import replace

import existing_identities
import pytest
from chatbot_operator.ports import ACCOUNTS, CHATBOTS
from chatbot_operator.reconcile import Key
from cluster_world import account, chatbot, key
from fuse import Fuse
from kill_walk import Walk, cut_off, each


@pytest.fixture
def walk(operator, hand, azure, audit):
    at_once = replace(operator.world.installation, withdrawal_grace=0)
    operator.world = replace(operator.world, installation=at_once)
    return Walk(operator, hand, azure, audit)


async def begun(walk):
    """A chatbot that is to run as an identity of its own account's list."""
    namespace, theirs = await walk.namespace(), await existing_identities.make(walk.azure)
    listed = {"existing": [theirs.listed]}
    await walk.hand.create(account(namespace, identity=listed))
    await walk.run(Fuse()).look(Key(ACCOUNTS, "", namespace))
    identity = {"existing": theirs.name}
    await walk.hand.create(chatbot(namespace, account=namespace, identity=identity))
    return namespace, theirs


async def conditions(walk, namespace):
    found = await walk.hand.conditions(namespace)
    return {kind: (c["status"], c["reason"]) for kind, c in found.items()}


async def denied(walk, operator, namespace):
    """Passes until the credential is taken."""
    for _ in range(20):
        await operator.look(key(namespace))
        found = await conditions(walk, namespace)
        if found["FederationReady"] == ("False", "Withdrawn"):
            return
    raise AssertionError(found)


async def test_a_life_cut_off_after_any_write_leaves_what_is_theirs_as_it_was(walk):
    reference, _ = await begun(walk)
    making, leaving = Fuse(), Fuse()
    await walk.run(making).settle(key(reference))
    made = await conditions(walk, reference)
    await walk.hand.delete(CHATBOTS, reference)
    await walk.run(leaving).settle(key(reference))
    assert "put_credential" in making.writes
    assert "delete_credential" in leaving.writes
    azures = {"put_identity", "tag_identity", "delete_identity", "put_assignment"}
    assert not (azures | {"delete_assignment"}) & {*making.writes, *leaving.writes}

    async def disturb(at, *, lost):
        namespace, theirs = await begun(walk)
        before = await theirs.all()
        await walk.disturbed(namespace, at, lost=lost)
        assert await conditions(walk, namespace) == made
        assert len(await theirs.ours()) == 1
        await walk.hand.delete(CHATBOTS, namespace)
        await walk.disturbed(namespace, at, lost=lost)
        assert await walk.hand.get(CHATBOTS, namespace) is None
        assert await walk.hand.children(namespace) == {}
        assert await theirs.all() == before
        await walk.hand.delete(ACCOUNTS, "", namespace)

    await each(walk, max(len(making.writes), len(leaving.writes)), disturb)


async def test_one_taken_away_while_it_was_being_made_leaves_no_credential(walk):
    reference, _ = await begun(walk)
    making = Fuse()
    await walk.run(making).settle(key(reference))

    async def disturb(at, *, lost):
        (namespace, theirs), fuse = await begun(walk), Fuse(at, lost=lost)
        before = await theirs.all()
        await walk.until_stopped(walk.run(fuse), namespace, fuse)
        await walk.hand.delete(CHATBOTS, namespace)
        await walk.hand.delete(ACCOUNTS, "", namespace)
        await walk.run(Fuse()).settle(key(namespace))
        assert await walk.hand.get(CHATBOTS, namespace) is None
        assert await theirs.all() == before

    await each(walk, len(making.writes), disturb, ways=(False,))


async def test_a_withdrawal_and_a_new_consent_end_alike_wherever_they_were_cut_off(walk):
    async def consent(namespace, *listed):
        spec = {"identity": {"existing": list(listed)}}
        await walk.hand.edit(ACCOUNTS, "", {"spec": spec}, namespace)

    async def working():
        namespace, theirs = await begun(walk)
        await walk.run(Fuse()).settle(key(namespace))
        return namespace, theirs

    reference, theirs = await working()
    taking, giving = Fuse(), Fuse()
    await consent(reference)
    await denied(walk, walk.run(taking), reference)
    taken = await conditions(walk, reference)
    await consent(reference, theirs.listed)
    await walk.run(giving).settle(key(reference))
    given = await conditions(walk, reference)
    assert {"patch Deployment", "delete_credential"} <= set(taking.writes)
    assert {"apply Deployment", "put_credential"} <= set(giving.writes)

    async def disturb(at, *, lost):
        (namespace, theirs), fuse = await working(), Fuse(at, lost=lost)
        await consent(namespace)
        await cut_off(denied(walk, walk.run(fuse), namespace), fuse)
        await denied(walk, walk.run(Fuse()), namespace)
        assert await conditions(walk, namespace) == taken
        assert await theirs.ours() == []
        await consent(namespace, theirs.listed)
        await walk.disturbed(namespace, at, lost=lost)
        assert await conditions(walk, namespace) == given
        assert len(await theirs.ours()) == 1
        await walk.hand.delete(ACCOUNTS, "", namespace)

    await each(walk, max(len(taking.writes), len(giving.writes)), disturb)
