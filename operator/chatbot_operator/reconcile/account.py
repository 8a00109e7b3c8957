"""A pass over an AzureOpenAIAccount."""

from __future__ import annotations

from dataclasses import replace

from chatbot_operator import backoff, ports
from chatbot_operator.account import Account
from chatbot_operator.errors import Blind, Fault, Stuck
from chatbot_operator.ports import World
from chatbot_operator.reconcile.memory import Examined, Memory
from chatbot_operator.reconcile.orphans import orphans
from chatbot_operator.reconcile.outcome import Again, watched, write_status
from chatbot_operator.status import (
    Condition,
    State,
    because,
    by_type,
    document,
    transitioned,
    true,
)
from chatbot_operator.steps.account import Examination, examine
from chatbot_operator.steps.rights import fit

FRESH_SECONDS = 30.0
FACTS = ("endpoint", "location", "deployments", "findings")

_USABLE = true("Usable", "Usable", "The account accepts Entra tokens.")


async def examine_account(world: World, account: Account, memory: Memory, chatbots: int) -> Again:
    """Look at the account in Azure and say in its status whether chatbots can use it."""
    said = await _examined(world, account, memory)
    _note_rights(world, account, said.rights)
    fault, known = said.fault, {k: account.status[k] for k in FACTS if k in account.status}
    status = document(
        [_usable(account, fault), *filter(None, (said.reachable, said.rights))],
        {**known, **said.facts, "chatbots": chatbots},
        generation=account.generation,
        previous=account.status,
        now=world.now(),
    )
    await write_status(world, ports.ACCOUNTS, account, status)
    if fault is not None:
        return Again(seconds=fault.retry_after, failed=True, fault=fault)
    return Again(seconds=backoff.phase(account.uid, world.installation.resync))


async def _examined(world: World, account: Account, memory: Memory) -> Examination:
    """Give what Azure says of the account; for a moment, what it has just said.

    Every chatbot that comes or goes has its account looked at, for the number of them.
    """
    known = memory.examined.get(account.uid)
    if (
        known
        and known.generation == account.generation
        and (world.now() - known.seen).total_seconds() < FRESH_SECONDS
    ):
        return known.said
    memory.examined.pop(account.uid, None)
    with world.step("RightsFit"):
        fitting = await fit(world, account)
    try:
        async with watched(world, "Usable"):
            said = replace(await examine(world, account), rights=fitting)
            if said.fault is None:
                told = await orphans(world, account, memory, said.facts["findings"])
                said = replace(said, facts={**said.facts, "findings": told})
    except Fault as raised:
        return replace(_unanswered(account, raised), rights=fitting)
    if said.fault is None:
        memory.examined[account.uid] = Examined(account.generation, said, world.now())
    return said


def _unanswered(account: Account, fault: Fault) -> Examination:
    """Leave what was known of an account of which Azure says nothing at the moment."""
    return Examination({}, by_type(account.status).get("Reachable"), fault)


def _note_rights(world: World, account: Account, found: Condition | None) -> None:
    known = by_type(account.status).get("RightsFit")
    if found and found.status == "False" and found != known:
        world.journal.note(found.reason, found.message, warning=True)


def _usable(account: Account, fault: Fault | None) -> Condition:
    """Judge the account; what Azure only failed to say does not unmake what was known."""
    known = transitioned(account.status, "Usable", "True") is not None
    if fault is None or (known and not isinstance(fault, Stuck)):
        return _USABLE
    state: State = "False" if isinstance(fault, Stuck | Blind) else "Unknown"
    return because("Usable", state, fault)
