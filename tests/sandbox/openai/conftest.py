"""A small account side for the data plane, served on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import uvicorn
from openai import AsyncOpenAI
from sandbox.azure.access import Caller, Deployment
from sandbox.azure.openai import routes
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from starlette.requests import Request
    from starlette.routing import BaseRoute

TOKEN = "a-token"
DEPLOYMENTS = (
    Deployment("chat", "gpt-4o", "2024-08-06", 50),
    Deployment("old", "gpt-4", "0613", 50),
    Deployment("tiny", "gpt-4o-mini", "2024-07-18", 1),
    Deployment("thinker", "o3-mini", "2025-01-31", 50),
    Deployment("five", "gpt-5-mini", "2025-08-07", 50),
)


@dataclass
class Account:
    """An account side that lets one token in, and notes what it was asked for."""

    name: str = "contoso"
    upstream: str | None = None
    first_token: float = 0.0
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def admit(
        self, request: Request, account: str, data_action: str, operation: str
    ) -> Caller | Response:
        self.asked.append((account, data_action, operation))
        if request.headers.get("authorization") == f"Bearer {TOKEN}":
            return Caller("oid", "client")
        return JSONResponse({"statusCode": 401, "message": "Unauthorized."}, 401)

    def deployment(self, account: str, name: str) -> Deployment | None:
        return next((d for d in self.deployments(account) if d.name == name.lower()), None)

    def deployments(self, account: str) -> tuple[Deployment, ...]:
        return DEPLOYMENTS if account == self.name else ()


@contextlib.asynccontextmanager
async def serving(given: Sequence[BaseRoute]) -> AsyncIterator[str]:
    """Serve routes on a free loopback port; yields the base URL."""
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=given), log_level="warning"))
    server.capture_signals = contextlib.nullcontext
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@dataclass(frozen=True)
class Emulator:
    """A running data plane, its account side and ways to speak to it."""

    url: str
    account: Account
    http: httpx2.AsyncClient
    client: AsyncOpenAI

    async def chat(self, text: str = "hello", **more: Any) -> httpx2.Response:
        body = {"model": "chat", "messages": [{"role": "user", "content": text}], **more}
        return await self.http.post("v1/chat/completions", json=body)

    async def respond(self, text: str = "hello", **more: Any) -> httpx2.Response:
        return await self.http.post("v1/responses", json={"model": "chat", "input": text, **more})


@contextlib.asynccontextmanager
async def emulating(account: Account, **surroundings: Any) -> AsyncIterator[Emulator]:
    """Run a data plane in front of an account side; `surroundings` are arguments of routes()."""

    async def token() -> str:
        return TOKEN

    given = routes(account, **{"token_interval": 0.0, "environment": {}, **surroundings})
    async with serving([Mount("/{account}/openai", routes=given)]) as base:
        url = f"{base}/contoso/openai/"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            httpx2.AsyncClient(base_url=url, headers=headers, trust_env=False) as http,
            httpx2.AsyncClient(trust_env=False) as plain,
            AsyncOpenAI(
                base_url=f"{url}v1/", api_key=token, max_retries=0, http_client=plain
            ) as client,
        ):
            yield Emulator(url, account, http, client)


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with emulating(Account()) as running:
        yield running


@pytest.fixture
def emulate() -> Callable[..., contextlib.AbstractAsyncContextManager[Emulator]]:
    """Start a data plane with an account side or surroundings of the test's own."""
    return emulating


@pytest.fixture
def serve() -> Callable[..., contextlib.AbstractAsyncContextManager[str]]:
    """Serve routes of the test's own."""
    return serving


@pytest.fixture
def new_account() -> type[Account]:
    """The account side's class."""
    return Account
