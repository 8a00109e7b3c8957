"""The emulator on a TLS socket of the loopback interface."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.azure.app import compose
from sandbox.azure.faults import ABORT
from sandbox.azure.settings import Surroundings
from sandbox.azure.state import Clock, new_guid
from sandbox.azure.world import World

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from sandbox.azure.settings import Settings
    from sandbox.certificates import Certificate

HOST = "127.0.0.1"
_NOWHERE = Surroundings()
_FAREWELL = 2
"""Seconds that requests under way get when the server stops."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator. `url` has no trailing slash."""

    url: str
    world: World


@asynccontextmanager
async def serve(
    settings: Settings,
    certificate: Certificate,
    *,
    port: int = 0,
    surroundings: Surroundings = _NOWHERE,
    clock: Clock = time.time,
) -> AsyncIterator[Emulator]:
    """Run an emulator in this event loop; port 0 takes a free one."""
    with socket.create_server((HOST, port)) as listening:
        # asyncio does this only for sockets made with an explicit protocol; without it every
        # answer waits 40 ms for an acknowledgement.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        url = f"https://{HOST}:{listening.getsockname()[1]}"
        world = World(url, surroundings, clock, new_guid, settings)
        server = _Server(
            uvicorn.Config(
                compose(world),
                http=_Protocol,
                ssl_certfile=certificate.certificate,
                ssl_keyfile=certificate.key,
                log_level="error",
                access_log=False,
                timeout_graceful_shutdown=_FAREWELL,
            )
        )
        task = asyncio.create_task(server.serve(sockets=[listening]))
        ready = asyncio.create_task(server.ready.wait())
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        try:
            if server.ready.is_set():
                yield Emulator(url, world)
        finally:
            server.should_exit = True
            await task


class _Server(uvicorn.Server):
    """A uvicorn server that says when it is ready and leaves signals to its caller."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Protocol(H11Protocol):
    """HTTP/1.1 whose requests carry a way to break their own connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        served = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope[ABORT] = transport.abort
            await served(scope, receive, send)

        self.app = app
