"""What lists say of all that chatbots of one account have in Azure.

Two lists a resync stand for two reads of every chatbot. What they show to be as it should is taken
for that; where they differ, Azure is read before anything is written: a list may be older than the
last write.
"""

from __future__ import annotations

from chatbot_operator import backoff
from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import Fault
from chatbot_operator.ports import Identity, Installation, World
from chatbot_operator.reconcile.memory import Memory, Survey
from chatbot_operator.reconcile.outcome import judging
from chatbot_operator.steps import existing, identity, role
from chatbot_operator.steps.together import both

SHARE = 0.8
"""Of a resync, after which a list is made anew: chatbots that are due find one that is news."""
AGAIN_SECONDS = 60.0
"""After a list that failed."""


def confirms(lists: Survey, world: World, chatbot: Chatbot, account: Account) -> bool:
    """Tell whether the chatbot's identity and role are as recorded and as they should be."""
    recorded = chatbot.recorded
    live = lists.identities.get(recorded.identity_id.lower())
    return (
        live is not None
        and (live.principal_id, live.client_id) == (recorded.principal_id, recorded.client_id)
        and _as_wanted(live, chatbot, account, world.installation)
        and role.held(lists.assignments, chatbot, account, live, world.installation)
    )


def _as_wanted(
    live: Identity, chatbot: Chatbot, account: Account, installation: Installation
) -> bool:
    if chatbot.existing:
        return existing.usable(live, chatbot, account, installation)
    return identity.as_wanted(live, chatbot, account, installation)


async def survey(world: World, account: Account, memory: Memory) -> Survey | None:
    """Give the lists, as they were made less than a resync ago; None where they cannot be made.

    However many chatbots ask, they are made once.
    """
    group = identity.group_id(account, world.installation)
    if not group:
        return None
    where = (account.account_id, group)
    async with memory.surveying[account.uid]:
        known = memory.surveys.get(account.uid)
        if known is None or known.where != where or _is_old(world, account, known):
            known = memory.surveys[account.uid] = await _made(world, where)
    return None if known.failed else known


def _is_old(world: World, account: Account, known: Survey) -> bool:
    period = backoff.phase(account.uid, SHARE * world.installation.resync)
    limit = AGAIN_SECONDS if known.failed else period
    return (world.now() - known.seen).total_seconds() >= limit


async def _made(world: World, where: tuple[str, str]) -> Survey:
    account_id, group_id = where
    # Not after: what is written while a list is made may be missing from it.
    seen = world.now()
    try:
        async with judging():
            identities, assignments = await both(
                world.azure.identities(group_id), world.azure.assignments_at(account_id)
            )
    except Fault:
        return Survey(where, seen, failed=True)
    by_id = {each.id.lower(): each for each in identities}
    return Survey(where, seen, identities=by_id, assignments=tuple(assignments))
