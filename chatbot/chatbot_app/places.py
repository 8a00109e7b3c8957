"""How many answers there are at once: in all, and for one visitor."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chatbot_app.reasons import ChatReason, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_ONCE = 200
"""Answers of 20 tokens a second that one process was measured to stream without falling behind."""
PER_USER = 8
OWN_END, SOME_END = 5.0, 2.0
"""Seconds until a place may be free again: one of a visitor's own, one of anybody's."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever asks: by their sign-in, else by the address of their connection."""

    name: str
    signed_in: bool


@dataclass(slots=True)
class Places:
    """The answers under way.

    An address may be a proxy with many people behind it: without a sign-in, one may have half of
    all places.
    """

    at_once: int = AT_ONCE
    per_user: int = PER_USER
    taken: Counter[Visitor] = field(default_factory=Counter)

    def refuse(self, visitor: Visitor) -> Refusal | None:
        """Refuse one more answer to this visitor, with the seconds after which it may be had."""
        most = self.per_user if visitor.signed_in else max(self.per_user, self.at_once // 2)
        if self.taken[visitor] >= most:
            return Refusal(ChatReason.TOO_MANY_AT_ONCE, retry_after=OWN_END)
        if self.taken.total() >= self.at_once:
            return Refusal(ChatReason.BUSY, retry_after=SOME_END)
        return None

    @contextlib.contextmanager
    def one(self, visitor: Visitor) -> Iterator[None]:
        """Take a place for as long as the context lasts."""
        self.taken[visitor] += 1
        try:
            yield
        finally:
            self.taken[visitor] -= 1
            if not self.taken[visitor]:
                del self.taken[visitor]
