"""How much of a conversation is sent: pure decisions in tokens, measured in bytes.

A tokenizer would have to be downloaded, and each model has another one. How many bytes a token has
is learned instead from what the model reports it was charged for. With o200k it is 4.2 for English,
3.6 for code, 4.9 for German and 1.8 for dense JSON.
"""

from __future__ import annotations

from dataclasses import dataclass

from chatbot_app.conversation import Message, Prompt, size

FIRST_GUESS = 3.0
"""Bytes per token before anything was measured: fewer than most languages have."""
FEWEST, MOST = 1.5, 5.0
TELLING = 100
"""A prompt of fewer tokens is mostly what the service wraps around it and teaches nothing."""
WEIGHT = 0.2
"""Of the newest measurement."""

UNKNOWN_WINDOW = 16_000
"""Tokens that are sent of a conversation when nobody said how many the model takes: fits every
current chat model."""
ANSWER = 4096
"""Tokens left for an answer whose length has no limit, but a quarter of the window at most."""
RESERVE = 20
"""One of so many tokens of the window stays free, because the measure is an average."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How many bytes of UTF-8 a token of this deployment has, as far as is known."""

    bytes_per_token: float = FIRST_GUESS

    def tokens(self, sent: int) -> int:
        """Estimate how many tokens so many bytes are."""
        return round(sent / self.bytes_per_token)

    def taught(self, sent: int, tokens: int) -> Measure:
        """Learn from a call: `sent` bytes were counted as `tokens`."""
        if tokens < TELLING:
            return self
        return self._towards(sent / tokens)

    def overflowed(self) -> Measure:
        """Learn from a prompt that was too long although it should have fitted."""
        return Measure(max(FEWEST, self.bytes_per_token / 2))

    def _towards(self, found: float) -> Measure:
        believed = min(MOST, max(FEWEST, found))
        return Measure((1 - WEIGHT) * self.bytes_per_token + WEIGHT * believed)


@dataclass(frozen=True, slots=True)
class Memory:
    """What a model takes and what the team wants sent; tokens, but `turns` counts turns.

    `window` is the context window of the model, `answer` its longest answer, `most` what is
    remembered at most; None is unknown, or no limit.
    """

    window: int | None = None
    answer: int | None = None
    most: int | None = None
    turns: int | None = None

    def room(self, measure: Measure, *, system: str) -> int:
        """Work out how many bytes of a conversation fit beside the system prompt."""
        limits = []
        if self.window:
            answer = self.answer or min(ANSWER, self.window // 4)
            free = self.window - answer - self.window // RESERVE
            limits.append(free * measure.bytes_per_token - len(system.encode()))
        if self.most or not limits:
            limits.append((self.most or UNKNOWN_WINDOW) * measure.bytes_per_token)
        return max(0, int(min(limits)))


def trim(messages: tuple[Message, ...], room: int, *, turns: int | None = None) -> Prompt:
    """Keep the newest whole turns that fit into `room` bytes, always the last message.

    A turn is a visitor's message with the answers that follow it, so what is kept never begins
    with an answer to something that was left out.
    """
    kept, used, taken = len(messages), 0, 0
    for index in range(len(messages) - 1, -1, -1):
        used += size(messages[index])
        full = used > room or taken == turns
        if full and kept < len(messages):
            break
        if messages[index].role == "user":
            kept, taken = index, taken + 1
    return Prompt(messages[kept:], left_out=kept)


def halved(prompt: Prompt) -> Prompt | None:
    """Keep the newest turns of half of what was sent; None if there is nothing to leave out."""
    fewer = trim(prompt.messages, prompt.size // 2)
    if not fewer.left_out:
        return None
    return Prompt(fewer.messages, prompt.left_out + fewer.left_out)
