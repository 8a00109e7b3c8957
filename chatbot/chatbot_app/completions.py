"""One answer of the model, as a stream of typed events.

The openai client carries the request: its errors, its timeouts, a token per attempt. What is asked
and answered goes past its models, in the way that it documents for what it has none for: checking a
question against them takes 0.3 ms, and parsing each chunk into them six times the CPU.
Leaving the stream early closes the connection, which ends the call at Azure too.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx2
import openai

from chatbot_app.characters import whole
from chatbot_app.faults import of_account, of_frame
from chatbot_app.reasons import ChatReason, Reason, Refusal, RefusedError

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence

log = logging.getLogger(__name__)

TIMEOUT = httpx2.Timeout(connect=5.0, read=180.0, write=30.0, pool=10.0)
"""Seconds; `read` is the longest silence, and a reasoning model thinks before its first word."""

_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=60.0)
"""How many answers there are at once is `places`' to limit. What is idle is kept for some seconds,
so that the next message does not begin with a handshake."""

_PROBE_TIMEOUT = httpx2.Timeout(15.0, connect=5.0)
_SECOND_TRY_AFTER = 0.5
_LONGEST_END = 0.5


@dataclass(frozen=True, slots=True)
class Delta:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that the call was charged for."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Finish:
    """The model stopped: `stop`, or `length` when the answer reached its limit.

    `model` is the one that answered, by its own name; `id` names the answer.
    """

    reason: str
    model: str = field(default="", compare=False)
    id: str = field(default="", compare=False)


Event = Delta | Usage | Finish | Refusal


@dataclass(frozen=True, slots=True)
class Sampling:
    """What is sent only when set, because reasoning models refuse it otherwise."""

    temperature: float | None = None
    top_p: float | None = None
    max_output_tokens: int | None = None
    stop: tuple[str, ...] = ()

    def wished(self, wishes: Sampling) -> Sampling:
        """Prefer what is wished; no answer becomes longer than this one allows."""
        lengths = [n for n in (self.max_output_tokens, wishes.max_output_tokens) if n is not None]
        return Sampling(
            self.temperature if wishes.temperature is None else wishes.temperature,
            self.top_p if wishes.top_p is None else wishes.top_p,
            min(lengths, default=None),
            wishes.stop or self.stop,
        )

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the call that are set."""
        chosen = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_completion_tokens": self.max_output_tokens,
            "stop": list(self.stop) or None,
        }
        return {name: value for name, value in chosen.items() if value is not None}


AS_SET = Sampling()
"""No wishes."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model deployment of an account.

    `endpoint` ends with a slash. With an `api_version` it is called the way it was before
    /openai/v1/, for gateways and clouds that know no other
    (https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle).
    """

    endpoint: str
    deployment: str
    api_version: str = ""

    @property
    def chats(self) -> str:
        """Base URL of chat completions."""
        if self.api_version:
            return f"{self.endpoint}openai/deployments/{quote(self.deployment, safe='')}/"
        return f"{self.endpoint}openai/v1/"

    @property
    def models(self) -> str:
        """Base URL of the list of models."""
        return f"{self.endpoint}openai/" if self.api_version else f"{self.endpoint}openai/v1/"

    @property
    def query(self) -> dict[str, object]:
        """What every call carries in its query."""
        return {"api-version": self.api_version} if self.api_version else {}


class Completions:
    """One model deployment of one account; the life of a connection pool."""

    def __init__(
        self,
        *,
        model: Model,
        sampling: Sampling,
        token: Callable[[], Awaitable[str]],
        trusted: ssl.SSLContext | None = None,
        timeout: httpx2.Timeout = TIMEOUT,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._model = model
        self._sampling = sampling
        self._sleep = sleep
        # Retries are ours: the client's own would sleep through a 429 while a visitor waits.
        self._client = openai.AsyncOpenAI(
            base_url=model.chats,
            default_query=model.query,
            api_key=token,
            timeout=timeout,
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(verify=trusted or True, limits=_LIMITS),
        )

    async def stream(
        self, messages: Sequence[dict[str, str]], wishes: Sampling = AS_SET
    ) -> AsyncGenerator[Event, None]:
        """Ask the model; the last event is a `Finish` or a `Refusal`. Raises nothing of its own."""
        chosen = self._sampling.wished(wishes).parameters()
        begun = False
        for last_try in (False, True):
            try:
                async for event in self._attempt(messages, chosen):
                    begun = True
                    yield event
            except RefusedError as error:
                yield error.refusal
            except ValueError:
                yield Refusal(ChatReason.INTERRUPTED, "the stream carried a frame that is not JSON")
            except (openai.OpenAIError, httpx2.HTTPError) as error:
                if not begun and not last_try and _worth_a_second_try(error):
                    await self._sleep(_SECOND_TRY_AFTER)
                    continue
                yield of_account(error)
            return

    async def _attempt(
        self, messages: Sequence[dict[str, str]], chosen: dict[str, Any]
    ) -> AsyncGenerator[Event, None]:
        asked = {
            "model": self._model.deployment,
            "messages": messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            **chosen,
        }
        response = await self._client.post(
            "/chat/completions", cast_to=httpx2.Response, body=asked, stream=True
        )
        async with aclosing(response):
            finish: Finish | None = None
            lines = _lines(response)
            async for line in lines:
                if not line.startswith(b"data:"):
                    continue
                payload = line[5:].strip()
                if payload == b"[DONE]":
                    break
                events, finished = _read(payload)
                for event in events:
                    yield event
                finish = finished or finish
            await _read_out(lines)
        yield _end(finish)

    async def prove(self, token: str) -> None:
        """Make the one read that costs nothing, with this very token.

        Raises:
            RefusedError: the account did not answer it with 200.
        """
        client = self._client.with_options(
            base_url=self._model.models, api_key=token, timeout=_PROBE_TIMEOUT
        )
        try:
            await client.get("/models", cast_to=httpx2.Response)
        except openai.OpenAIError as error:
            refusal = of_account(error)
            if refusal.reason is ChatReason.TIMED_OUT:
                refusal = Refusal(Reason.ENDPOINT_UNREACHABLE, "(it took too long)")
            elif isinstance(refusal.reason, ChatReason):
                refusal = Refusal(Reason.SERVICE_ERROR, refusal.detail)
            raise RefusedError(refusal) from error

    async def close(self) -> None:
        """Close the connection pool."""
        await self._client.close()


async def _lines(response: httpx2.Response) -> AsyncIterator[bytes]:
    """Split at line feeds; `aiter_lines` also splits at U+2028, which JSON may hold as it is."""
    rest = b""
    async for piece in response.aiter_bytes():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line
    yield rest


async def _read_out(lines: AsyncIterator[bytes]) -> None:
    """Read the end of the response: only then its connection is kept for the next answer."""
    with contextlib.suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(_LONGEST_END):
            async for _ in lines:
                pass


def _worth_a_second_try(error: Exception) -> bool:
    """A pooled connection may have died quietly, and Azure answers a passing 5xx now and then."""
    if isinstance(error, openai.APITimeoutError):
        return False
    return isinstance(error, (openai.APIConnectionError, openai.InternalServerError))


def _read(payload: bytes) -> tuple[list[Event], Finish | None]:
    """Read one frame. Azure's first one has no choices, and the last one only usage."""
    frame: dict[str, Any] = json.loads(payload)
    if error := frame.get("error"):
        refusal = of_frame(error if isinstance(error, dict) else {})
        raise RefusedError(refusal)
    events: list[Event] = []
    finish: Finish | None = None
    for choice in frame.get("choices") or ():
        text = (choice.get("delta") or {}).get("content")
        if text:
            events.append(Delta(whole(text)))
        if (reason := choice.get("finish_reason")) and finish is None:
            finish = Finish(reason, *(str(frame.get(name) or "") for name in ("model", "id")))
    if usage := frame.get("usage"):
        events.append(Usage(usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)))
    return events, finish


def _end(finish: Finish | None) -> Event:
    match finish:
        case None:
            return Refusal(ChatReason.INTERRUPTED, "the stream ended without a finish reason")
        case Finish("content_filter"):
            return Refusal(ChatReason.CONTENT_FILTERED)
    return finish
