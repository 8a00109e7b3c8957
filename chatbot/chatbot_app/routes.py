"""The page and `POST /api/chat`, which answers with server-sent events.

    delta {"text"} …, usage {"promptTokens", "completionTokens", "window"},
    error {"reason", "message", "retryAfter"?}, done {"finish", "leftOut", "sent"}

Whatever is refused before the stream begins is a JSON body with the members of `error`.
Nothing about a visitor is kept: see `conversation` for where the memory lives.
"""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import asdict
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from chatbot_app import conversation
from chatbot_app.answering import Chat, End, answer
from chatbot_app.completions import Delta, Usage
from chatbot_app.gate import Admission, SafeHeaders, foreign
from chatbot_app.reasons import ChatReason, Refusal
from chatbot_app.sse import HEADERS, EventStream, frame

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from chatbot_app.settings import Access

BODY_LIMIT = 1024 * 1024


def page(chat: Chat, *, web: Path, local_only: bool, access: Access | None = None) -> Starlette:
    """Build the application of the page.

    `local_only` refuses foreign host names (laptop); `access` whoever its proxy did not sign in.
    """
    admission = [Middleware(Admission, access)] if access else []

    async def config(request: Request) -> Response:
        user = request.scope.get("user")
        return JSONResponse(asdict(chat.texts) | {"user": user}, headers=HEADERS)

    async def answered(request: Request) -> Response:
        return _spent(chat) or await _chat(chat, request, local_only=local_only)

    return Starlette(
        routes=[
            Route("/api/config", config),
            Route("/api/chat", answered, methods=["POST"]),
            Mount("/", GZipMiddleware(StaticFiles(directory=web, html=True))),
        ],
        middleware=[Middleware(SafeHeaders), *admission],
    )


async def _chat(chat: Chat, request: Request, *, local_only: bool) -> Response:
    if foreign(request.headers, local_only=local_only):
        return _refused(403, "This address only answers its own page.")
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return _refused(415, "The request must be JSON.")
    try:
        messages = await _posted(request)
    except conversation.UnacceptableError as error:
        return _refused(400, str(error))
    except ClientDisconnect:
        return Response(status_code=400)
    if messages is None:
        return _refused(413, "The conversation is larger than 1 MiB. Please start a new chat.")
    return EventStream(_frames(chat, messages), ping_after=chat.ping_after)


async def _posted(request: Request) -> tuple[conversation.Message, ...] | None:
    """Read the conversation; None when it is too large, without reading the rest."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_LIMIT:
            return None
    try:
        return conversation.parse(json.loads(body))
    except conversation.UnacceptableError:
        raise
    except (ValueError, RecursionError) as error:
        raise conversation.UnacceptableError("The request is not valid JSON.") from error


def _refused(status: int, message: str) -> Response:
    reason = ChatReason.REQUEST_REFUSED
    return JSONResponse({"reason": reason, "message": message}, status, headers=HEADERS)


async def _frames(
    chat: Chat, messages: tuple[conversation.Message, ...]
) -> AsyncGenerator[bytes, None]:
    async with aclosing(answer(chat, messages)) as events:
        async for event in events:
            match event:
                case Delta(text):
                    yield frame("delta", {"text": text})
                case Usage(prompt_tokens, completion_tokens):
                    used = {"promptTokens": prompt_tokens, "completionTokens": completion_tokens}
                    yield frame("usage", used | {"window": chat.memory.window})
                case End(finish, left_out, sent, refusal):
                    if refusal is not None:
                        yield frame("error", _error(refusal, chat))
                    yield frame("done", {"finish": finish, "leftOut": left_out, "sent": sent})


def _spent(chat: Chat) -> Response | None:
    """Refuse a chat if this day's tokens are used up."""
    refusal = chat.budget.refuse(chat.now())
    if refusal is None:
        return None
    after = {"retry-after": f"{refusal.retry_after:.0f}"}
    return JSONResponse(_error(refusal, chat), 429, headers=HEADERS | after)


def _error(refusal: Refusal, chat: Chat) -> dict[str, object]:
    body: dict[str, object] = {
        "reason": refusal.reason,
        "message": chat.words(refusal),
    }
    return body if refusal.retry_after is None else body | {"retryAfter": refusal.retry_after}
