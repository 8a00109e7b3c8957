"""Tells as events what a pass wrote in its journal, and never too much about one object."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

from chatbot_operator.ports import Object, World

BURST: Final = 25
REFILL_SECONDS: Final = 300.0
OBJECTS: Final = 4096
"""Events of an object at once, seconds until it may have another, objects remembered: client-go's
(https://github.com/kubernetes/client-go/blob/master/tools/record/events_cache.go)."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many events an object had left at a time."""

    left: float
    at: dt.datetime

    def take(self, now: dt.datetime) -> Allowance | None:
        """Take one; None when none is left."""
        left = min(BURST, self.left + (now - self.at).total_seconds() / REFILL_SECONDS)
        return Allowance(left - 1, now) if left >= 1 else None


@dataclass(slots=True)
class Allowances:
    """What objects have left, by uid; of those that had events last."""

    _of: dict[str, Allowance] = field(default_factory=dict)

    def take(self, uid: str, now: dt.datetime) -> bool:
        """Take one event from an object's allowance; tell whether there was one."""
        taken = self._of.pop(uid, Allowance(BURST, now))
        rest = taken.take(now)
        self._of[uid] = rest or taken
        if len(self._of) > OBJECTS:
            del self._of[next(iter(self._of))]
        return rest is not None


async def tell(world: World, allowances: Allowances, regarding: Object) -> None:
    """Publish an event for each note in the journal."""
    for note in world.journal.notes:
        now = world.now()
        if allowances.take(regarding["metadata"]["uid"], now):
            await world.kubernetes.event(regarding, note, at=now)
