"""What /healthz and /metrics say, for as long as the process lives, whether it leads or waits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

STUCK_SECONDS = 600.0
"""A pass ends after two minutes, whatever happens: so long without one, nothing works."""


@dataclass(frozen=True, slots=True)
class Vital:
    """How a leading operator is: all in seconds.

    `silence`: since the API server was last heard of, in a watch or a list; `silence_limit`: how
    long that may be. `overdue`: how long the key that waits longest has been due. `idle`: since a
    pass last ended.
    """

    silence: float
    silence_limit: float
    overdue: float
    idle: float

    @property
    def trouble(self) -> str:
        """What a restart may mend; empty when all is well."""
        if min(self.overdue, self.idle) > STUCK_SECONDS:
            return "passes are due and none ends"
        if self.silence > self.silence_limit:
            return "neither a watch nor a list has brought anything"
        return ""


Look = Callable[[], Vital | None]
"""Gives how this process is; None while another one leads. Never raises."""


def answer(vital: Vital | None) -> tuple[int, dict[str, object]]:
    """Give what /healthz says: a status and a document."""
    if vital is None:
        return HTTPStatus.OK, {"leading": False}
    status = HTTPStatus.SERVICE_UNAVAILABLE if vital.trouble else HTTPStatus.OK
    seconds = {"silence": vital.silence, "overdue": vital.overdue}
    ages = {f"{what}Seconds": round(age, 1) for what, age in seconds.items()}
    return status, {"leading": True, "trouble": vital.trouble, **ages}


@asynccontextmanager
async def served(
    look: Look, registry: CollectorRegistry, host: str, port: int
) -> AsyncIterator[None]:
    """Answer on /healthz and /metrics while the block runs."""

    async def healthz(_: web.Request) -> web.Response:
        status, document = answer(look())
        return web.json_response(document, status=status)

    async def metrics(request: web.Request) -> web.Response:
        render, media_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=render(registry), headers={"Content-Type": media_type})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()
