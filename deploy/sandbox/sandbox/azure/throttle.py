"""Token buckets: ARM's per caller, and the managed-identity provider's own.

https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from sandbox.azure.errors import Refusal
from sandbox.azure.settings import SUBSCRIPTION


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket's size in requests, and its refill in requests per second."""

    size: float
    rate: float

    def times(self, factor: float) -> Limit:
        """A bucket that many times larger and faster."""
        return Limit(self.size * factor, self.rate * factor)


READS, WRITES = Limit(250, 25), Limit(200, 10)
GLOBAL = 15
"""How many times an ordinary bucket the whole subscription has."""
_ARM = {"reads": READS, "writes": WRITES, "deletes": WRITES}
_CLASSES = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
_CREDENTIALS = {
    ("credential", "reads"): (Limit(10, 10), Limit(1, 0.5)),
    ("credentials", "reads"): (Limit(5, 5), Limit(1, 0.25)),
    ("credential", "writes"): (Limit(2, 2), Limit(1, 0.25)),
    ("credential", "deletes"): (Limit(2, 2), Limit(1, 0.25)),
}
"""Per subscription and per resource, by kind of resource and class of operation."""


@dataclass(slots=True)
class Bucket:
    """A bucket as it stood at a moment."""

    limit: Limit
    level: float
    moment: float

    def take(self, now: float) -> float:
        """Take one request; 0, or the seconds to wait until one could be taken."""
        self.level = min(self.limit.size, self.level + (now - self.moment) * self.limit.rate)
        self.moment = now
        if self.level >= 1:
            self.level -= 1
            return 0.0
        return (1 - self.level) / self.limit.rate


@dataclass(slots=True)
class Throttle:
    """Every bucket, made when first asked for."""

    buckets: dict[tuple[str, ...], Bucket] = field(default_factory=dict)

    def admit(
        self, now: float, *, method: str, oid: str, kind: str, path: str, action: str, on: bool
    ) -> dict[str, str]:
        """Count a request and return the headers that say what is left; raises Refusal if `on`."""
        sort = _CLASSES.get(method, "writes")
        wait, left = self._take(now, _ARM[sort], sort, oid)
        _, left_of_all = self._take(now, _ARM[sort].times(GLOBAL), sort)
        headers = {
            f"x-ms-ratelimit-remaining-subscription-{sort}": str(left),
            f"x-ms-ratelimit-remaining-subscription-global-{sort}": str(left_of_all),
        }
        if on and wait:
            raise _too_many(sort, oid, wait, headers)
        for limit, key in zip(
            _CREDENTIALS.get((kind, sort), ()), (("subscription",), (path.lower(),)), strict=False
        ):
            wait, _ = self._take(now, limit, kind, sort, *key)
            if on and wait:
                raise _provider_busy(action, wait, headers)
        return headers

    def _take(self, now: float, limit: Limit, *key: str) -> tuple[float, int]:
        bucket = self.buckets.setdefault(key, Bucket(limit, limit.size, now))
        return bucket.take(now), int(bucket.level)


def _too_many(sort: str, oid: str, wait: float, headers: dict[str, str]) -> Refusal:
    seconds = str(math.ceil(wait))
    return Refusal(
        429,
        "SubscriptionRequestsThrottled",
        f"Number of '{sort.removesuffix('s')}' requests for subscription '{SUBSCRIPTION}' actor "
        f"'{oid}' exceeded. Please try again after '{seconds}' seconds after additional tokens "
        "are available. Refer to https://aka.ms/arm-throttling for additional information.",
        {**headers, "retry-after": seconds},
        gateway=True,
    )


def _provider_busy(action: str, wait: float, headers: dict[str, str]) -> Refusal:
    seconds = str(math.ceil(wait))
    return Refusal(
        429,
        "TooManyRequests",
        f"Number of requests for subscription '{SUBSCRIPTION}' and operation '{action}' exceeded "
        f"the backend storage limit. Please try again after '{seconds}' seconds.",
        {**headers, "retry-after": seconds},
    )
