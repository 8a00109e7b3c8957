"""The page and `POST /api/chat`, which answers with server-sent events.

    delta {"text"} …, usage {"promptTokens", "completionTokens"},
    error {"reason", "message", "retryAfter"?}, done {"finish", "leftOut"}

Whatever is refused before the stream begins is a JSON body with the members of `error`.
Nothing about a visitor is kept: see `conversation` for where the memory lives.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import time
from contextlib import aclosing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from chatbot_app import conversation
from chatbot_app.budget import Budget
from chatbot_app.completions import Completions, Delta, Finish, Usage
from chatbot_app.gate import Admission, SafeHeaders, foreign
from chatbot_app.reasons import ChatReason, Refusal
from chatbot_app.sse import HEADERS, EventStream, frame

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from chatbot_app.settings import Access

log = logging.getLogger(__name__)

BODY_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Texts:
    """What the page shows of the chatbot itself; what is empty it shows in its own words."""

    title: str
    welcome: str = ""
    starters: tuple[str, ...] = ()
    disclaimer: str = ""


@dataclass(slots=True)
class Chat:
    """What the routes need: texts, the model, its budget, and who wants to know how a chat ended.

    `budget` is what is left of it: the one thing here that changes.
    """

    texts: Texts
    system_prompt: str
    memory: conversation.Memory
    completions: Completions
    ended: Callable[[Refusal | None], None]
    words: Callable[[Refusal], str]
    now: Callable[[], dt.datetime]
    budget: Budget
    ping_after: float = 15.0


def page(chat: Chat, *, web: Path, local_only: bool, access: Access | None = None) -> Starlette:
    """Build the application of the page.

    `local_only` refuses foreign host names (laptop); `access` whoever its proxy did not sign in.
    """
    admission = [Middleware(Admission, access)] if access else []

    async def config(_: Request) -> Response:
        return JSONResponse(asdict(chat.texts), headers=HEADERS)

    async def answer(request: Request) -> Response:
        return _spent(chat) or await _chat(chat, request, local_only=local_only)

    return Starlette(
        routes=[
            Route("/api/config", config),
            Route("/api/chat", answer, methods=["POST"]),
            Mount("/", StaticFiles(directory=web, html=True)),
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
    """Answer; a history that is too long for the model is shortened once."""
    ending = _Ending(started=time.monotonic())
    for memory in (chat.memory, chat.memory.shorter()):
        prompt = conversation.trim(messages, memory)
        async with aclosing(_answer(chat, prompt, ending)) as frames:
            async for piece in frames:
                yield piece
        if not ending.too_long or len(prompt.messages) == 1:
            break
    ending.tell(chat)
    if ending.refusal is not None:
        yield frame("error", _error(ending.refusal, chat))
    yield frame("done", {"finish": ending.finish, "leftOut": prompt.left_out})


@dataclass(slots=True)
class _Ending:
    """How an answer went, gathered while it streams."""

    started: float
    first_text: float | None = None
    usage: Usage | None = None
    finish: str = "error"
    refusal: Refusal | None = None

    @property
    def too_long(self) -> bool:
        return self.refusal is not None and self.refusal.reason is ChatReason.CONTEXT_TOO_LONG

    def tell(self, chat: Chat) -> None:
        """Tell the log and the proof; never a word of what was said."""
        chat.ended(self.refusal)
        fields: dict[str, object] = {
            "reason": self.refusal.reason if self.refusal else None,
            "detail": self.refusal.detail if self.refusal else None,
            "finish": self.finish,
            "seconds": round(time.monotonic() - self.started, 3),
            "firstTextSeconds": self.first_text and round(self.first_text - self.started, 3),
            "promptTokens": self.usage and self.usage.prompt_tokens,
            "completionTokens": self.usage and self.usage.completion_tokens,
        }
        log.info("chat", extra={name: value for name, value in fields.items() if value})


async def _answer(
    chat: Chat, prompt: conversation.Prompt, ending: _Ending
) -> AsyncGenerator[bytes, None]:
    messages = conversation.rendered(prompt, system=chat.system_prompt)
    ending.refusal = None
    async with aclosing(chat.completions.stream(messages)) as events:
        async for event in events:
            match event:
                case Delta(text):
                    ending.first_text = ending.first_text or time.monotonic()
                    yield frame("delta", {"text": text})
                case Usage(prompt_tokens, completion_tokens):
                    ending.usage = event
                    chat.budget = chat.budget.spend(prompt_tokens + completion_tokens, chat.now())
                    used = {"promptTokens": prompt_tokens, "completionTokens": completion_tokens}
                    yield frame("usage", used)
                case Finish(reason):
                    ending.finish = reason
                case Refusal():
                    ending.refusal = event


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
