"""A pass over an AzureOpenAIAccount."""

from __future__ import annotations

from typing import Any

from chatbot_operator import backoff, ports
from chatbot_operator.account import Account
from chatbot_operator.errors import Blind, Fault, Stuck
from chatbot_operator.ports import World
from chatbot_operator.reconcile.memory import Examined, Memory
from chatbot_operator.reconcile.outcome import Again, judging, write_status
from chatbot_operator.status import Condition, document, false, transitioned, true, unknown
from chatbot_operator.steps.account import examine

FRESH_SECONDS = 30.0

_USABLE = true("Usable", "Usable", "The account accepts Entra tokens.")


async def examine_account(world: World, account: Account, memory: Memory, chatbots: int) -> Again:
    """Look at the account in Azure and say in its status whether chatbots can use it."""
    facts: dict[str, Any] = {
        key: account.status[key]
        for key in ("endpoint", "location", "deployments")
        if key in account.status
    }
    fault: Fault | None = None
    try:
        async with judging():
            facts |= await _examined(world, account, memory)
    except Fault as raised:
        fault = raised
    status = document(
        [_usable(account, fault)],
        {**facts, "chatbots": chatbots},
        generation=account.generation,
        previous=account.status,
        now=world.now(),
    )
    await write_status(world, ports.ACCOUNTS, account, status)
    if fault is not None:
        return Again(seconds=fault.retry_after, failed=True, fault=fault)
    return Again(seconds=backoff.phase(account.uid, world.installation.resync))


async def _examined(world: World, account: Account, memory: Memory) -> dict[str, Any]:
    """Give what Azure says of the account; for a moment, what it has just said.

    Every chatbot that comes or goes has its account looked at, for the number of them.
    """
    known = memory.examined.get(account.uid)
    if (
        known
        and known.generation == account.generation
        and (world.now() - known.seen).total_seconds() < FRESH_SECONDS
    ):
        return known.facts
    memory.examined.pop(account.uid, None)
    facts = await examine(world, account)
    memory.examined[account.uid] = Examined(account.generation, facts, world.now())
    return facts


def _usable(account: Account, fault: Fault | None) -> Condition:
    """Judge the account; what Azure only failed to say does not unmake what was known."""
    known = transitioned(account.status, "Usable", "True") is not None
    if fault is None or (known and not isinstance(fault, Stuck)):
        return _USABLE
    state = false if isinstance(fault, Stuck | Blind) else unknown
    return state("Usable", fault.reason, fault.message)
