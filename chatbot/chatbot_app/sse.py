"""Server-sent events over one response, kept alive, and ended the moment the visitor leaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Send

PING = b": ping\n\n"
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
        """Send everything; a visitor who leaves cancels this, and with it the source."""
        async with aclosing(self._frames):
            await super().stream_response(send)


async def _with_pings(
    frames: AsyncGenerator[bytes, None], *, ping_after: float
) -> AsyncGenerator[bytes, None]:
    """Pass frames on, those that arrive together in one piece; the source runs in a task."""
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
    async with aclosing(frames):
        async for piece in frames:
            await queue.put(piece)
    await queue.put(None)
