"""The emulator as one ASGI application: ledger, faults, and behind them the planes of Azure."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount

from sandbox.azure.arm.gateway import Gateway
from sandbox.azure.control import Control
from sandbox.azure.data_plane import AccountDataPlane
from sandbox.azure.entra import Entra
from sandbox.azure.faults import Faults
from sandbox.azure.graph import Graph
from sandbox.azure.issuers import Issuers
from sandbox.azure.ledger import Ledger, plane_of
from sandbox.azure.openai import routes as openai_routes
from sandbox.azure.throttle import Throttle
from sandbox.azure.tokens import Tokens

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from sandbox.azure.world import World


def compose(world: World) -> Ledger:
    """Put the emulator together around a world."""
    issuers = Issuers(world.surroundings.trust)
    tokens = Tokens(world.base_url, world.clock)
    throttle = Throttle()

    def forget() -> None:
        throttle.buckets.clear()
        issuers.forget()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await issuers.close()

    planes = _Planes(Gateway(world, tokens, throttle))
    faults = Faults(planes)
    ledger = Ledger(faults, world.clock, world.new_guid)
    planes.rest = Starlette(
        routes=[
            *Control(world, faults, ledger, forget).routes(),
            *Graph(world).routes(),
            *Entra(world, tokens, issuers).routes(),
            Mount(
                "/{account}/openai",
                routes=openai_routes(AccountDataPlane(world, tokens), clock=world.clock),
            ),
        ],
        lifespan=lifespan,
    )
    return ledger


@dataclass(slots=True)
class _Planes:
    """ARM has its own router, for paths without case; Starlette routes the rest."""

    gateway: Gateway
    rest: Starlette = field(default_factory=Starlette)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and plane_of(scope["path"]) == "arm":
            response = await self.gateway.answer(Request(scope, receive))
            await response(scope, receive, send)
        else:
            await self.rest(scope, receive, send)
