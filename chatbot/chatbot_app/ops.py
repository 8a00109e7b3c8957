"""The probes, `/livez` and `/readyz`, and `/metrics`, on a port of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from chatbot_app.standing import Standing, document

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import CollectorRegistry
    from starlette.requests import Request


def probes(
    standing: Callable[[], Standing],
    *,
    draining: Callable[[], bool],
    registry: CollectorRegistry,
) -> Starlette:
    """Build the application; a chatbot that is about to end is no longer ready."""

    async def livez(_: Request) -> Response:
        return PlainTextResponse("ok\n", headers={"cache-control": "no-store"})

    async def readyz(_: Request) -> Response:
        now = standing()
        ready = now.proven_at is not None and not draining()
        body = document(now)
        return JSONResponse(body, 200 if ready else 503, headers={"cache-control": "no-store"})

    async def metrics(request: Request) -> Response:
        render, media_type = choose_encoder(request.headers.get("accept", ""))
        headers = {"cache-control": "no-store", "content-type": media_type}
        return Response(render(registry), headers=headers)

    return Starlette(
        routes=[
            Route("/livez", livez),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ]
    )
