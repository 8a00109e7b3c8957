"""Server-sent events over one response, kept alive, and ended the moment the visitor leaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Message, Send

PING = b": ping\n\n"
TAKEN_WITHIN = 120.0
"""Seconds for a visitor to take what is sent; whoever does not holds a place for nothing."""
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def frame(event: str, data: dict[str, Any]) -> bytes:
    """Render one event."""
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


class EventStream(StreamingResponse):
    """A stream of rendered frames, with `: ping` after each silence of `ping_after` seconds."""

    def __init__(self, frames: AsyncGenerator[bytes, None], *, ping_after: float) -> None:
        self._frames = _with_pings(frames, ping_after=ping_after)
        super().__init__(self._frames, media_type="text/event-stream", headers=HEADERS)

    async def stream_response(self, send: Send) -> None:
        """Send everything; a visitor who leaves cancels this, and with it the source.

        Whoever takes nothing any longer has left: the response ends where it is.
        """

        async def send_in_time(message: Message) -> None:
            try:
                async with asyncio.timeout(TAKEN_WITHIN):
                    await send(message)
            except TimeoutError as error:
                raise ClientDisconnect from error

        with contextlib.suppress(ClientDisconnect):
            async with aclosing(self._frames):
                await super().stream_response(send_in_time)


async def _with_pings(
    frames: AsyncGenerator[bytes, None], *, ping_after: float
) -> AsyncGenerator[bytes, None]:
    """Pass frames on, those that arrive together in one piece; the source runs in a task.

    What goes wrong in the source is raised once all that it gave before has been passed on.
    """
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=64)
    source = asyncio.create_task(_pump(frames, queue))
    try:
        ended = False
        while not ended:
            try:
                async with asyncio.timeout(ping_after):
                    item = await queue.get()
            except TimeoutError:
                yield PING
                continue
            pieces = [item]
            while not queue.empty():
                pieces.append(queue.get_nowait())
            ended = pieces[-1] is None
            yield b"".join(piece for piece in pieces if piece is not None)
    finally:
        source.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await source


async def _pump(frames: AsyncGenerator[bytes, None], queue: asyncio.Queue[bytes | None]) -> None:
    try:
        async with aclosing(frames):
            async for piece in frames:
                await queue.put(piece)
    except Exception:
        await queue.put(None)
        raise
    await queue.put(None)
