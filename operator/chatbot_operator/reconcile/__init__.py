"""One pass over a chatbot or an account.

Level-triggered: a pass looks at what is, not at what happened. It may be cut off at any await, and
the next one converges.
"""

from __future__ import annotations

from dataclasses import replace

from chatbot_operator import ports
from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import Fault
from chatbot_operator.ports import Journal, Object, World
from chatbot_operator.reconcile.account import examine_account
from chatbot_operator.reconcile.down import bury, down
from chatbot_operator.reconcile.events import tell
from chatbot_operator.reconcile.memory import Memory
from chatbot_operator.reconcile.outcome import Again, Key, judging
from chatbot_operator.reconcile.up import up

__all__ = ["Again", "Key", "Memory", "reconcile"]


async def reconcile(world: World, key: Key, *, memory: Memory, chatbots: int = 0) -> Again:
    """Make one pass; `chatbots` is how many name the account, where `key` is one."""
    world = replace(world, journal=Journal())
    body: Object | None = None
    try:
        async with judging():
            body = await world.kubernetes.get(key.resource, key.namespace, key.name)
            await _bury(world, key, body, memory)
            if body is None:
                return Again()
            again = await _pass(world, key, body, memory, chatbots)
    except Fault as fault:
        again = Again(seconds=fault.retry_after, failed=True, fault=fault)
    if body is not None:
        await tell(world, memory.told, body)
    return again


async def _bury(world: World, key: Key, body: Object | None, memory: Memory) -> None:
    """See to a chatbot of this name that is gone although nothing was taken away before."""
    before = memory.lives.get((key.namespace, key.name))
    if before is not None and (body is None or body["metadata"]["uid"] != before.uid):
        await bury(world, before, memory)


async def _pass(world: World, key: Key, body: Object, memory: Memory, chatbots: int) -> Again:
    if key.resource == ports.ACCOUNTS:
        return await examine_account(world, Account.parse(body), memory, chatbots)
    chatbot = Chatbot.parse(body)
    if chatbot.deleted_at is not None:
        return await down(world, chatbot, memory)
    again = await up(world, chatbot, memory)
    if memory.granted.get(chatbot.uid):
        memory.lives[chatbot.namespace, chatbot.name] = chatbot
    return again
