"""A fake account, light enough to feed hundreds of streams: `python -m benchmarks.account CERT KEY`.

It is a process of its own, on asyncio's bare protocols, and its frames are written once and sent as
they are. What it answers is what the last message says, see `Wish`; tokens come on time by the
clock, so that whoever is slow hears several at once, as from Azure.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from dataclasses import asdict, dataclass

from chatbot.upstream import FILTERS, OID, choice, frame, jwt

TOKEN = "tok "
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Wish:
    """An answer of so many tokens; the first comes after `first` seconds, each other `every`."""

    tokens: int
    first: float = 0.05
    every: float = 0.05

    @property
    def seconds(self) -> float:
        """How long the answer takes if nothing holds it up."""
        return self.first + (self.tokens - 1) * self.every

    def message(self) -> str:
        """Write it as what a visitor says."""
        return json.dumps(asdict(self))


def _chunk(*frames: str) -> bytes:
    body = "".join(frames).encode()
    return b"%x\r\n%b\r\n" % (len(body), body)


_FILTERED = frame(
    choices=[],
    created=0,
    id="",
    model="",
    object="",
    prompt_filter_results=[{"prompt_index": 0, "content_filter_results": FILTERS}],
)
_BEGIN = HEAD + _chunk(_FILTERED) + _chunk(choice({"role": "assistant", "content": ""}))
_NEXT = _chunk(choice({"content": TOKEN}))
_STOP = _chunk(choice({}, finish="stop"))


def _end(tokens: int) -> bytes:
    usage = {"prompt_tokens": 12, "completion_tokens": tokens}
    last = frame(choices=[], id="chatcmpl-1", usage=usage)
    return _STOP + _chunk(last) + _chunk("data: [DONE]\n\n") + b"0\r\n\r\n"


class Account(asyncio.Protocol):
    """One connection: Entra's exchange, the list of models, and chat completions."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._next: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        """End the answer that nobody hears any more."""
        if self._next is not None:
            self._next.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer once the whole request is there."""
        self._received += data
        head, gap, body = bytes(self._received).partition(b"\r\n\r\n")
        if not gap:
            return
        line, *headers = head.decode("latin-1").split("\r\n")
        pairs = (header.partition(":") for header in headers)
        length = next(
            (int(value) for name, _, value in pairs if name.lower() == "content-length"), 0
        )
        if len(body) < length:
            return
        self._received.clear()
        self._answer(line, body)

    def _answer(self, line: str, body: bytes) -> None:
        if "/chat/completions" in line:
            said = json.loads(body)["messages"][-1]["content"]
            wish = Wish(**json.loads(said))
            self._speak(wish, 0, self._loop.time() + wish.first)
        elif "/oauth2/" in line:
            token = jwt({"oid": OID})
            self._json({"token_type": "Bearer", "expires_in": 86400, "access_token": token})
        else:
            self._json({"object": "list", "data": [{"id": "gpt", "object": "model"}]})

    def _speak(self, wish: Wish, spoken: int, at: float) -> None:
        self._next = self._loop.call_at(at, self._say, wish, spoken, at)

    def _say(self, wish: Wish, spoken: int, at: float) -> None:
        piece = _NEXT if spoken else _BEGIN + _NEXT
        spoken += 1
        if spoken == wish.tokens:
            self._transport.write(piece + _end(spoken))
            return
        self._transport.write(piece)
        self._speak(wish, spoken, at + wish.every)

    def _json(self, document: dict[str, object]) -> None:
        body = json.dumps(document).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
        self._transport.write(head.encode() + b"\r\n\r\n" + body)


async def serve(certificate: str, key: str) -> None:
    """Print the port that it took, and serve until ended."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Account, "127.0.0.1", 0, ssl=context, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
