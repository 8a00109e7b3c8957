"""The cluster's issuer changes: a second credential beside the old, which goes after a grace."""

from __future__ import annotations

from dataclasses import replace

from chatbot_operator import naming
from chatbot_operator.ports import Credential, Presented, Readiness
from unit.bodies import INSTALLATION
from unit.small_world import PROVEN, SmallWorld

BEFORE, AFTER = INSTALLATION.issuer, "https://issuer/after/"
GRACE, RESYNC = INSTALLATION.credential_grace, INSTALLATION.resync


async def changed():
    """A chatbot that worked, and an operator that starts with another issuer."""
    world = SmallWorld()
    await world.settle()
    world.world = replace(world.world, installation=replace(INSTALLATION, issuer=AFTER))
    world.restart()
    return world


def issuers(world):
    return sorted(each.issuer for each in world.azure.trusted.values())


async def test_the_new_issuer_is_trusted_at_once_beside_the_old():
    world = await changed()
    await world.look()
    assert issuers(world) == [BEFORE, AFTER]
    assert world.condition("Ready") == ("True", "Ready")
    assert world.chatbot["status"]["resolved"]["issuer"] == AFTER


async def test_the_old_credential_goes_when_its_grace_is_over():
    world = await changed()
    await world.look()
    await world.look(after=GRACE - 1)
    assert issuers(world) == [BEFORE, AFTER]
    for _ in range(3):
        await world.look(after=RESYNC)
    assert issuers(world) == [AFTER]
    assert [n.reason for n in world.cluster.told].count("CredentialRetired") == 1
    assert world.condition("LeastPrivilege") == ("True", "NothingForeign")
    await world.look(after=RESYNC)
    assert "delete credential" not in world.azure.asked


async def test_without_a_proof_the_old_credential_stays():
    world = await changed()
    world.pods.answer = Readiness("ExchangeRefused", "AADSTS700211: no match.", "")
    for _ in range(4):
        await world.look(after=RESYNC)
    assert issuers(world) == [BEFORE, AFTER]


def presenting(issuer, reason="Proven", proven_at=PROVEN.proven_at):
    """What a pod answers that has a token of this issuer."""
    subject = naming.subject("team", "support")
    claims = Presented(issuer, subject, INSTALLATION.audience)
    return Readiness(reason, "AADSTS700211: no match.", proven_at, claims)


async def test_while_a_pod_presents_the_former_issuer_its_credential_stays():
    world = await changed()
    world.pods.answer = presenting(BEFORE)
    for _ in range(4):
        await world.look(after=RESYNC)
    assert issuers(world) == [BEFORE, AFTER]
    assert world.condition("Ready") == ("True", "Ready")
    world.pods.answer = presenting(AFTER)
    await world.look(after=RESYNC)
    assert issuers(world) == [AFTER]


async def test_longer_tokens_make_a_longer_grace():
    world = await changed()
    life = 4 * GRACE
    world.chatbot["spec"]["serviceAccount"] = {"tokenExpirationSeconds": life}
    for _ in range(4):
        await world.look(after=life / 4 - 1)
    assert issuers(world) == [BEFORE, AFTER]
    for _ in range(2):
        await world.look(after=RESYNC)
    assert issuers(world) == [AFTER]


async def test_a_pod_that_is_refused_with_a_token_of_the_former_issuer_is_told_and_not_cut_off():
    world = await changed()
    world.pods.answer = presenting(BEFORE, "ExchangeRefused")
    for _ in range(4):
        await world.look(after=RESYNC)
    assert world.condition("AccessProven") == ("False", "FederationMisconfigured")
    said = next(c for c in world.chatbot["status"]["conditions"] if c["type"] == "AccessProven")
    for word in (BEFORE, AFTER, "restart whichever still has a token of the former one"):
        assert word in said["message"]
    assert issuers(world) == [BEFORE, AFTER]
    world.pods.answer = presenting(AFTER)
    for _ in range(3):
        await world.look(after=RESYNC)
    assert world.condition("Ready") == ("True", "Ready")
    assert issuers(world) == [AFTER]


async def test_credentials_that_are_not_ours_stay():
    world = await changed()
    (at,) = world.azure.held
    subject = naming.subject("team", "support")
    by_hand = Credential("by-hand", "https://other/", subject, ("a",))
    of_another = Credential(naming.credential_name("https://x/"), "https://x/", "other", ("a",))
    for each in (by_hand, of_another):
        world.azure.trusted[at, each.name] = each
    for _ in range(4):
        await world.look(after=RESYNC)
    assert {by_hand, of_another} <= set(world.azure.trusted.values())
    assert BEFORE not in issuers(world)
    assert world.condition("LeastPrivilege") == ("False", "ExtraCredential")
