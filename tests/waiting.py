"""Waiting for something that another process brings about."""

from __future__ import annotations

import time


def until(check, what, seconds=90.0):
    """Poll until `check` gives something true, and give that."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(0.3)
