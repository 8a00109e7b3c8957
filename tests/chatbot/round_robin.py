"""A load balancer without stickiness: each HTTP request goes to the next replica."""

from __future__ import annotations

import asyncio
import re
import threading
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class RoundRobin:
    """Balances the pages at `replicas`; `asked` has the request lines that each one got."""

    replicas: list[str]
    asked: list[list[str]] = field(default_factory=list)
    port: int = 0

    @property
    def page(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        self.asked = [[] for _ in self.replicas]
        self._loop, bound = asyncio.new_event_loop(), threading.Event()

        async def listen() -> None:
            server = await asyncio.start_server(self._balance, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            self._told, self._turn = asyncio.Event(), 0
            bound.set()
            async with server:
                await self._told.wait()

        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[listen()])
        self._thread.start()
        bound.wait()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._told.set)
        self._thread.join(timeout=10)

    async def _balance(self, visitor: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Pass one request on; whoever leaves ends the request at the replica too."""
        try:
            head = await visitor.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:  # connected in advance, and asked nothing
            back.close()
            return
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        body = await visitor.readexactly(int(length[1])) if length else b""
        line, _, fields = head.partition(b"\r\n")
        replica, self._turn = self._turn % len(self.replicas), self._turn + 1
        self.asked[replica].append(line.decode())
        address = urlsplit(self.replicas[replica])
        answer, there = await asyncio.open_connection(address.hostname, address.port)
        there.write(line + b"\r\nConnection: close\r\n" + fields + body)
        ends = {asyncio.create_task(_copy(answer, back)), asyncio.create_task(visitor.read())}
        _, left = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
        there.close()
        back.close()


async def _copy(answer: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
    while piece := await answer.read(65536):
        back.write(piece)
        await back.drain()
