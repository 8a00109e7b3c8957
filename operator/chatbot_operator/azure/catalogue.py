"""Whatever Resource Manager lists, for a person who looks around: the operator itself does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
from azure.core import AsyncPipelineClient
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, UserAgentPolicy
from azure.core.rest import HttpRequest
from azure.mgmt.core.exceptions import ARMErrorFormat

from chatbot_operator.azure.budget import Budget
from chatbot_operator.azure.calls import call
from chatbot_operator.azure.transport import CONNECT_SECONDS, READ_SECONDS, Transport
from chatbot_operator.errors import Refusal

Json = dict[str, Any]

HTTPS = 443
AT_ONCE = 8
"""Requests that are under way at the same time: a person may have hundreds of subscriptions."""


class Catalogue:
    """Reads of Resource Manager by path, over `session`; an asynchronous context manager.

    `endpoint` is that of the cloud, `scope` that of its tokens. Nothing is tried twice.
    """

    def __init__(
        self, credential: Any, *, endpoint: str, scope: str, session: aiohttp.ClientSession
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._turn = asyncio.Semaphore(AT_ONCE)
        transport = Transport(
            budget=Budget(time.monotonic, asyncio.sleep),
            before=lambda: None,
            session=session,
            session_owner=False,
            connection_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
        )
        bearer = AsyncBearerTokenCredentialPolicy(credential, scope)
        self._client: AsyncPipelineClient[HttpRequest, Any] = AsyncPipelineClient(
            self._endpoint, policies=[UserAgentPolicy(), bearer], transport=transport
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._client.close()

    async def every(self, path: str, version: str, query: str = "") -> list[Json]:
        """List what is at a path, page by page; `query` is its $filter. Raises Refusal."""
        return [each async for each in self._pages(path, version, query)]

    async def one(self, path: str, version: str) -> Json | None:
        """Read what is at a path; None when there is nothing. Raises Refusal."""
        try:
            return await self._get(f"{self._endpoint}{path}", {"api-version": version})
        except Refusal as refusal:
            if refusal.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def _pages(self, path: str, version: str, query: str) -> AsyncIterator[Json]:
        asked = {"api-version": version} | ({"$filter": query} if query else {})
        page = await self._get(f"{self._endpoint}{path}", asked)
        while True:
            for each in page.get("value", ()):
                yield each
            more = str(page.get("nextLink") or "")
            if not more:
                return
            # A token of the person's goes nowhere but to Resource Manager, and half a list is none.
            if _origin(more) != _origin(self._endpoint):
                raise Refusal(
                    f"read {path}",
                    status=0,
                    code="",
                    message="The list goes on at another address than Resource Manager's.",
                    reading=True,
                )
            page = await self._get(more, {})

    async def _get(self, url: str, query: Mapping[str, str]) -> Json:
        request = HttpRequest("GET", url, params=dict(query))
        async with call(f"read {urlsplit(url).path}", reading=True), self._turn:
            response = await self._client.send_request(request)
            await response.read()
            if response.status_code >= HTTPStatus.BAD_REQUEST:
                raise HttpResponseError(response=response, error_format=ARMErrorFormat)
            found: Json = response.json()
        return found


def _origin(url: str) -> tuple[str, str | None, int]:
    """Give what tells a server; Azure spells its own with the port, too."""
    where = urlsplit(url)
    return where.scheme, where.hostname, where.port or HTTPS
