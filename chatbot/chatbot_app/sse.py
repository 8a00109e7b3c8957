"""Server-sent events over one response, kept alive, and ended the moment the visitor leaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable

    from starlette.types import Message, Receive, Scope, Send

PING = b": ping\n\n"
TAKEN_WITHIN = 120.0
"""Seconds for a visitor to take what is sent; whoever does not holds a place for nothing."""
MOST_AHEAD = 64
"""Frames that are made before the visitor has taken the earlier ones."""
HEAD_WITHIN = 0.01
"""Seconds until a visitor is told that an answer begins, if it does not by then."""
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def frame(event: str, data: dict[str, Any]) -> bytes:
    """Render one event."""
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


class EventStream(StreamingResponse):
    """A stream of rendered frames, with `: ping` after each silence of `ping_after` seconds.

    Frames that come together are sent together. A visitor who leaves, or takes nothing any longer,
    ends the source. What goes wrong in it is raised once all that it gave before has been sent.
    """

    def __init__(self, frames: AsyncGenerator[bytes, None], *, ping_after: float) -> None:
        self._frames = frames
        self._ping_after = ping_after
        super().__init__(frames, media_type="text/event-stream", headers=HEADERS)

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send everything."""
        outbox = _Outbox()
        source = asyncio.create_task(outbox.fill(self._frames))
        leaving = asyncio.create_task(outbox.close_for(receive))
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        try:
            await outbox.begun()
            await _taken(send(start))
            async for piece in self._pieces(outbox):
                await _taken(send(_body(piece)))
            if not outbox.left:
                await source
                await _taken(send(_body(b"", more=False)))
        except TimeoutError:
            return
        finally:
            source.cancel()
            leaving.cancel()
            await asyncio.gather(source, leaving, return_exceptions=True)

    async def _pieces(self, outbox: _Outbox) -> AsyncGenerator[bytes, None]:
        while not outbox.left:
            try:
                async with asyncio.timeout(self._ping_after):
                    piece = await outbox.take()
            except TimeoutError:
                piece = PING
            if not piece:
                return
            yield piece


class _Outbox:
    """Frames on their way from the task that makes them to the one that sends them.

    Only one of the two ever waits: the former while it is full, the latter while it is empty. A
    queue of asyncio's keeps four deques for many that could, and there are hundreds of streams.
    """

    def __init__(self) -> None:
        self.left = False
        self._frames: list[bytes] = []
        self._begun = False
        self._ended = False
        self._waiting: asyncio.Future[None] | None = None

    async def fill(self, frames: AsyncGenerator[bytes, None]) -> None:
        """Take in all frames."""
        try:
            async with aclosing(frames):
                async for frame in frames:
                    self._frames.append(frame)
                    self._wake()
                    if not self._begun:
                        self._begun = True
                        await asyncio.sleep(0)  # the first is sent before the next is looked for
                    while len(self._frames) >= MOST_AHEAD:
                        await self._wait()
        finally:
            self._ended = True
            self._wake()

    async def take(self) -> bytes:
        """Give what there is, when there is something; nothing at the end."""
        await self._something()
        piece = b"".join(self._frames)
        self._frames.clear()
        self._wake()
        return piece

    async def begun(self) -> None:
        """Let the source begin before anything is sent: a question does not wait for a head."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HEAD_WITHIN):
                await self._something()

    async def close_for(self, receive: Receive) -> None:
        """Give no more once the visitor has left."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left = True
        self._wake()

    async def _something(self) -> None:
        while not (self._frames or self._ended or self.left):
            await self._wait()

    async def _wait(self) -> None:
        self._waiting = asyncio.get_running_loop().create_future()
        await self._waiting

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


def _body(piece: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": piece, "more_body": more}


async def _taken(sending: Awaitable[None]) -> None:
    async with asyncio.timeout(TAKEN_WITHIN):
        await sending
