"""Work that goes on while a block runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def together(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run endless work beside the block and cancel it afterwards; a failure is logged."""
    tasks = [asyncio.create_task(each) for each in work]
    for task in tasks:
        task.add_done_callback(_tell)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        _log.error("background work ended", exc_info=error)
