"""Entra and an Azure OpenAI account in miniature, on one real TLS socket, for the chatbot's tests.

Frames and error bodies are those that Azure sends, word for word.
"""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import uvicorn
from chatbot.directory import Directory
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sandbox.certificates import Certificate
    from starlette.requests import Request

SAFE = {"filtered": False, "severity": "safe"}
FILTERS = {"hate": SAFE, "self_harm": SAFE, "sexual": SAFE, "violence": SAFE}
OID = "11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True)
class Refuse:
    """Answer with this status, body and headers."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


def entra(code: int, text: str, *, status: int = 401, error: str = "invalid_client") -> Refuse:
    description = (
        f"AADSTS{code}: {text} Trace ID: 7f3d Correlation ID: 9a Timestamp: 2026-01-31 12:00:00Z"
    )
    return Refuse(status, {"error": error, "error_description": description, "error_codes": [code]})


NO_CREDENTIAL = entra(70025, "The client 'c'(cb) has no configured federated identity credentials.")
NO_ROLE = Refuse(
    401,
    {
        "error": {
            "code": "PermissionDenied",
            "message": "The principal `p` lacks the required data action "
            "`Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action` to "
            "perform `POST /openai/deployments/{deployment-id}/chat/completions` operation.",
        }
    },
)
BAD_TOKEN = Refuse(
    401,
    {
        "statusCode": 401,
        "message": "Unauthorized. Access token is missing, invalid, audience is incorrect "
        "(https://cognitiveservices.azure.com), or have expired.",
    },
)
FIREWALL = Refuse(
    403,
    {
        "error": {
            "code": "403",
            "message": "Access denied due to Virtual Network/Firewall rules.",
        }
    },
)
KEYS_CLOSED = Refuse(
    403,
    {
        "error": {
            "code": "AuthenticationTypeDisabled",
            "message": "Key based authentication is disabled for this resource.",
        }
    },
)
NO_DEPLOYMENT = Refuse(
    404,
    {
        "error": {
            "code": "DeploymentNotFound",
            "message": "The API deployment for this resource does not exist. If you created the "
            "deployment within the last 5 minutes, please wait a moment and try again.",
        }
    },
)
NO_SUBDOMAIN = Refuse(
    400,
    {
        "error": {
            "code": "BadRequest",
            "message": "Please provide a custom subdomain for token authentication, otherwise API "
            "key is required. (Please see https://aka.ms/cogsvc-authenticatewithtoken)",
        }
    },
)
THROTTLED = Refuse(
    429,
    {
        "error": {
            "code": "429",
            "message": "Your requests to gpt for gpt-4o in Sweden Central have exceeded the token "
            "rate limit for your current AIServices S0 pricing tier. Please retry after 45 seconds.",
        }
    },
    {"Retry-After": "45"},
)
FILTERED = Refuse(
    400,
    {
        "error": {
            "message": "The response was filtered due to the prompt triggering Azure OpenAI's "
            "content management policy. Please modify your prompt and retry. To learn more about "
            "our content filtering policies please read our documentation: "
            "https://go.microsoft.com/fwlink/?linkid=2198766",
            "type": None,
            "param": "prompt",
            "code": "content_filter",
            "status": 400,
            "innererror": {
                "code": "ResponsibleAIPolicyViolation",
                "content_filter_result": {"violence": {"filtered": True, "severity": "medium"}},
            },
        }
    },
)
TOO_LONG = Refuse(
    400,
    {
        "error": {
            "message": "This model's maximum context length is 8192 tokens.",
            "type": "invalid_request_error",
            "param": "messages",
            "code": "context_length_exceeded",
        }
    },
)
BROKEN = Refuse(500, {"error": {"code": "InternalServerError", "message": "Backend returned 500"}})


@dataclass(frozen=True)
class Say:
    """Stream these pieces, `pause` seconds apart; `finish` None breaks off without an end.

    `dropped` breaks off without even the end of the response.
    """

    pieces: tuple[str, ...]
    pause: float = 0.0
    finish: str | None = "stop"
    error: dict[str, Any] | None = None
    prompt_tokens: int = 12
    dropped: bool = False


@dataclass
class Upstream:
    """The server and what it saw. `answers` is taken first to last, then `otherwise` for ever."""

    certificate: Certificate
    answers: list[Say | Refuse] = field(default_factory=list)
    otherwise: Callable[[dict[str, Any]], Say | Refuse] = lambda _: Say(("Hel", "lo."))
    exchange: Refuse | None = None
    models: Refuse | None = None
    oid: str = OID
    lifetime: int = 86400
    exchanges: list[dict[str, str]] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    chats: list[dict[str, Any]] = field(default_factory=list)
    connections: list[tuple[str, int]] = field(default_factory=list)
    issued: set[str] = field(default_factory=set)
    streaming: int = 0
    aborted: int = 0
    pieces_sent: int = 0
    port: int = 0
    directory: Directory = field(default_factory=Directory)

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}/"

    def forget(self) -> None:
        """Begin a test anew on a server that others have used."""
        self.answers, self.otherwise = [], lambda _: Say(("Hel", "lo."))
        self.chats, self.connections, self.aborted, self.pieces_sent = [], [], 0, 0

    def start(self) -> None:
        config = uvicorn.Config(
            self._app(),
            host="127.0.0.1",
            port=0,
            log_level="critical",
            lifespan="off",
            ssl_certfile=self.certificate.certificate,
            ssl_keyfile=self.certificate.key,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/{tenant}/oauth2/v2.0/token", self._token, methods=["POST"]),
                Route("/openai/v1/models", self._models),
                Route("/openai/v1/chat/completions", self._chat, methods=["POST"]),
                *self.directory.routes(),
            ]
        )

    async def _token(self, request: Request) -> JSONResponse:
        form = dict(parse_qsl((await request.body()).decode()))
        self.exchanges.append(form)
        if self.exchange is not None:
            return _refusal(self.exchange)
        token = jwt({"oid": self.oid, "n": len(self.exchanges)})
        self.issued.add(token)
        return JSONResponse(
            {"token_type": "Bearer", "expires_in": self.lifetime, "access_token": token}
        )

    def _bearer(self, request: Request) -> str:
        return request.headers.get("authorization", "").removeprefix("Bearer ")

    async def _models(self, request: Request) -> JSONResponse:
        self.reads.append(self._bearer(request))
        if self.models is not None:
            return _refusal(self.models)
        if self._bearer(request) not in self.issued:
            return _refusal(BAD_TOKEN)
        return JSONResponse({"object": "list", "data": [{"id": "gpt-4o", "object": "model"}]})

    async def _chat(self, request: Request) -> JSONResponse | StreamingResponse:
        body = await request.json()
        self.chats.append(body)
        assert request.client is not None
        self.connections.append(request.client)
        if self._bearer(request) not in self.issued:
            return _refusal(BAD_TOKEN)
        answer = self.answers.pop(0) if self.answers else self.otherwise(body)
        if isinstance(answer, Refuse):
            return _refusal(answer)
        return StreamingResponse(self._stream(answer), media_type="text/event-stream")

    async def _stream(self, answer: Say) -> AsyncIterator[str]:
        self.streaming += 1
        try:
            yield frame(
                choices=[],
                created=0,
                id="",
                model="",
                object="",
                prompt_filter_results=[{"prompt_index": 0, "content_filter_results": FILTERS}],
            )
            yield choice({"role": "assistant", "content": ""})
            for piece in answer.pieces:
                yield choice({"content": piece})
                self.pieces_sent += 1
                await asyncio.sleep(answer.pause)
            if answer.dropped:
                raise ConnectionAbortedError
            if answer.error is not None:
                yield frame(error=answer.error)
            if answer.finish is None:
                return
            yield choice({}, finish=answer.finish)
            usage = {
                "prompt_tokens": answer.prompt_tokens,
                "completion_tokens": len(answer.pieces),
            }
            yield frame(choices=[], id="chatcmpl-1", usage=usage)
            yield "data: [DONE]\n\n"
        except asyncio.CancelledError:
            self.aborted += 1
            raise
        finally:
            self.streaming -= 1


def _refusal(refuse: Refuse) -> JSONResponse:
    return JSONResponse(refuse.body, refuse.status, headers=refuse.headers)


def frame(**body: Any) -> str:
    return f"data: {json.dumps(body)}\n\n"


def choice(delta: dict[str, Any], *, finish: str | None = None) -> str:
    return frame(
        choices=[
            {
                "content_filter_results": FILTERS,
                "delta": delta,
                "finish_reason": finish,
                "index": 0,
                "logprobs": None,
            }
        ],
        created=1769860800,
        id="chatcmpl-1",
        model="gpt-4o-2024-08-06",
        object="chat.completion.chunk",
        system_fingerprint="fp_1",
        usage=None,
    )


def jwt(claims: dict[str, Any]) -> str:
    parts = ({"alg": "RS256", "typ": "JWT"}, claims)
    encoded = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    ]
    return ".".join([*encoded, "c2ln"])
