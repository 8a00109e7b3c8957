"""How requests leave for Azure."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline.transport import AioHttpTransport

from chatbot_operator.azure.budget import Budget
from chatbot_operator.azure.refusals import seconds_of

CONNECT_SECONDS = 5
READ_SECONDS = 30


class Transport(AioHttpTransport):  # type: ignore[misc]  # exported at run time only
    """Sends requests when it is their turn, after a last question whether that may be done."""

    def __init__(self, *, budget: Budget, before: Callable[[], None], **how: Any) -> None:
        super().__init__(**how)
        self._budget = budget
        self._before = before

    async def send(self, request: Any, **how: Any) -> Any:
        """Send one request; raises PausedError where Azure asked for a long pause."""
        call = (request.method, urlsplit(request.url).path)
        await self._budget.turn(*call)
        self._before()
        response = await super().send(request, **how)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            self._budget.throttled(*call, seconds_of(response.headers.get("Retry-After", "")))
        return response
