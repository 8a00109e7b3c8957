"""A pass over an AzureOpenAIAccount."""

from __future__ import annotations

from typing import Any

from chatbot_operator import backoff, ports
from chatbot_operator.account import Account
from chatbot_operator.errors import Fault, Stuck, Transient
from chatbot_operator.ports import World
from chatbot_operator.reconcile.outcome import Again, judging, write_status
from chatbot_operator.status import Condition, document, false, transitioned, true, unknown
from chatbot_operator.steps.account import examine

_USABLE = true("Usable", "Usable", "The account accepts Entra tokens.")


async def examine_account(world: World, account: Account, chatbots: int) -> Again:
    """Look at the account in Azure and say in its status whether chatbots can use it."""
    facts: dict[str, Any] = {
        key: account.status[key]
        for key in ("endpoint", "location", "deployments")
        if key in account.status
    }
    fault: Fault | None = None
    try:
        async with judging():
            facts |= await examine(world, account)
    except Fault as raised:
        fault = raised
    status = document(
        [_usable(account, fault)],
        {**facts, "chatbots": chatbots},
        generation=account.generation,
        previous=account.status,
        now=world.now(),
    )
    await write_status(world, ports.ACCOUNTS, account, {"name": account.name}, status)
    if fault is not None:
        return Again(seconds=fault.retry_after, failed=True, fault=fault)
    return Again(seconds=backoff.phase(account.uid, world.installation.resync))


def _usable(account: Account, fault: Fault | None) -> Condition:
    """Judge the account; a call that failed in passing does not unmake what was known."""
    if fault is None:
        return _USABLE
    if isinstance(fault, Transient) and transitioned(account.status, "Usable", "True"):
        return _USABLE
    state = false if isinstance(fault, Stuck) else unknown
    return state("Usable", fault.reason, fault.message)
