"""How often something may be done to one object: a few times at once, then ever so often. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

OBJECTS: Final = 4096
"""Objects of which an allowance is kept: client-go's
(https://github.com/kubernetes/client-go/blob/master/tools/record/events_cache.go)."""


@dataclass(frozen=True, slots=True)
class _Allowance:
    """What an object had left at a time."""

    left: float
    at: dt.datetime


@dataclass(slots=True)
class Allowances:
    """What objects have left, by uid, of those that took last.

    Each begins with `burst`, and gets another one every `refill` seconds until it has that again.
    """

    burst: int
    refill: float
    _of: dict[str, _Allowance] = field(default_factory=dict)

    def take(self, uid: str, now: dt.datetime) -> bool:
        """Take one from an object's allowance; tell whether there was one."""
        before = self._of.pop(uid, _Allowance(self.burst, now))
        passed = (now - before.at).total_seconds()
        left = min(self.burst, before.left + passed / self.refill)
        taken = left >= 1
        self._of[uid] = _Allowance(left - 1, now) if taken else before
        if len(self._of) > OBJECTS:
            del self._of[next(iter(self._of))]
        return taken
