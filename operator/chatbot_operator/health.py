"""What /healthz says: served for as long as the process lives, whether it leads or waits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web


@dataclass(slots=True)
class Health:
    """How this process stands."""

    leading: bool = False

    def document(self) -> dict[str, object]:
        """Give it in words."""
        return {"leading": self.leading}


@asynccontextmanager
async def served(health: Health, host: str, port: int) -> AsyncIterator[None]:
    """Answer on /healthz while the block runs."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response(health.document())

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()
