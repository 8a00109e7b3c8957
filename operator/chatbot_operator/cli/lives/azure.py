"""Questions to Azure that may be refused one by one, and many calls at a bearable pace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Final, TypeVar

from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.errors import Refusal, Service

T = TypeVar("T")
X = TypeVar("X")

AT_ONCE: Final = 16
"""Calls under way; the adapter's budget says when each may leave."""
TRIES: Final = 5
LONGEST_PAUSE: Final = 60.0
"""Seconds that a person waits for Azure, each time that it asks for a pause."""
NOT_THERE: Final = frozenset(
    {"ResourceNotFound", "ResourceGroupNotFound", "ParentResourceNotFound"}
)
"""What Azure says of something that is gone, alone or with what contained it."""


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Make a call to Azure, again after the pauses that it asks for; raises Refusal."""
    for _ in range(TRIES - 1):
        try:
            return await call()
        except Refusal as refusal:
            if refusal.status != HTTPStatus.TOO_MANY_REQUESTS:
                raise
            await asyncio.sleep(min(LONGEST_PAUSE, max(1.0, refusal.retry_after)))
    return await call()


async def each(things: Iterable[X], do: Callable[[X], Awaitable[T]]) -> list[T]:
    """Do something with each, some at once; gives the results in order."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(thing: X) -> T:
        async with turns:
            return await do(thing)

    return await asyncio.gather(*(one(thing) for thing in things))


class Questions:
    """Asks Azure, and keeps what it did not answer: what is not known must not look like nothing.

    `gaps` says what, as checks; whoever is not signed in at all gets the Refusal itself.
    """

    def __init__(self) -> None:
        self.gaps: list[Check] = []

    async def ask(
        self, what: str, right: str, call: Callable[[], Awaitable[list[T]]]
    ) -> list[T] | None:
        """Ask for a list; empty where what holds it is gone, None where there was no answer.

        `right` is the action of Azure without which it is refused.
        """
        try:
            return await patiently(call)
        except Refusal as refusal:
            if refusal.service is Service.ENTRA:
                raise
            if refusal.code in NOT_THERE:
                return []
            self.gaps.append(Check(what, Mark.UNKNOWN, _why(refusal, right)))
            return None


def _why(refusal: Refusal, right: str) -> str:
    if refusal.status == HTTPStatus.FORBIDDEN:
        return f"not known: you may not; have {right} given to you there."
    return f"not known: {refusal}"
