"""What a chatbot has in Azure: identity, role, credential."""

from __future__ import annotations

from chatbot_operator import ports
from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import Blind, Transient
from chatbot_operator.ports import Identity, World
from chatbot_operator.reconcile.memory import Granted, Memory
from chatbot_operator.reconcile.outcome import Findings, conditions_of, publish
from chatbot_operator.status import Condition, stamp, summarize, unknown
from chatbot_operator.steps.children import require_free
from chatbot_operator.steps.federation import federation
from chatbot_operator.steps.identity import find, identity
from chatbot_operator.steps.role import leave, role
from chatbot_operator.steps.together import both

DOUBT_SECONDS = 30.0
"""How long what Azure said is believed when pods say otherwise; `resync` when they do not.

A federated credential may be read every other second at most (managed identity throttling limits).
"""

GRANTS = ("IdentityReady", "RoleAssigned", "FederationReady")


async def grant(
    world: World, chatbot: Chatbot, account: Account, memory: Memory, findings: Findings
) -> Identity:
    """Give the identity with all it needs in Azure: as remembered if that is believed, else made.

    Where Azure cannot be asked, what a working chatbot has is taken to be as it was.
    """
    known = memory.granted.get(chatbot.uid)
    if known and _believed(world, chatbot, account, known):
        findings.conditions += _kept(chatbot)
        return known.identity
    memory.granted.pop(chatbot.uid, None)
    try:
        mine = await _make(world, chatbot, account, findings)
    except (Transient, Blind) as fault:
        if not (fault.unseen and _works(chatbot)):
            raise
        findings.conditions = [c for c in findings.conditions if c.type not in GRANTS]
        findings.conditions += _kept(chatbot)
        findings.trouble = fault
        findings.degrade(fault.reason, fault.message)
        return _last_known(world, chatbot)
    memory.granted[chatbot.uid] = Granted(account.account_id, mine, world.now())
    return mine


def _believed(world: World, chatbot: Chatbot, account: Account, known: Granted) -> bool:
    """Tell whether what Azure held a while ago still counts.

    A pod that is refused casts doubt on it; pods that do not start say nothing about Azure.
    """
    refused = any(
        c.type == "AccessProven" and c.reason.startswith(("Role", "Federation"))
        for c in conditions_of(chatbot)
    )
    age = (world.now() - known.seen).total_seconds()
    same = known.account_id == account.account_id and len(_kept(chatbot)) == len(GRANTS)
    return same and age < (DOUBT_SECONDS if refused else world.installation.resync)


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
        at, live = await find(world, chatbot, account)
        await leave(world, chatbot, account)
        await _record_intent(world, chatbot, account, findings, at)
        mine = await identity(world, chatbot, account, at=at, live=live)
        said.append(mine.name)
    apart = Findings()

    async def assign() -> bool:
        async with findings.step("RoleAssigned", "Assigned") as said:
            written = await role(world, chatbot, account, mine)
            # Not before: the assignment of an identity that is gone is found by what is recorded.
            findings.facts["identity"] = {
                "id": at,
                "clientId": mine.client_id,
                "principalId": mine.principal_id,
            }
            said.append("Cognitive Services OpenAI User on the account.")
            return written

    async def federate() -> bool:
        async with apart.step("FederationReady", "Federated") as said:
            written = await federation(world, chatbot, mine)
            said.append(f"Trusts service account {chatbot.namespace}/{chatbot.name}.")
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
