"""A table that remembers what it said a while ago.

Azure's parts learn of a change at different times. Each reader of a `History` says how far
behind it is and sees the table of that moment.
"""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")

REMEMBERED = 3600.0
"""Seconds; a reader may not be further behind than this."""


class History(Generic[T]):
    """Values by key, with the moment of each change in epoch seconds."""

    def __init__(self) -> None:
        self._versions: dict[str, list[tuple[float, T | None]]] = {}

    def put(self, key: str, value: T | None, moment: float) -> None:
        """Set a value, or remove it with None."""
        versions = self._versions.setdefault(key, [])
        expired = [at for at, _ in versions if at < moment - REMEMBERED]
        del versions[: max(len(expired) - 1, 0)]
        versions.append((moment, value))

    def get(self, key: str) -> T | None:
        """The value now."""
        versions = self._versions.get(key)
        return versions[-1][1] if versions else None

    def seen(self, key: str, moment: float) -> T | None:
        """The value as a reader sees it whose knowledge is of `moment`."""
        for at, value in reversed(self._versions.get(key, [])):
            if at <= moment:
                return value
        return None

    def values(self) -> list[T]:
        """Every value now."""
        return [v for versions in self._versions.values() if (v := versions[-1][1]) is not None]

    def values_seen(self, moment: float) -> list[T]:
        """Every value as of `moment`."""
        return [v for key in self._versions if (v := self.seen(key, moment)) is not None]
