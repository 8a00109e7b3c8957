"""How many tokens this process may still use on this day of UTC."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from chatbot_app.reasons import ChatReason, Refusal


@dataclass(frozen=True, slots=True)
class Budget:
    """A day's tokens and what was used of them; without `daily` there is no end to them.

    Tokens are those that the model reports, and an estimate where it reports none.
    In memory only: a new process begins anew. Answers that stream when it runs out end in peace.
    """

    daily: int | None = None
    day: dt.date = dt.date.min
    used: int = 0

    def spend(self, tokens: int, now: dt.datetime) -> Budget:
        """Give the budget after `tokens` more were used; a new day starts from nothing."""
        return Budget(self.daily, now.date(), self.used_on(now.date()) + tokens)

    def used_on(self, day: dt.date) -> int:
        """Tell how many tokens were used on a day; only the present one is known."""
        return self.used if self.day == day else 0

    def refuse(self, now: dt.datetime) -> Refusal | None:
        """Refuse once everything is used, until midnight of UTC."""
        if self.daily is None or self.day != now.date() or self.used < self.daily:
            return None
        tomorrow = dt.datetime.combine(now.date() + dt.timedelta(days=1), dt.time(), dt.UTC)
        return Refusal(ChatReason.BUDGET_SPENT, retry_after=round((tomorrow - now).total_seconds()))
