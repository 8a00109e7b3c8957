"""Until when this process may write, held against hangs of every kind."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable


class Tenure:
    """Until when this process may write: without end, unless `renew` is called.

    `lost` ends the process at once and does not return. It is called by `check`, which stands
    before every request that leaves, and by a thread, for the case that the event loop hangs.
    """

    def __init__(self, lost: Callable[[], object]) -> None:
        self.lose = lost
        self._deadline = math.inf
        self._over = threading.Event()

    def check(self) -> None:
        """End the process if its time is over."""
        if time.monotonic() >= self._deadline:
            self.lose()

    def renew(self, until: float) -> None:
        """Write until then, in monotonic seconds."""
        begins = self._deadline == math.inf
        self._deadline = until
        if begins:
            threading.Thread(target=self._watch, name="tenure", daemon=True).start()

    def end(self) -> None:
        """Watch no longer: nothing is left to be written."""
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(max(0.0, self._deadline - time.monotonic())):
            self.check()
