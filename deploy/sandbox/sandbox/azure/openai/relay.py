"""Answers from a real model: requests relayed to an OpenAI-compatible server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx2
from starlette.responses import JSONResponse, Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

# A model on a laptop may take minutes to load before its first token.
_TIMEOUT = httpx2.Timeout(300, connect=10)


@dataclass(frozen=True, slots=True)
class Upstream:
    """How to speak to the server: its key, and the model to name instead of the deployment."""

    key: str | None
    model: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Upstream:
        """Read UPSTREAM_API_KEY and UPSTREAM_MODEL; an empty value counts as none."""
        return cls(
            environment.get("UPSTREAM_API_KEY") or None, environment.get("UPSTREAM_MODEL") or None
        )


class RelayedResponse(Response):
    """The server's own answer to a body, passed on as it arrives.

    `url` is the full address; `headers` are added to the answer. It answers 502 when the server
    cannot be reached, and ends the request to it when the client goes away.
    """

    def __init__(
        self,
        url: str,
        body: Mapping[str, object],
        upstream: Upstream,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(headers=headers)
        self._url = url
        self._body = body
        self._upstream = upstream
        self._added = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the server, and pass its answer on."""
        key = self._upstream.key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with httpx2.AsyncClient(timeout=_TIMEOUT, headers=headers) as client:
            request = client.build_request("POST", self._url, json=self._body)
            try:
                answer = await client.send(request, stream=True)
            except httpx2.HTTPError as error:
                message = f"The upstream server at {self._url} did not answer: {error}"
                refusal = {"error": {"code": "502", "message": message}}
                await JSONResponse(refusal, 502, self._added)(scope, receive, send)
                return
            try:
                kind = answer.headers.get("content-type", "application/json")
                passed = {**self._added, "content-type": kind}
                stream = StreamingResponse(answer.aiter_bytes(), answer.status_code, passed)
                await stream(scope, receive, send)
            finally:
                await answer.aclose()
