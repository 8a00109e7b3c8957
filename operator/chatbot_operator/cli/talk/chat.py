"""A conversation over a chatbot's own API (`POST /api/chat`), as its page has it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

Turn = dict[str, str]
"""{"role": "user" or "assistant", "content": …}"""

CONNECT_SECONDS = 20.0
SILENCE_SECONDS = 120.0
"""A chatbot that thinks sends a sign of life every 15 seconds."""
_TIMEOUT = aiohttp.ClientTimeout(
    total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS
)
_LINE_LIMIT: Final = 2**20


class Unheard(Exception):  # noqa: N818 - nobody spoke
    """No answer came, or it was cut off; the message says what is known."""


@dataclass(frozen=True, slots=True)
class Said:
    """Something that a chatbot sent: `kind` is delta, usage, error or done."""

    kind: str
    data: Mapping[str, Any]


@dataclass(slots=True)
class Answer:
    """An answer, gathered while it streams.

    `finish` is the model's word for how it ended, empty until then; `error` what the chatbot says
    instead of an answer, with its members `reason` and `message`.
    """

    text: str = ""
    finish: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None

    def take(self, said: Said) -> str:
        """Learn from what was sent; give the piece of text in it."""
        match said.kind:
            case "delta":
                piece = str(said.data.get("text", ""))
                self.text += piece
                return piece
            case "usage":
                self.usage = said.data
            case "error":
                self.error = said.data
            case "done":
                self.finish = str(said.data.get("finish", ""))
        return ""


async def stream(
    url: str, turns: Sequence[Turn], headers: Mapping[str, str]
) -> AsyncGenerator[Said, None]:
    """Post the conversation so far, and give what comes back as it comes.

    Raises Unheard, also where the stream ends before the answer does.
    """
    done = False
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, read_bufsize=_LINE_LIMIT) as session,
            session.post(
                f"{url}/api/chat", json={"messages": list(turns)}, headers=headers
            ) as response,
        ):
            if response.content_type != "text/event-stream":
                yield _refused(response.status, await response.read())
                return
            async for said in _events(response.content):
                done = done or said.kind == "done"
                yield said
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Unheard(f"the answer broke off ({type(error).__name__})") from error
    if not done:
        raise Unheard("the answer broke off before its end")


async def _events(lines: aiohttp.StreamReader) -> AsyncIterator[Said]:
    kind = ""
    async for line in lines:
        name, _, value = line.decode(errors="replace").partition(":")
        if name == "event":
            kind = value.strip()
        elif name == "data" and kind:
            data = _object(value)
            yield Said(kind, data if data is not None else {})
            kind = ""


def _refused(status: int, body: bytes) -> Said:
    data = _object(body)
    if data is None or not isinstance(data.get("message"), str):
        raise Unheard(f"what answers there is no chatbot of this kind (HTTP {status})")
    return Said("error", data)


def _object(text: str | bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
