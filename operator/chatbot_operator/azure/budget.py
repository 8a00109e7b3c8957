"""How often Azure may be called: token buckets a little below Azure's, and pauses it asks for.

https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
and the limits of managed identities. One that is throttled keeps all others of its kind waiting
instead of letting each find out by itself.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

PATIENCE = 15.0
"""Seconds that a call waits for its turn; beyond, the work queue has better use for the worker."""
PAUSE_SECONDS = 2.0
"""After a 429 that does not say how long."""

REMAINING: Final = tuple(
    f"{whose}-{sort}"
    for whose in ("subscription", "subscription-global", "tenant")
    for sort in ("reads", "writes", "deletes")
)
"""What Azure says is left, in headers of this name behind _SAID."""
SAID_SECONDS = 60.0
"""How long it is believed: by then the buckets have filled up again, or more was said."""
_SAID: Final = "x-ms-ratelimit-remaining-"

_SUBSCRIPTION = re.compile(r"/subscriptions/([^/?]+)", re.IGNORECASE)
_CREDENTIAL = re.compile(r"/federatedIdentityCredentials/[^/]+$", re.IGNORECASE)
_CREDENTIALS = re.compile(r"/federatedIdentityCredentials/?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limit:
    """How many calls at once, and how many a second thereafter."""

    size: float
    rate: float


# One call, or a fifth, below what Azure allows: two calls may arrive closer than they were sent.
LIMITS: Final = {
    "reads": Limit(200, 25),
    "writes": Limit(160, 10),
    "deletes": Limit(160, 10),
    "reads of a credential": Limit(9, 10),
    "lists of credentials": Limit(4, 5),
    "writes of a credential": Limit(1, 2),
    "deletes of a credential": Limit(1, 2),
}


def kinds(method: str, path: str) -> tuple[str, ...]:
    """Name the limits that a call falls under, the narrowest last."""
    sort = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(method, "writes")
    if _CREDENTIAL.search(path):
        return sort, f"{sort} of a credential"
    if _CREDENTIALS.search(path):
        return sort, "lists of credentials"
    return (sort,)


@dataclass(slots=True)
class Bucket:
    """Gives out turns within a limit, in the order in which they are taken."""

    limit: Limit
    _next: float = float("-inf")

    def take(self, now: float) -> float:
        """Take a turn; give the seconds until it comes."""
        begin = max(self._next, now)
        self._next = begin + 1 / self.limit.rate
        return max(0.0, begin - (self.limit.size - 1) / self.limit.rate - now)

    def left(self, now: float) -> float:
        """Tell how many turns would come at once."""
        return max(0.0, self.limit.size - max(0.0, self._next - now) * self.limit.rate)


class PausedError(Exception):
    """It is too long until calls of this kind may be made again; `seconds` says how long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"paused for {seconds:.0f} s")
        self.seconds = seconds


@dataclass(slots=True)
class Budget:
    """The turns of one caller in all subscriptions. `time` gives seconds, `sleep` waits some."""

    time: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    _buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)
    _paused: dict[tuple[str, str], float] = field(default_factory=dict)
    _said: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    async def turn(self, method: str, path: str) -> None:
        """Wait until a call may be made; raises PausedError if that is long."""
        keys = _keys(method, path)
        self._require_open(keys)
        turns = [self._bucket(key).take(self.time()) for key in keys]
        await self.sleep(max(turns))
        while (left := self._require_open(keys)) > 0:
            await self.sleep(left)

    def throttled(self, method: str, path: str, seconds: float) -> None:
        """Pause calls of the kind that was refused, for as long as Azure says (0: it does not)."""
        until = self.time() + (seconds or PAUSE_SECONDS)
        key = _keys(method, path)[-1]
        self._paused[key] = max(until, self._paused.get(key, 0.0))

    def heed(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        """Note what Azure says is left of its own buckets."""
        subscription = _keys(method, path)[0][0]
        for limit in REMAINING:
            left = headers.get(_SAID + limit, "")
            if left.isdecimal():
                self._said[subscription, limit] = (float(left), self.time())

    def turns(self) -> dict[tuple[str, str], float]:
        """Tell how many calls could leave now, by subscription and kind; a pause leaves none."""
        now = self.time()
        return {
            key: 0.0 if self._paused.get(key, now) > now else bucket.left(now)
            for key, bucket in self._buckets.items()
        }

    def pauses(self) -> dict[tuple[str, str], float]:
        """Tell for how many seconds no calls are made, by subscription and kind."""
        now = self.time()
        return {key: until - now for key, until in self._paused.items() if until > now}

    def said(self) -> dict[tuple[str, str], float]:
        """Give what Azure said a moment ago that is left, by subscription and limit."""
        since = self.time() - SAID_SECONDS
        return {key: left for key, (left, at) in self._said.items() if at >= since}

    def _require_open(self, keys: list[tuple[str, str]]) -> float:
        """Give the seconds until a pause ends."""
        now = self.time()
        left = max(self._paused.get(key, now) - now for key in keys)
        if left > PATIENCE:
            raise PausedError(left)
        return left

    def _bucket(self, key: tuple[str, str]) -> Bucket:
        return self._buckets.setdefault(key, Bucket(LIMITS[key[1]]))


def _keys(method: str, path: str) -> list[tuple[str, str]]:
    found = _SUBSCRIPTION.search(path)
    subscription = found[1].lower() if found else ""
    return [(subscription, kind) for kind in kinds(method, path)]
