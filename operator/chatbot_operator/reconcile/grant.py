"""What a chatbot has in Azure: identity, role, credential."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from chatbot_operator import backoff, ports
from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import Blind, Transient
from chatbot_operator.ports import Identity, World
from chatbot_operator.reconcile.memory import Granted, Memory
from chatbot_operator.reconcile.outcome import Findings, conditions_of, judging, publish
from chatbot_operator.reconcile.survey import confirms, survey
from chatbot_operator.status import Condition, stamp, summarize, true, unknown
from chatbot_operator.steps.children import require_free
from chatbot_operator.steps.existing import existing, existing_place, usable
from chatbot_operator.steps.federation import federated, federation, let_go
from chatbot_operator.steps.identity import find, identity
from chatbot_operator.steps.role import leave, role
from chatbot_operator.steps.together import both

DOUBT_SECONDS = 30.0
"""How long what Azure said is believed when pods say otherwise; `resync` when they do not.

A federated credential may be read every other second at most (managed identity throttling limits).
"""

DOUBTFUL = frozenset(
    {
        *("RolePropagating", "RoleMisconfigured", "IdentityUnknownToEntra"),
        *("FederationPropagating", "FederationMisconfigured"),
    }
)
"""What a pod is refused with that may mean that Azure no longer holds what it did."""

GRANTS = ("IdentityReady", "RoleAssigned", "FederationReady")


async def grant(
    world: World, chatbot: Chatbot, account: Account, memory: Memory, findings: Findings
) -> Identity:
    """Give the identity with all it needs in Azure: as remembered if that is believed, else made.

    Where Azure cannot be asked, what a working chatbot has is taken to be as it was.
    """
    try:
        known = await _standing(world, chatbot, account, memory)
        if known is None:
            memory.granted[chatbot.uid] = None
            mine = await _make(world, chatbot, account, findings)
            known = Granted(account.account_id, account.identity_tags, mine, world.now())
        else:
            findings.conditions += _kept(chatbot)
    except (Transient, Blind) as fault:
        if not (fault.unseen and _works(chatbot)):
            raise
        findings.conditions = [c for c in findings.conditions if c.type not in GRANTS]
        findings.conditions += _kept(chatbot)
        findings.trouble = fault
        findings.degrade(fault)
        return _last_known(world, chatbot)
    memory.granted[chatbot.uid] = known
    return known.identity


async def _standing(
    world: World, chatbot: Chatbot, account: Account, memory: Memory
) -> Granted | None:
    """Give what the chatbot holds, if that still counts without reading all of it anew.

    Lists tell of identity and role; only the credential has to be read, once a resync.
    """
    unseen = chatbot.uid not in memory.granted
    known = _recorded(world, chatbot, account) if unseen else memory.granted[chatbot.uid]
    if known is None or not _trusted(world, chatbot, account, known):
        return None
    lists = await survey(world, account, memory) if _works(chatbot) else None
    if lists and lists.seen > known.seen and not confirms(lists, world, chatbot, account):
        return None
    if _age(world, known) < world.installation.resync:
        return known
    if not lists or lists.seen <= known.seen:
        return None
    async with judging():
        holds = await federated(world, chatbot, known.identity)
    return replace(known, seen=world.now()) if holds else None


def _trusted(world: World, chatbot: Chatbot, account: Account, known: Granted) -> bool:
    """Tell whether nothing contradicts what Azure held a while ago.

    Another issuer of the cluster's tokens needs a credential of its own.

    A pod that is refused casts doubt on it; pods that do not start say nothing about Azure.
    """
    recorded, identity = chatbot.recorded, known.identity
    ids = (recorded.principal_id, recorded.client_id) == (identity.principal_id, identity.client_id)
    same = ids and known.account_id == account.account_id and len(_kept(chatbot)) == len(GRANTS)
    same = same and known.tags == account.identity_tags
    same = same and chatbot.recorded.issuer in ("", world.installation.issuer)
    if chatbot.existing:
        same = same and usable(identity, chatbot, account, world.installation)
    return same and not (_refused(chatbot) and _age(world, known) >= DOUBT_SECONDS)


def _recorded(world: World, chatbot: Chatbot, account: Account) -> Granted | None:
    """Give what the status of a working chatbot says, to an operator that has just started.

    Its age is made up, so that a fleet's credentials are not all read at once; lists are asked at
    any rate.
    """
    if not _works(chatbot) or _refused(chatbot):
        return None
    age = backoff.share(chatbot.uid) * world.installation.resync
    seen = world.now() - dt.timedelta(seconds=age)
    mine = _last_known(world, chatbot)
    return Granted(chatbot.recorded.account_id, account.identity_tags, mine, seen)


def _refused(chatbot: Chatbot) -> bool:
    return any(c.type == "AccessProven" and c.reason in DOUBTFUL for c in conditions_of(chatbot))


def _age(world: World, known: Granted) -> float:
    return (world.now() - known.seen).total_seconds()


def _kept(chatbot: Chatbot) -> list[Condition]:
    return [c for c in conditions_of(chatbot) if c.type in GRANTS and c.status == "True"]


def _last_known(world: World, chatbot: Chatbot) -> Identity:
    recorded = chatbot.recorded
    return Identity(
        id=recorded.identity_id,
        name=recorded.identity_id.rpartition("/")[2],
        location="",
        principal_id=recorded.principal_id,
        client_id=recorded.client_id,
        tenant_id=world.installation.tenant_id,
    )


async def _make(world: World, chatbot: Chatbot, account: Account, findings: Findings) -> Identity:
    """Make the identity, and give it role and credential at the same time."""
    async with findings.step("IdentityReady", "Exists") as said:
        # A credential for an account that is not ours would let other pods in.
        await require_free(world, chatbot, ports.SERVICE_ACCOUNTS)
        if chatbot.existing:
            at, mine = await _take_up(world, chatbot, account, findings)
        else:
            at, live = await find(world, chatbot, account)
            await leave(world, chatbot, account)
            await _record_intent(world, chatbot, account, findings, at)
            mine = await identity(world, chatbot, account, at=at, live=live)
        said.append(mine.name)
    apart = Findings(watch=world.step)

    async def assign() -> bool:
        others = bool(chatbot.existing) or not world.installation.manage.roles
        written = False
        async with (
            _unseen(findings, "RoleAssigned", others=others),
            findings.step("RoleAssigned", "Assigned") as said,
        ):
            written = await role(world, chatbot, account, mine)
            said.append("Cognitive Services OpenAI User on the account.")
        # Not before: the assignment of an identity that is gone is found by what is recorded.
        findings.facts["identity"] = {
            "id": at,
            "clientId": mine.client_id,
            "principalId": mine.principal_id,
        }
        return written

    async def federate() -> bool:
        others = not world.installation.manage.identities
        written = False
        async with (
            _unseen(apart, "FederationReady", others=others),
            apart.step("FederationReady", "Federated") as said,
        ):
            written = await federation(world, chatbot, mine)
            said.append(f"Trusts service account {chatbot.namespace}/{chatbot.name}.")
        findings.facts["resolved"]["issuer"] = world.installation.issuer
        return written

    try:
        assigned, federated = await both(assign(), federate())
    finally:
        findings.conditions += apart.conditions
    now, since = stamp(world.now()), chatbot.recorded
    findings.facts["grantedAt"] = {
        "role": now if assigned else since.role_since or now,
        "credential": now if federated else since.credential_since or now,
    }
    return mine


async def _take_up(
    world: World, chatbot: Chatbot, account: Account, findings: Findings
) -> tuple[str, Identity]:
    """Give the identity that the chatbot names, let go of one that the name stood for before."""
    mine = await existing(world, chatbot, account)
    at = existing_place(chatbot, account, world.installation)
    before = chatbot.recorded.identity_id
    if before and before.lower() != at.lower():
        await let_go(world, chatbot)
    await _record_intent(world, chatbot, account, findings, at)
    return at, mine


@asynccontextmanager
async def _unseen(findings: Findings, kind: str, *, others: bool) -> AsyncIterator[None]:
    """Leave to the proof what `others` see to and the operator may not even read."""
    try:
        yield
    except Blind as fault:
        if not (others and fault.unseen and fault.reason == "AzureAccessDenied"):
            raise
        said = f"The operator may not read it; the proof decides. {fault.message}"
        findings.put(true(kind, "NotVerified", said))


async def _record_intent(
    world: World, chatbot: Chatbot, account: Account, findings: Findings, at: str
) -> None:
    """Write down what is about to be made before it is made, so that deletion finds it.

    The account object may be gone by then, and a pass may be cut off right after its first PUT.
    """
    findings.facts["resolved"] = {
        **findings.facts.get("resolved", {}),
        "accountId": account.account_id,
        "endpoint": account.endpoint,
    }
    findings.facts["identity"] = {**findings.facts.get("identity", {}), "id": at}
    if (chatbot.recorded.account_id, chatbot.recorded.identity_id) == (account.account_id, at):
        return
    starting = unknown("IdentityReady", "Creating", "Making the managed identity.")
    conditions = summarize([*findings.conditions, starting], stalled=False)
    await publish(world, chatbot, conditions, findings.facts)


def _works(chatbot: Chatbot) -> bool:
    """Tell whether the chatbot was proven and has all it needs in Azure, as last published."""
    recorded = chatbot.recorded
    known = recorded.identity_id and recorded.client_id and recorded.principal_id
    return bool(known and recorded.proven_at and len(_kept(chatbot)) == len(GRANTS))
