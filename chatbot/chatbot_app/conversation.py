"""What is sent to the model: pure decisions about the turns a browser posts.

The memory of a conversation lives in the browser that holds it and is posted with every message.
The server keeps nothing about a visitor between two requests, so no visitor can ever see another's
words, any replica can answer, and deleting a conversation in the browser really deletes it.
Roles are never trusted: only `user` and `assistant` are taken, and the system prompt is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chatbot_app.characters import whole

MAX_MESSAGES = 1000
FRAME = 12
"""Bytes for the three or four tokens by which a message is more than its text."""


class UnacceptableError(ValueError):
    """The posted body is not a conversation; the message says why in plain words."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a visitor or of the model."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages for one call, and how many older ones were left out."""

    messages: tuple[Message, ...]
    left_out: int

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return sum(map(size, self.messages))


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
            return Message(role, whole(content))
    raise UnacceptableError("A message is the user's or the assistant's.")


def size(message: Message) -> int:
    """Count the bytes of a message, with those that stand for what the service wraps it in."""
    return len(message.content.encode()) + FRAME


def rendered(prompt: Prompt, *, system: str) -> list[dict[str, str]]:
    """Build the `messages` of a chat completion; the system prompt, if any, comes first."""
    first = [{"role": "system", "content": system}] if system.strip() else []
    return first + [{"role": m.role, "content": m.content} for m in prompt.messages]
