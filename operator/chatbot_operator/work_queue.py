"""A queue of keys: each at most once, one pass per key at a time, failures backing off.

What kopf's handlers do with events loses work when edits cross or a write fails; a queue of keys
that are looked at afresh does not (operator/decisions/0001).
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from chatbot_operator import backoff

K = TypeVar("K", bound=Hashable)

GAP_SECONDS = 0.5
"""Between a pass and another that an event asks for; what the pass itself plans comes sooner."""


@dataclass(frozen=True, slots=True)
class Wait:
    """How long until a key's next pass: `seconds` (None: until it is added), or a backoff."""

    seconds: float | None
    failed: bool


@dataclass(slots=True)
class WorkQueue(Generic[K]):
    """The queue. `time` gives seconds, `random` numbers within [0, 1); `pass_` makes one pass.

    A key that is added while its pass runs gets another pass afterwards.
    """

    pass_: Callable[[K], Awaitable[Wait]]
    time: Callable[[], float]
    random: Callable[[], float]
    _due: dict[K, float] = field(default_factory=dict)
    _heap: list[tuple[float, int, K]] = field(default_factory=list)
    _running: set[K] = field(default_factory=set)
    _failures: dict[K, int] = field(default_factory=dict)
    _not_before: dict[K, float] = field(default_factory=dict)
    _urgent: set[K] = field(default_factory=set)
    _order: itertools.count[int] = field(default_factory=itertools.count)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def add(self, key: K, *, after: float = 0.0, urgent: bool = False) -> None:
        """Have a pass made over `key` in `after` seconds, or earlier if that was planned.

        Not before a failed pass's wait is over, nor right after any pass, unless it is `urgent`:
        what a pass itself writes comes back as events.
        """
        async with self._changed:
            due = self.time() + after
            if urgent:
                self._urgent.add(key)
            else:
                due = max(due, self._not_before.get(key, due))
            self._plan(key, due)
            self._changed.notify_all()

    async def work(self) -> None:
        """Make passes, one after the other, until cancelled; run several of these at once."""
        while True:
            key = await self._next()
            await self._finish(key, await self.pass_(key))

    def idle(self) -> bool:
        """Tell whether nothing runs and nothing is due."""
        return not self._running and all(due > self.time() for due in self._due.values())

    async def _next(self) -> K:
        async with self._changed:
            while True:
                key, left = self._ready()
                if key is not None:
                    return key
                # wait_for can swallow a cancellation before Python 3.12 (python/cpython#86296).
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await self._changed.wait()

    def _ready(self) -> tuple[K | None, float | None]:
        """Take the key that is due, or tell the seconds until one may be."""
        now = self.time()
        while self._heap:
            due, _, key = self._heap[0]
            if self._due.get(key) != due or key in self._running:
                heapq.heappop(self._heap)
            elif due > now:
                return None, due - now
            else:
                heapq.heappop(self._heap)
                del self._due[key]
                self._not_before.pop(key, None)
                self._urgent.discard(key)
                self._running.add(key)
                return key, None
        return None, None

    async def _finish(self, key: K, wait: Wait) -> None:
        async with self._changed:
            self._running.discard(key)
            now, added = self.time(), self._due.pop(key, None)
            due = self._next_due(key, wait, now)
            gap = due if wait.failed and due is not None else now + GAP_SECONDS
            if added is not None:
                added = added if key in self._urgent else max(added, gap)
                due = added if due is None else min(added, due)
            if due is not None:
                self._not_before[key] = gap
                self._plan(key, due)
            self._changed.notify_all()

    def _next_due(self, key: K, wait: Wait, now: float) -> float | None:
        if not wait.failed:
            self._failures.pop(key, None)
            return None if wait.seconds is None else now + wait.seconds
        attempt = self._failures[key] = self._failures.get(key, 0) + 1
        least = wait.seconds or 0.0
        return now + backoff.delay(attempt, at_least=least, random=self.random())

    def _plan(self, key: K, due: float) -> None:
        if key in self._due and self._due[key] <= due:
            return
        self._due[key] = due
        heapq.heappush(self._heap, (due, next(self._order), key))
