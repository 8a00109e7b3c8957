"""What is sent to the model: pure decisions about the turns a browser posts.

The memory of a conversation lives in the browser that holds it and is posted with every message.
The server keeps nothing about a visitor between two requests, so no visitor can ever see another's
words, any replica can answer, and deleting a conversation in the browser really deletes it.
Roles are never trusted: only `user` and `assistant` are taken, and the system prompt is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MAX_MESSAGES = 1000
HISTORY_BYTES = 64 * 1024
"""About 16,000 tokens of English (o200k, 4.2 bytes per token): fits every current chat model."""


class UnacceptableError(ValueError):
    """The posted body is not a conversation; the message says why in plain words."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a visitor or of the model."""

    role: Literal["user", "assistant"]
    content: str


BYTES_PER_TOKEN = 3
"""Fewer than English has (4.2), so that most other languages fit, too; where it is wrong, Azure
says so and less is sent."""
ANSWER_TOKENS = 4096
"""Left of the context window for an answer whose length has no limit, but a quarter at most."""


@dataclass(frozen=True, slots=True)
class Memory:
    """How much of a conversation the model is sent: bytes of UTF-8, turns (None: any number)."""

    size: int = HISTORY_BYTES
    turns: int | None = None

    def shorter(self) -> Memory:
        """Give a memory of a quarter of the size."""
        return Memory(self.size // 4, self.turns)


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages for one call, and how many older ones were left out."""

    messages: tuple[Message, ...]
    left_out: int


def parse(body: object) -> tuple[Message, ...]:
    """Read `{"messages": [{"role", "content"}, …]}`; the last one must be the visitor's.

    Raises:
        UnacceptableError: the body has another shape.
    """
    posted = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(posted, list) or not posted:
        raise UnacceptableError("The request needs a list of messages.")
    if len(posted) > MAX_MESSAGES:
        raise UnacceptableError(f"A conversation has at most {MAX_MESSAGES} messages.")
    messages = tuple(_message(item) for item in posted)
    if messages[-1].role != "user":
        raise UnacceptableError("The last message must be the visitor's.")
    return messages


def _message(item: object) -> Message:
    if not isinstance(item, dict):
        raise UnacceptableError("A message is an object with a role and a content.")
    role, content = item.get("role"), item.get("content")
    if not isinstance(content, str) or not content.strip():
        raise UnacceptableError("A message needs a text.")
    match role:
        case "user" | "assistant":
            return Message(role, content)
    raise UnacceptableError("A message is the user's or the assistant's.")


def remember(
    *,
    window: int | None,
    answer: int | None,
    most: int | None,
    turns: int | None,
    system: str,
) -> Memory:
    """Work out the memory of a chatbot; all in tokens but `turns` and the text of `system`.

    `window` is the context window of the model, `answer` the longest answer, `most` what the team
    wants remembered at most; None is unknown, or no limit.
    """
    limits = [most * BYTES_PER_TOKEN] if most else []
    if window:
        reserve = answer or min(ANSWER_TOKENS, window // 4)
        limits.append((window - reserve) * BYTES_PER_TOKEN - len(system.encode()))
    return Memory(max(0, min(limits)) if limits else HISTORY_BYTES, turns)


def trim(messages: tuple[Message, ...], memory: Memory) -> Prompt:
    """Keep the newest whole turns that the memory holds, always the last one.

    A turn is a visitor's message with the answers that follow it, so what is kept never begins
    with an answer to something that was left out.
    """
    kept, size, turns = len(messages), 0, 0
    for index in range(len(messages) - 1, -1, -1):
        size += len(messages[index].content.encode())
        full = size > memory.size or turns == memory.turns
        if full and kept < len(messages):
            break
        if messages[index].role == "user":
            kept, turns = index, turns + 1
    return Prompt(messages[kept:], left_out=kept)


def rendered(prompt: Prompt, *, system: str) -> list[dict[str, str]]:
    """Build the `messages` of a chat completion; the system prompt, if any, comes first."""
    first = [{"role": "system", "content": system}] if system.strip() else []
    return first + [{"role": m.role, "content": m.content} for m in prompt.messages]
