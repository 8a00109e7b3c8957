"""Lengths of time as people say them."""

from __future__ import annotations

import datetime as dt
from typing import Final

_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_TWICE: Final = 2
"""A unit is used from twice its length on: 90 seconds say more than 1 minute."""


def span(seconds: float) -> str:
    """Say a length of time in one unit, rounded down: `119 seconds`, `2 minutes`, `3 days`."""
    whole = max(0, int(seconds))
    for length, name in _UNITS:
        if whole >= _TWICE * length or length == 1:
            count = whole // length
            return f"{count} {name}" + ("" if count == 1 else "s")
    raise AssertionError


def since(then: dt.datetime, now: dt.datetime) -> str:
    """Say how long ago something was; of a time to come, as if it were now."""
    return span((now - then).total_seconds())
