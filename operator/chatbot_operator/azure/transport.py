"""How requests leave for Azure, and what is seen of them."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport

from chatbot_operator.azure.budget import Budget
from chatbot_operator.azure.refusals import REQUEST_ID, seconds_of
from chatbot_operator.ports import Request

CONNECT_SECONDS = 5
READ_SECONDS = 30

OPERATION: ContextVar[str] = ContextVar("operation", default="")
"""What the requests that leave now are for: a list takes one for each of its pages."""


def session(extra_ca_file: str) -> aiohttp.ClientSession:
    """Give connections to Azure, by the environment's proxy; closing them is the caller's.

    `extra_ca_file` holds authorities (PEM) to trust besides the system's; empty: none.
    """
    connector = None
    if extra_ca_file:
        context = ssl.create_default_context()
        context.load_verify_locations(extra_ca_file)
        connector = aiohttp.TCPConnector(ssl=context)
    # azure-core decompresses by itself.
    return aiohttp.ClientSession(connector=connector, auto_decompress=False, trust_env=True)


class Transport(AioHttpTransport):  # type: ignore[misc]  # exported at run time only
    """Sends requests when it is their turn, after a last question whether that may be done.

    `ended` hears of each that left.
    """

    def __init__(
        self,
        *,
        budget: Budget,
        before: Callable[[], None],
        ended: Callable[[Request], None] = lambda _: None,
        **how: Any,
    ) -> None:
        super().__init__(**how)
        self._budget = budget
        self._before = before
        self._ended = ended

    async def send(self, request: Any, **how: Any) -> Any:
        """Send one request; raises PausedError where Azure asked for a long pause."""
        call = (request.method, urlsplit(request.url).path)
        await self._budget.turn(*call)
        self._before()
        begun, status, request_id = time.monotonic(), 0, ""
        try:
            response = await super().send(request, **how)
            status, request_id = response.status_code, response.headers.get(REQUEST_ID, "")
        finally:
            seconds = time.monotonic() - begun
            self._ended(Request(OPERATION.get(), request.method, status, seconds, request_id))
        self._budget.heed(*call, response.headers)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            self._budget.throttled(*call, seconds_of(response.headers.get("Retry-After", "")))
        return response
