"""Seeing each call of the model from outside: what it took, used and came to; no word of it."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatbot_app.completions import Delta, Event, Finish, Sampling, Usage
from chatbot_app.reasons import ChatReason, Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from chatbot_app.answering import Model

LEFT = "Cancelled"
"""The error of a call that nobody waited for: a visitor stopped it, or went away."""


@dataclass(slots=True)
class Call:
    """One call of the model; times are seconds of a steady clock.

    `error` is a reason of ours, LEFT, or empty for an answer that came.
    """

    begun: float
    ended: float = 0.0
    first_text: float | None = None
    usage: Usage | None = None
    finish: Finish | None = None
    error: str = LEFT

    def take(self, event: Event, now: float) -> None:
        """Learn from what the model sent."""
        match event:
            case Delta():
                self.first_text = self.first_text or now
            case Usage():
                self.usage = event
            case Finish():
                self.finish, self.error = event, ""
            case Refusal(reason):
                self.error = reason


@dataclass(frozen=True, slots=True)
class Observed:
    """A model whose calls are told to `observers` when they have ended."""

    model: Model
    clock: Callable[[], float]
    observers: tuple[Callable[[Call], None], ...]

    async def stream(
        self, messages: Sequence[dict[str, str]], wishes: Sampling
    ) -> AsyncGenerator[Event, None]:
        """Ask the model, and pass on all that it says."""
        call = Call(begun=self.clock())
        try:
            async with aclosing(self.model.stream(messages, wishes)) as events:
                async for event in events:
                    call.take(event, self.clock())
                    yield event
        except Exception:
            call.error = ChatReason.UNEXPECTED
            raise
        finally:
            call.ended = self.clock()
            for observe in self.observers:
                observe(call)
