"""What reaches a pod's ports through the API server: the kubelet's /portForward, over WebSockets.

As cri-streaming and containerd have it: a message begins with its channel, 2n for the data of the
n-th port and 2n + 1 for what went wrong with it; each channel begins with its port, little-endian;
the whole ends with the first end of either side. A pod's own loopback is the pod's address here.

SPDY, which kubectl speaks (in a tunnel of the API server's), is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.cluster.api import Key

_PROTOCOLS = ("v4.channel.k8s.io",)
_CHUNK = 2**15
_NO_SPDY = "this node forwards ports by WebSockets, not by SPDY; `kubectl chatbot open` does it"


def forwarding(address: Callable[[Key], str | None]) -> list[web.RouteDef]:
    """Serve ports of pods; `address` finds a pod's."""

    async def forward(request: web.Request) -> web.StreamResponse:
        where = request.match_info
        host = address((where["namespace"], where["pod"]))
        if host is None:
            return web.Response(status=404, text="pod does not exist")
        socket = web.WebSocketResponse(protocols=_PROTOCOLS, max_msg_size=0)
        if not socket.can_prepare(request).ok:
            return web.Response(status=400, text=_NO_SPDY)
        try:
            asked = ",".join(request.query.getall("port", []))
            ports = [int(each) for each in asked.split(",")]
        except ValueError:
            return web.Response(status=400, text='query parameter "port" is required')
        await socket.prepare(request)
        await _Forwarded(socket, where["pod"], host, ports).run()
        return socket

    path = "/portForward/{namespace}/{pod}"
    return [web.get(path, forward), web.post(path, forward)]


class _Forwarded:
    """One WebSocket, and a connection for each of its ports."""

    def __init__(
        self, socket: web.WebSocketResponse, pod: str, host: str, ports: list[int]
    ) -> None:
        self._socket = socket
        self._pod = pod
        self._host = host
        self._ports = ports
        self._writers: dict[int, asyncio.StreamWriter] = {}

    async def run(self) -> None:
        """Forward until all ports have ended, or whoever asked has left."""
        try:
            for number, port in enumerate(self._ports):
                named = struct.pack("<H", port)
                await self._socket.send_bytes(bytes((2 * number,)) + named)
                await self._socket.send_bytes(bytes((2 * number + 1,)) + named)
            readers = [await self._open(n, port) for n, port in enumerate(self._ports)]
            taking = asyncio.create_task(self._take())
            giving = asyncio.create_task(self._give_all(readers))
            await asyncio.wait([taking, giving], return_when=asyncio.FIRST_COMPLETED)
            for task in (taking, giving):
                task.cancel()
            await asyncio.gather(taking, giving, return_exceptions=True)
        except ConnectionError:
            pass
        finally:
            for writer in self._writers.values():
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
            await self._socket.close()

    async def _open(self, number: int, port: int) -> asyncio.StreamReader | None:
        try:
            reader, self._writers[number] = await asyncio.open_connection(self._host, port)
        except OSError as error:
            words = f"error forwarding port {port} to pod {self._pod}, uid : {error}"
            await self._socket.send_bytes(bytes((2 * number + 1,)) + words.encode())
            return None
        return reader

    async def _give_all(self, readers: list[asyncio.StreamReader | None]) -> None:
        await asyncio.gather(*(self._give(n, each) for n, each in enumerate(readers)))

    async def _give(self, number: int, reader: asyncio.StreamReader | None) -> None:
        while reader and (data := await reader.read(_CHUNK)):
            await self._socket.send_bytes(bytes((2 * number,)) + data)

    async def _take(self) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.BINARY or not message.data:
                continue
            number, is_error = divmod(message.data[0], 2)
            if not is_error and number in self._writers:
                self._writers[number].write(message.data[1:])
                await self._writers[number].drain()
