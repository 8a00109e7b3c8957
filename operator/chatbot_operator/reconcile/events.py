"""Tells as events what a pass wrote in its journal, and never too much about one object."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from chatbot_operator.allowances import Allowances
from chatbot_operator.ports import Object, World

TELL_SECONDS: Final = 10.0
"""An API server that does not answer holds no pass up for an event."""
BURST: Final = 25
REFILL_SECONDS: Final = 300.0
"""Events of an object at once, and seconds until it may have another: client-go's
(https://github.com/kubernetes/client-go/blob/master/tools/record/events_cache.go)."""


async def tell(world: World, allowances: Allowances, regarding: Object) -> None:
    """Publish an event for each note in the journal, as far as there is time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(TELL_SECONDS):
            for note in world.journal.notes:
                now = world.now()
                if allowances.take(regarding["metadata"]["uid"], now):
                    await world.kubernetes.event(regarding, note, at=now)
