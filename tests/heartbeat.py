"""Tells every few seconds which test runs, so that a long run is never silent."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PERIOD_SECONDS = 10

# Taken before pytest captures output; `-p heartbeat` loads this early enough.
_TERMINAL = os.dup(1)


class Heartbeat:
    """A thread that prints the running test's name while it takes long."""

    def __init__(self) -> None:
        self._running = ""
        self._since = time.monotonic()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    @pytest.hookimpl
    def pytest_sessionstart(self) -> None:
        self._thread.start()

    @pytest.hookimpl
    def pytest_sessionfinish(self) -> None:
        self._end.set()
        self._thread.join()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._running, self._since = item.nodeid, time.monotonic()
        try:
            return (yield)
        finally:
            self._running = ""

    def _beat(self) -> None:
        while not self._end.wait(PERIOD_SECONDS):
            seconds = time.monotonic() - self._since
            if self._running and seconds >= PERIOD_SECONDS / 2:
                os.write(_TERMINAL, f"  … {self._running} ({seconds:.0f} s)\n".encode())


def pytest_configure(config: pytest.Config) -> None:
    """Register the heartbeat."""
    config.pluginmanager.register(Heartbeat(), "heartbeat-thread")
