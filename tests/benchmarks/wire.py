"""One visitor at protocol level: HTTP/1.1 on a connection that is kept, and what came when.

Parsing costs the machine that is measured, so that what is heard is only searched for a mark.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

LONGEST = 120.0
"""Seconds until an answer is given up."""
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(slots=True)
class Response:
    """What came, and when, in seconds of the loop's clock since the request was sent.

    `first` is when the mark was first seen, `marks` how often it was.
    """

    mark: bytes
    asked: float
    first: float | None = None
    ended: float | None = None
    marks: int = 0
    head: bytes = b""
    body: bytearray = field(default_factory=bytearray)
    searched: int = 0

    def take(self, data: bytes, now: float) -> bool:
        """Take in what came; true at the end of the response."""
        self.body += data
        if not self.head and not self._take_head():
            return False
        self._search(now)
        if self._complete():
            self.ended = now - self.asked
            return True
        return False

    def _take_head(self) -> bool:
        head, gap, body = bytes(self.body).partition(b"\r\n\r\n")
        if gap:
            self.head, self.body = head.lower(), bytearray(body)
        return bool(gap)

    def _search(self, now: float) -> None:
        at = self.body.find(self.mark, self.searched)
        while at >= 0:
            self.marks += 1
            self.searched = at + len(self.mark)
            at = self.body.find(self.mark, self.searched)
        self.searched = max(self.searched, len(self.body) - len(self.mark) + 1)
        if self.first is None and self.marks:
            self.first = now - self.asked

    def _complete(self) -> bool:
        if b"transfer-encoding: chunked" in self.head:
            return self.body.endswith(_LAST_CHUNK)
        _, _, rest = self.head.partition(b"content-length:")
        return len(self.body) >= int(rest.partition(b"\r\n")[0] or 0)


class Wire(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._response: Response | None = None
        self._done: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Hear the server."""
        if self._response is not None and self._response.take(data, self._loop.time()):
            self._response = None
            self._done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        if not self._done.done():
            self._done.set_exception(exc or ConnectionResetError("the server hung up"))
            self._done.exception()

    async def ask(self, target: str, body: bytes | None = None, *, mark: bytes = b"\0") -> Response:
        """GET, or POST some JSON.

        Raises:
            OSError: the server hung up, or took longer than `LONGEST`.
        """
        head = f"{'GET' if body is None else 'POST'} {target} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        if body is not None:
            head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        self._done = self._loop.create_future()
        response = self._response = Response(mark, asked=self._loop.time())
        self.transport.write(head.encode() + b"\r\n" + (body or b""))
        async with asyncio.timeout(LONGEST):
            await self._done
        return response


@contextlib.asynccontextmanager
async def connected(address: str, trusted: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    """Connect to a server, by TLS with `trusted`; `address` is its URL."""
    parts = urlsplit(address)
    assert parts.hostname
    assert parts.port
    loop = asyncio.get_running_loop()
    transport, wire = await loop.create_connection(Wire, parts.hostname, parts.port, ssl=trusted)
    try:
        yield wire
    finally:
        transport.close()
