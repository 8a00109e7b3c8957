"""A virtual clock: an event loop that jumps to the next timer instead of waiting for it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
TICK, IDLE_TURNS = 1e-9, 1000
"""Seconds that pass after so many turns in which none did. asyncio runs a timer that is due within
its clock's resolution, and who then looks at the clock and waits for the rest would do so for ever.
"""


class _Jump(selectors.DefaultSelector):
    """Takes the time it would have waited, and does not wait."""

    seconds = 0.0
    turns = 0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("everything waits, and nothing would ever happen again")
        self.turns = 0 if timeout > 0 else self.turns + 1
        self.seconds += max(0.0, timeout) if self.turns < IDLE_TURNS else TICK
        return super().select(0)


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.seconds


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end, hours in no time; the same every time."""
    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        return runner.run(main)
