"""Listening, and ending without losing a token.

On SIGTERM the probes say so at once, new visitors are still served for a moment (until every node
has heard of it), then the page stops listening and the answers that stream run to their end.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

DRAIN_SECONDS = 25
"""Fits with LINGER_SECONDS into Kubernetes' default grace period of 30 s."""

LINGER_SECONDS = 2.0
_KEEP_ALIVE = 75
_HEADERS = 64 * 1024
"""Bytes; a token of Entra with 200 groups and the cookies of a proxy do not fit in uvicorn's 16."""


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals to the process: there may be two in one loop."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self._listener = listener
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
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing."""
        yield

    async def run_until_told(self) -> None:
        """Serve until `should_exit`, then let running answers end."""
        await self.serve(sockets=[self._listener])


def listen(host: str, port: int) -> socket.socket:
    """Bind `host:port`; port 0 takes a free one.

    Raises:
        OSError: the address is taken, or is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


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
