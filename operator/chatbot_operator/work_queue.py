"""A queue of keys: each at most once, one pass per key at a time, failures backing off.

What kopf's handlers do with events loses work when edits cross or a write fails; a queue of keys
that are looked at afresh does not (operator/decisions/0001).
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
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

    A key that is added while its pass runs gets another pass afterwards. `failed` counts the passes
    that failed, each of which is made again.
    """

    pass_: Callable[[K], Awaitable[Wait]]
    time: Callable[[], float]
    random: Callable[[], float]
    failed: int = 0
    _planned: dict[K, float] = field(default_factory=dict)
    _events: dict[K, float] = field(default_factory=dict)
    _not_before: dict[K, float] = field(default_factory=dict)
    _alarms: list[tuple[float, int, K]] = field(default_factory=list)
    _running: set[K] = field(default_factory=set)
    _failures: dict[K, int] = field(default_factory=dict)
    _order: itertools.count[int] = field(default_factory=itertools.count)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _closed: bool = False
    _ended: float = -math.inf

    async def add(self, key: K, *, after: float = 0.0, urgent: bool = False) -> None:
        """Have a pass made over `key` in `after` seconds, or earlier if that was planned.

        Not before a failed pass's wait is over, nor right after any pass, unless it is `urgent`:
        what a pass itself writes comes back as events.
        """
        async with self._changed:
            before = self._due(key)
            asked = self._planned if urgent else self._events
            asked[key] = min(self.time() + after, asked.get(key, math.inf))
            if self._due(key) < before:
                self._alarm(key, self._due(key))
                self._changed.notify_all()

    async def work(self) -> None:
        """Make passes, one after the other, until closed; run several of these at once."""
        while (key := await self._next()) is not None:
            await self._finish(key, await self.pass_(key))

    async def close(self, seconds: float) -> bool:
        """Begin no more passes; tell whether those under way ended within `seconds`."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()
            try:
                async with asyncio.timeout(seconds):
                    await self._changed.wait_for(lambda: not self._running)
            except TimeoutError:
                return False
        return True

    def waits(self) -> list[float]:
        """Tell of each key that is due and waits for its pass for how many seconds it has."""
        now = self.time()
        due = (self._due(key) for key in {*self._planned, *self._events} - self._running)
        return [now - since for since in due if since <= now]

    def running(self) -> int:
        """Tell how many passes are under way."""
        return len(self._running)

    def idle(self) -> float:
        """Tell for how many seconds no pass came to its end."""
        return self.time() - self._ended

    async def _next(self) -> K | None:
        async with self._changed:
            while not self._closed:
                key, left = self._ready()
                if key is not None:
                    return key
                # wait_for can swallow a cancellation before Python 3.12 (python/cpython#86296).
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await self._changed.wait()
        return None

    def _ready(self) -> tuple[K | None, float | None]:
        """Take the key that is due, or tell the seconds until one may be."""
        now = self.time()
        while self._alarms and self._alarms[0][0] <= now:
            key = heapq.heappop(self._alarms)[2]
            if self._due(key) <= now and key not in self._running:
                for asked in (self._planned, self._events, self._not_before):
                    asked.pop(key, None)
                self._running.add(key)
                return key, None
            if self._due(key) == math.inf and self._not_before.get(key, math.inf) <= now:
                del self._not_before[key]
        return None, self._alarms[0][0] - now if self._alarms else None

    async def _finish(self, key: K, wait: Wait) -> None:
        async with self._changed:
            self._running.discard(key)
            now = self._ended = self.time()
            planned = self._next_due(key, wait, now)
            self._not_before[key] = planned if wait.failed else now + GAP_SECONDS
            planned = min(planned, self._planned.get(key, math.inf))
            if planned < math.inf:
                self._planned[key] = planned
            due = self._due(key)
            # With nothing due, the alarm serves to forget the key.
            self._alarm(key, due if due < math.inf else self._not_before[key])
            self._changed.notify_all()

    def _next_due(self, key: K, wait: Wait, now: float) -> float:
        if not wait.failed:
            self._failures.pop(key, None)
            return math.inf if wait.seconds is None else now + wait.seconds
        self.failed += 1
        attempt = self._failures[key] = self._failures.get(key, 0) + 1
        least = wait.seconds or 0.0
        return now + backoff.delay(attempt, at_least=least, random=self.random())

    def _due(self, key: K) -> float:
        """Tell when the key's next pass may begin; never is infinite."""
        event = max(self._events.get(key, math.inf), self._not_before.get(key, 0.0))
        return min(event, self._planned.get(key, math.inf))

    def _alarm(self, key: K, time: float) -> None:
        """Have the key looked at then: there is an alarm for every due, and some for none."""
        heapq.heappush(self._alarms, (time, next(self._order), key))
