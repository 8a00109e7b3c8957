"""`POST /v1/chat/completions` and `GET /v1/models`.

An error that comes before the first word has a status, as with OpenAI; a later one ends the stream.
"""

from __future__ import annotations

import uuid
from contextlib import aclosing
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chatbot_app import denials
from chatbot_app.answering import Answer, Chat, End, answer
from chatbot_app.completions import Delta, Usage
from chatbot_app.denials import Denial, DeniedError
from chatbot_app.openai_api import asked, said
from chatbot_app.posted import posted, unless_left
from chatbot_app.sse import HEADERS, EventStream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from starlette.middleware import Middleware
    from starlette.types import Receive, Scope, Send

ALIAS = "chatbot"
"""A name for the model that stays when the deployment changes."""

OFF = Denial(
    404,
    "This chatbot's OpenAI interface is off. Its owners turn it on with `api: {openAI: true}` in "
    "the chatbot's spec, or with CHAT_API=openai where it runs alone.",
    code="not_found",
)


def routes(chat: Chat, *, entrance: Sequence[Middleware]) -> list[Route]:
    """List the routes; `entrance` is what a request for an answer passes."""
    names = [chat.deployment, ALIAS]

    async def models(_: Request) -> Response:
        return JSONResponse(said.models(names), headers=HEADERS)

    async def model(request: Request) -> Response:
        name = request.path_params["name"]
        if name in names:
            return JSONResponse(said.model(name), headers=HEADERS)
        denial = Denial(404, "There is no such model here.", param="model", code="model_not_found")
        return denials.response(denial, request.scope["path"])

    ask = ChatCompletions(chat, names)
    return [
        Route("/v1/models", models),
        Route("/v1/models/{name}", model),
        Route("/v1/chat/completions", ask, methods=["POST"], middleware=entrance),
        Route("/v1/{rest:path}", _nothing, methods=["GET", "POST"]),
    ]


def off() -> list[Route]:
    """List what answers in their place: how to turn them on."""

    async def tell(request: Request) -> Response:
        return denials.response(OFF, request.scope["path"])

    return [Route("/v1/{rest:path}", tell, methods=["GET", "POST"])]


async def _nothing(request: Request) -> Response:
    words = "Here are /v1/chat/completions and /v1/models, and nothing else."
    return denials.response(Denial(404, words, code="not_found"), request.scope["path"])


class ChatCompletions:
    """The route that answers. It ends the answer itself, however the sending of it ends."""

    def __init__(self, chat: Chat, names: list[str]) -> None:
        self._chat = chat
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            wanted = asked.parse(await posted(request), models=self._names)
            async with aclosing(answer(self._chat, wanted.messages, wanted.sampling)) as events:
                begin = self._streamed if wanted.stream else self._whole
                response = await unless_left(request, begin(events, wanted))
                await response(scope, receive, send)
        except DeniedError as error:
            await denials.response(error.denial, scope["path"])(scope, receive, send)
        except ClientDisconnect:
            return

    def _head(self) -> said.Head:
        created = int(self._chat.now().timestamp())
        return said.Head(f"chatcmpl-{uuid.uuid4().hex}", created, self._chat.deployment)

    async def _whole(self, events: Answer, _: asked.Asked) -> Response:
        told = [event async for event in events]
        text = "".join(event.text for event in told if isinstance(event, Delta))
        usage = next((event for event in told if isinstance(event, Usage)), None)
        end = next(event for event in told if isinstance(event, End))
        if end.refusal is not None and not (text and said.filtered(end)):
            raise DeniedError(self._chat.denial(end.refusal))
        return JSONResponse(self._head().completion(text, usage, end), headers=HEADERS)

    async def _streamed(self, events: Answer, wanted: asked.Asked) -> Response:
        first = await anext(events)
        if isinstance(first, End) and first.refusal is not None:
            raise DeniedError(self._chat.denial(first.refusal))
        frames = self._frames(first, events, with_usage=wanted.with_usage)
        return EventStream(frames, ping_after=self._chat.ping_after)

    async def _frames(
        self, first: Delta | Usage | End, events: Answer, *, with_usage: bool
    ) -> AsyncGenerator[bytes, None]:
        head, usage = self._head(), None
        yield said.data(head.chunk({"role": "assistant", "content": ""}))
        async for event in _after(first, events):
            match event:
                case Delta(text):
                    yield said.data(head.chunk({"content": text}))
                case Usage():
                    usage = event
                case End(refusal=refusal) if refusal is not None and not said.filtered(event):
                    yield said.data(denials.openai_body(self._chat.denial(refusal)))
                case End():
                    yield said.data(head.last_chunk(event))
                    if with_usage and usage is not None:
                        yield said.data(head.usage_chunk(usage))
                    yield said.DONE


async def _after(first: Delta | Usage | End, events: Answer) -> Answer:
    yield first
    async for event in events:
        yield event
