"""Lists, compared now and then with what watches told.

A list that follows a broken watch is not compared with anything in kopf: an object that was deleted
meanwhile stays known for ever, and a change that fell into the gap is never told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NoReturn, Protocol

from chatbot_operator import backoff
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, Object, Resource
from chatbot_operator.told import Place, Told, compared

log = logging.getLogger("chatbot_operator")

FIRST_SECONDS = 60.0
"""From the start to the first comparison: what the watches list at first should have come in."""


class Lists(Protocol):
    """The call that a comparison takes."""

    async def every(self, resource: Resource) -> list[Object]:
        """List the objects of a kind, wherever they are; raises KubernetesRefusal."""


async def resync(
    lists: Lists,
    told: Told,
    *,
    every: float,
    random: Callable[[], float],
    heard: Callable[[], None],
) -> NoReturn:
    """Compare about every so many seconds, for ever; `heard` is called after each success.

    `random` gives numbers within [0, 1), so that many operators do not list at once.
    """
    wait, attempt = min(FIRST_SECONDS, every), 0
    while True:
        await asyncio.sleep(wait * (0.9 + random() / 5))
        try:
            await compare(lists, told)
        except KubernetesRefusal as refusal:
            attempt += 1
            wait = min(every, backoff.delay(attempt, random=random()))
            log.warning("not listed", extra={"fields": {"cause": str(refusal)}})
        else:
            wait, attempt = every, 0
            heard()


async def compare(lists: Lists, told: Told) -> None:
    """Make one comparison, and tell what is news."""
    before = told.chatbots.places
    listed = _by_place(await lists.every(CHATBOTS))
    gone, there = compared(before, frozenset(listed), told.chatbots.places)
    for place in gone:
        await told.no_chatbot(*place)
    for place in there:
        await told.chatbot(listed[place])
    before = told.accounts.places
    listed = _by_place(await lists.every(ACCOUNTS))
    gone, there = compared(before, frozenset(listed), told.accounts.places)
    for _, name in gone:
        await told.no_account(name)
    for place in there:
        await told.account(listed[place])


def _by_place(bodies: list[Object]) -> dict[Place, Object]:
    meta = [body["metadata"] for body in bodies]
    places = [(each.get("namespace", ""), each["name"]) for each in meta]
    return dict(zip(places, bodies, strict=True))
