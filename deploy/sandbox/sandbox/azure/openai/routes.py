"""The routes of the data plane, below an account's `/openai`."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.azure.openai import events, frames, questions, refusals
from sandbox.azure.openai.answers import compose, count
from sandbox.azure.openai.quota import Quota
from sandbox.azure.openai.refusals import RefusalError
from sandbox.azure.openai.relay import RelayedResponse, Upstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

    from starlette.requests import Request

    from sandbox.azure.access import DataPlane, Deployment
    from sandbox.azure.openai.answers import Answer
    from sandbox.azure.openai.questions import Question

REGION = "Sandbox"
"""What the sandbox calls its region in headers and refusals."""

TOKEN_INTERVAL = 0.02
"""Seconds between two tokens of an answer."""

_ACTIONS = "Microsoft.CognitiveServices/accounts/OpenAI"
_EVERY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@dataclass(frozen=True, slots=True)
class _Operation:
    """A way to ask a model: what it needs, and how its two kinds of answers are written."""

    data_action: str
    quoted: str
    name: str
    upstream_path: str
    read: Callable[[Mapping[str, object]], Question]
    body: Callable[[Question, Answer, frames.Stamp], dict[str, object]]
    stream: Callable[[Question, Answer, frames.Stamp], Iterable[frames.Frame]]


_CHAT = _Operation(
    data_action=f"{_ACTIONS}/deployments/chat/completions/action",
    quoted="POST /openai/deployments/{deployment-id}/chat/completions",
    name="ChatCompletions_Create",
    upstream_path="/chat/completions",
    read=questions.read_chat,
    body=lambda _, answer, stamp: frames.completion(answer, stamp),
    stream=lambda question, answer, stamp: frames.chunks(
        answer, stamp, include_usage=question.include_usage
    ),
)
_RESPONSES = _Operation(
    data_action=f"{_ACTIONS}/responses/write",
    quoted="POST /openai/v1/responses",
    name="Responses_Create",
    upstream_path="/responses",
    read=questions.read_response,
    body=events.response,
    stream=events.events,
)


def routes(
    data_plane: DataPlane,
    *,
    token_interval: float = TOKEN_INTERVAL,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    new_id: Callable[[], uuid.UUID] = uuid.uuid4,
    environment: Mapping[str, str] = os.environ,
) -> list[Route]:
    """Routes to mount at `/{account}/openai`.

    `token_interval` is in seconds, `clock` gives seconds since 1970; `environment` may hold
    UPSTREAM_API_KEY and UPSTREAM_MODEL, used when the data plane has an upstream server.
    """
    service = _Service(
        plane=data_plane,
        quota=Quota(REGION),
        upstream=Upstream.from_environment(environment),
        token_interval=token_interval,
        clock=clock,
        sleep=sleep,
        new_id=new_id,
    )
    post = ["POST"]
    return [
        Route("/v1/models", service.list_models),
        Route("/v1/models/{model}", service.get_model),
        Route("/v1/chat/completions", service.chat, methods=post),
        Route("/v1/responses", service.respond, methods=post),
        Route("/models", service.classic_models),
        Route("/deployments/{deployment}/chat/completions", service.classic_chat, methods=post),
        Route("/{rest:path}", service.not_found, methods=_EVERY_METHOD),
    ]


@dataclass(frozen=True, slots=True)
class _Service:
    plane: DataPlane
    quota: Quota
    upstream: Upstream
    token_interval: float
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[object]]
    new_id: Callable[[], uuid.UUID]

    async def chat(self, request: Request) -> Response:
        return await self._ask(request, _CHAT)

    async def respond(self, request: Request) -> Response:
        return await self._ask(request, _RESPONSES)

    async def classic_chat(self, request: Request) -> Response:
        if not request.query_params.get("api-version"):
            return await self.not_found(request)
        return await self._ask(request, _CHAT)

    async def classic_models(self, request: Request) -> Response:
        if not request.query_params.get("api-version"):
            return await self.not_found(request)
        return await self.list_models(request)

    async def list_models(self, request: Request) -> Response:
        refused = await self._admit(request, f"{_ACTIONS}/models/read", "GET /openai/v1/models")
        if refused:
            return refused
        listed = {"data": list(self._models(request).values()), "object": "list"}
        return JSONResponse(listed, headers=self._headers())

    async def get_model(self, request: Request) -> Response:
        quoted = "GET /openai/v1/models/{model}"
        refused = await self._admit(request, f"{_ACTIONS}/models/read", quoted)
        if refused:
            return refused
        name = request.path_params["model"]
        model = self._models(request).get(name)
        if model is None:
            return self._refuse(refusals.model_not_found(name))
        return JSONResponse(model, headers=self._headers())

    async def not_found(self, _: Request) -> Response:
        return self._refuse(refusals.resource_not_found())

    async def _ask(self, request: Request, operation: _Operation) -> Response:
        refused = await self._admit(request, operation.data_action, operation.quoted)
        if refused:
            return refused
        try:
            raw = await request.body()
            body = questions.read_body(raw)
            name = request.path_params.get("deployment") or questions.read_model(body)
            deployment = self.plane.deployment(request.path_params["account"], name)
            if deployment is None:
                raise refusals.deployment_not_found()
            if self.plane.upstream is not None:
                headers = self._take(request, operation, deployment, count(raw))
                url = f"{self.plane.upstream.rstrip('/')}{operation.upstream_path}"
                named = {**body, "model": self.upstream.model or deployment.name}
                return RelayedResponse(url, named, self.upstream, headers)
            return await self._answer(request, operation, deployment, operation.read(body))
        except RefusalError as refusal:
            return self._refuse(refusal)

    async def _answer(
        self, request: Request, operation: _Operation, deployment: Deployment, question: Question
    ) -> Response:
        answer = compose(question, deployment)
        tokens = answer.prompt_tokens + answer.completion_tokens
        headers = self._take(request, operation, deployment, tokens)
        full_name = f"{deployment.model}-{deployment.version}"
        named = deployment.name if operation is _RESPONSES else full_name
        stamp = frames.Stamp(self.new_id().hex, int(self.clock()), named)
        if question.stream:
            paced = self._pace(operation.stream(question, answer, stamp))
            return StreamingResponse(paced, headers=headers, media_type="text/event-stream")
        await self.sleep(self.plane.first_token + self.token_interval * len(answer.pieces))
        return JSONResponse(operation.body(question, answer, stamp), headers=headers)

    async def _pace(self, given: Iterable[frames.Frame]) -> AsyncIterator[bytes]:
        wait = self.plane.first_token
        for frame in given:
            if frame.token:
                await self.sleep(wait)
                wait = self.token_interval
            yield frame.data

    async def _admit(self, request: Request, action: str, quoted: str) -> Response | None:
        account = request.path_params["account"]
        admitted = await self.plane.admit(request, account, action, quoted)
        return admitted if isinstance(admitted, Response) else None

    def _take(
        self, request: Request, operation: _Operation, deployment: Deployment, tokens: int
    ) -> dict[str, str]:
        version = request.query_params.get("api-version", "v1")
        left = self.quota.take(
            request.path_params["account"],
            deployment,
            tokens,
            operation=f"{operation.name} under Azure OpenAI API version {version}",
            now=self.clock(),
        )
        return {**self._headers(), **left, "x-ms-deployment-name": deployment.name}

    def _models(self, request: Request) -> dict[str, dict[str, object]]:
        """Models that the account's deployments run; Azure lists all of the region instead."""
        deployments = self.plane.deployments(request.path_params["account"])
        names = sorted({f"{each.model}-{each.version}" for each in deployments})
        return {name: _model(name) for name in names}

    def _refuse(self, refusal: RefusalError) -> Response:
        headers = {**self._headers(), **refusal.headers}
        return JSONResponse({"error": dict(refusal.error)}, refusal.status, headers)

    def _headers(self) -> dict[str, str]:
        return {
            "apim-request-id": str(self.new_id()),
            "x-request-id": str(self.new_id()),
            "x-ms-region": REGION,
            "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
            "x-content-type-options": "nosniff",
        }


def _model(name: str) -> dict[str, object]:
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": "azure-openai",
        "status": "succeeded",
        "lifecycle_status": "generally-available",
        "capabilities": {
            "chat_completion": True,
            "completion": False,
            "embeddings": False,
            "fine_tune": False,
            "inference": True,
        },
    }
