"""One answer, whoever asks and in whatever form it is sent: its memory, its cost, its end."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from chatbot_app import denials
from chatbot_app.budget import Budget
from chatbot_app.completions import AS_SET, Delta, Event, Finish, Sampling, Usage
from chatbot_app.conversation import Message, Prompt, rendered
from chatbot_app.memory import Measure, Memory, halved, trim
from chatbot_app.places import Places
from chatbot_app.reasons import ChatReason, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)


class Model(Protocol):
    """What answers."""

    def stream(
        self, messages: Sequence[dict[str, str]], wishes: Sampling
    ) -> AsyncGenerator[Event, None]:
        """Ask; the last event is a `Finish` or a `Refusal`."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What the page shows of the chatbot itself; what is empty it shows in its own words."""

    title: str
    welcome: str = ""
    starters: tuple[str, ...] = ()
    disclaimer: str = ""


@dataclass(slots=True)
class Chat:
    """A chatbot at work: what it was given, and what it has used and learned since it started.

    `budget`, `measure`, `places` and `refused` (how often, by reason, the model was not even asked)
    are all that changes, and no word of a visitor is in them.
    """

    texts: Texts
    deployment: str
    system_prompt: str
    memory: Memory
    model: Model
    ended: Callable[[Refusal | None], None]
    words: Callable[[Refusal], str]
    now: Callable[[], dt.datetime]
    budget: Budget = field(default_factory=Budget)
    measure: Measure = field(default_factory=Measure)
    places: Places = field(default_factory=Places)
    refused: Counter[str] = field(default_factory=Counter)
    ping_after: float = 15.0

    @property
    def room(self) -> int:
        """How many bytes of a conversation the model is sent at the moment."""
        return self.memory.room(self.measure, system=self.system_prompt)

    def denial(self, refusal: Refusal) -> denials.Denial:
        """Say a refusal in this chatbot's words."""
        return denials.of(refusal, self.words(refusal))


@dataclass(frozen=True, slots=True)
class End:
    """How an answer ended, and of how many messages: `left_out` older ones were not sent.

    `finish` is the model's own word, or `error` beside a refusal.
    """

    finish: str
    left_out: int
    sent: int
    refusal: Refusal | None = None


Answer = AsyncGenerator[Delta | Usage | End, None]


async def answer(chat: Chat, messages: tuple[Message, ...], wishes: Sampling = AS_SET) -> Answer:
    """Answer; the last event is an `End`. What is too long for the model is halved once."""
    room = chat.room
    prompt = trim(messages, room, turns=chat.memory.turns)
    course = _Course(started=time.monotonic())
    async with aclosing(_asked(chat, prompt, wishes, course)) as events:
        async for event in events:
            yield event
    if course.too_long:
        if prompt.size <= room:
            chat.measure = chat.measure.overflowed()
        if (fewer := halved(prompt)) is not None:
            prompt = fewer
            async with aclosing(_asked(chat, prompt, wishes, course)) as events:
                async for event in events:
                    yield event
    course.tell(chat)
    yield End(course.finish, prompt.left_out, len(prompt.messages), course.refusal)


async def _asked(
    chat: Chat, prompt: Prompt, wishes: Sampling, course: _Course
) -> AsyncGenerator[Delta | Usage, None]:
    course.refusal, course.usage, heard = None, None, 0
    messages = rendered(prompt, system=chat.system_prompt)
    sent = prompt.size + len(chat.system_prompt.encode())
    try:
        async with aclosing(chat.model.stream(messages, wishes)) as events:
            async for event in events:
                match event:
                    case Delta(text):
                        course.first_text = course.first_text or time.monotonic()
                        heard += len(text.encode())
                        yield event
                    case Usage(prompt_tokens, completion_tokens):
                        course.usage = event
                        _spend(chat, prompt_tokens + completion_tokens)
                        chat.measure = chat.measure.taught(sent, prompt_tokens)
                        yield event
                    case Finish(reason):
                        course.finish = reason
                    case Refusal():
                        course.refusal = event
    finally:
        # An answer that somebody leaves is charged, too, but nobody says how much.
        if course.usage is None and (heard or course.refusal is None):
            _spend(chat, chat.measure.tokens(sent + heard))


def _spend(chat: Chat, tokens: int) -> None:
    chat.budget = chat.budget.spend(tokens, chat.now())


@dataclass(slots=True)
class _Course:
    """How an answer goes, gathered while it streams."""

    started: float
    first_text: float | None = None
    usage: Usage | None = None
    finish: str = "error"
    refusal: Refusal | None = None

    @property
    def too_long(self) -> bool:
        return self.refusal is not None and self.refusal.reason is ChatReason.CONTEXT_TOO_LONG

    def tell(self, chat: Chat) -> None:
        """Tell the log and the proof; never a word of what was said."""
        chat.ended(self.refusal)
        fields: dict[str, object] = {
            "reason": self.refusal.reason if self.refusal else None,
            "detail": self.refusal.detail if self.refusal else None,
            "finish": self.finish,
            "seconds": round(time.monotonic() - self.started, 3),
            "firstTextSeconds": self.first_text and round(self.first_text - self.started, 3),
            "promptTokens": self.usage and self.usage.prompt_tokens,
            "completionTokens": self.usage and self.usage.completion_tokens,
        }
        log.info("chat", extra={name: value for name, value in fields.items() if value})
