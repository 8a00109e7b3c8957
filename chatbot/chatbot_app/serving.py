"""Listening, and ending without losing a token.

On SIGTERM the probes say so at once, new visitors are still served for a moment (until every node
has heard of it), then the page stops listening and the answers that stream run to their end.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

DRAIN_SECONDS = 590
"""The longest that answers may still stream; with LINGER_SECONDS within the pod's grace period."""

LINGER_SECONDS = 2.0
_IMPATIENT_SECONDS = 3
"""The same for whoever waits at a terminal, and for answers that are short: those of the probes."""
_KEEP_ALIVE = 75
_LOOPBACK = "127.0.0.1"
_HEADERS = 64 * 1024
"""Bytes; a token of Entra with 200 groups and the cookies of a proxy do not fit in uvicorn's 16."""


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals to the process: there may be two in one loop.

    With `patient` its answers have DRAIN_SECONDS to end.
    """

    def __init__(self, app: ASGIApp, *listeners: socket.socket, patient: bool = False) -> None:
        self._listeners = list(listeners)
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                h11_max_incomplete_event_size=_HEADERS,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=DRAIN_SECONDS if patient else _IMPATIENT_SECONDS,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing."""
        yield

    async def run_until_told(self) -> None:
        """Serve until `should_exit`, then let running answers end."""
        await self.serve(sockets=self._listeners)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, and let running answers end."""
        latecomers = asyncio.create_task(self._let_go())
        try:
            await super().shutdown(sockets)
        finally:
            latecomers.cancel()

    async def _let_go(self) -> None:
        """Close idle connections again and again.

        uvicorn does it once; a connection that the kernel hands over a moment later, and on which
        nothing is asked (browsers open some in advance), would hold the process up to its bound.
        """
        while True:
            await asyncio.sleep(1)
            for connection in list(self.server_state.connections):
                connection.shutdown()


def listen(host: str, port: int) -> socket.socket:
    """Bind `host:port`; port 0 takes a free one.

    Raises:
        OSError: the address is taken, or is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=2048)
    # Inherited by each connection. asyncio sets it only on sockets whose protocol is spelled out,
    # and a token would wait up to 40 ms for the acknowledgement of the one before.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def listen_near(listener: socket.socket) -> socket.socket | None:
    """Listen at the same port of loopback, too, if `listener` has another address than that.

    The kubelet forwards ports (`kubectl port-forward`) from a pod's loopback and from nowhere else.
    None where that is served already, or is another's.
    """
    host, port = listener.getsockname()[:2]
    address = ipaddress.ip_address(host)
    if address.is_loopback or address.is_unspecified:
        return None
    with contextlib.suppress(OSError):
        return listen(_LOOPBACK, port)
    return None


class Ending:
    """Whether the process has been told to end."""

    def __init__(self) -> None:
        self._told = asyncio.Event()

    def catch_signals(self) -> None:
        """End on SIGTERM and SIGINT from now on."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told.set)

    @property
    def begun(self) -> bool:
        """Whether it has been told."""
        return self._told.is_set()

    async def wait(self) -> None:
        """Wait to be told."""
        await self._told.wait()


async def serve(page: Server | None, probes: Server | None, ending: Ending) -> None:
    """Serve until told to end; the probes outlive the page."""
    page_task = asyncio.create_task(page.run_until_told()) if page else None
    probes_task = asyncio.create_task(probes.run_until_told()) if probes else None
    await ending.wait()
    if page is not None and page_task is not None:
        await asyncio.sleep(LINGER_SECONDS if probes is not None else 0)
        page.should_exit = True
        await page_task
    if probes is not None and probes_task is not None:
        probes.should_exit = True
        await probes_task
