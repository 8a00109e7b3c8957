"""The three ways to the same account that are measured: directly, the chatbot, and Gradio."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from benchmarks.account import TOKEN, Wish
from benchmarks.wire import connected

if TYPE_CHECKING:
    import ssl
    from contextlib import AbstractAsyncContextManager

    from benchmarks.wire import Wire


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer, in seconds since the question; `whole` when no token is missing."""

    first: float
    ended: float
    whole: bool


class Subject(Protocol):
    """A way to ask."""

    def connect(self) -> AbstractAsyncContextManager[Wire]:
        """Connect as a visitor does."""

    async def ask(self, wire: Wire, wish: Wish) -> Heard:
        """Ask, and hear the answer to its end."""


@dataclass(frozen=True, slots=True)
class Direct:
    """The account itself."""

    address: str
    trusted: ssl.SSLContext

    def connect(self) -> AbstractAsyncContextManager[Wire]:
        """Connect by TLS, as the others do behind the scenes."""
        return connected(self.address, self.trusted)

    async def ask(self, wire: Wire, wish: Wish) -> Heard:
        """Ask for a chat completion."""
        messages = [{"role": "user", "content": wish.message()}]
        body = json.dumps({"model": "gpt", "messages": messages, "stream": True}).encode()
        mark = json.dumps(TOKEN).encode()
        response = await wire.ask("/openai/v1/chat/completions", body, mark=mark)
        return Heard(response.first or 0, response.ended or 0, response.marks == wish.tokens)


@dataclass(frozen=True, slots=True)
class Chatbot:
    """The chatbot's own interface, as its page uses it."""

    address: str

    def connect(self) -> AbstractAsyncContextManager[Wire]:
        """Connect to the page's port."""
        return connected(self.address)

    async def ask(self, wire: Wire, wish: Wish) -> Heard:
        """Post a conversation of one message."""
        body = json.dumps({"messages": [{"role": "user", "content": wish.message()}]}).encode()
        response = await wire.ask("/api/chat", body, mark=b"event: delta\n")
        whole = response.marks == wish.tokens and b"event: error" not in response.body
        return Heard(response.first or 0, response.ended or 0, whole)


@dataclass(frozen=True, slots=True)
class Gradio:
    """Gradio's documented interface for programs: two requests, of which the second streams.

    Its page needs more than that (six events a message), so that this is its best case
    (https://www.gradio.app/guides/querying-gradio-apps-with-curl).
    """

    address: str

    def connect(self) -> AbstractAsyncContextManager[Wire]:
        """Connect to the app."""
        return connected(self.address)

    async def ask(self, wire: Wire, wish: Wish) -> Heard:
        """Post the message, then hear its events."""
        body = json.dumps({"data": [wish.message()]}).encode()
        posted = await wire.ask("/gradio_api/call/chat", body)
        event = json.loads(posted.body)["event_id"]
        before = posted.ended or 0
        target = f"/gradio_api/call/chat/{event}"
        response = await wire.ask(target, mark=b"event: generating\n")
        _, _, complete = bytes(response.body).partition(b"event: complete\n")
        whole = complete.count(TOKEN.encode()) == wish.tokens
        return Heard(before + (response.first or 0), before + (response.ended or 0), whole)
