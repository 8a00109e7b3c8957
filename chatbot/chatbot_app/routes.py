"""The page and `POST /api/chat`, which answers with server-sent events.

    delta {"text"} …, usage {"promptTokens", "completionTokens", "window"},
    error {"reason", "message", "retryAfter"?}, done {"finish", "leftOut", "sent"}

Whatever is refused before the stream begins is a JSON body with the members of `error`.
Nothing about a visitor is kept: see `conversation` for where the memory lives.
"""

from __future__ import annotations

import hashlib
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

from chatbot_app import conversation, denials
from chatbot_app.access.admission import Admission, SignIn, User
from chatbot_app.answering import Chat, End, answer
from chatbot_app.completions import Delta, Usage
from chatbot_app.denials import Denial, DeniedError
from chatbot_app.entrance import Entrance
from chatbot_app.gate import SafeHeaders
from chatbot_app.openai_api import routes as openai_api
from chatbot_app.posted import posted
from chatbot_app.sse import HEADERS, EventStream, frame

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path


def page(
    chat: Chat,
    *,
    web: Path,
    local_only: bool,
    sign_in: SignIn | None = None,
    openai: bool = False,
    demo: bool = False,
) -> Starlette:
    """Build the application of the page.

    `local_only` refuses foreign host names (laptop); `sign_in` whoever it does not know;
    `openai` adds the interface for OpenAI's clients; `demo` tells the page that no model answers.
    """
    admission = [Middleware(Admission, sign_in)] if sign_in else []
    entrance = [Middleware(Entrance, chat, local_only=local_only)]

    async def config(request: Request) -> Response:
        user: User | None = request.scope.get("user")
        visitor = hashlib.sha256(user.id.encode()).hexdigest() if user else None
        said = {"user": user.name if user else None, "visitor": visitor, "demo": demo}
        return JSONResponse(asdict(chat.texts) | said, headers=HEADERS)

    async def answered(request: Request) -> Response:
        return await _chat(chat, request)

    return Starlette(
        routes=[
            Route("/api/config", config),
            Route("/api/chat", answered, methods=["POST"], middleware=entrance),
            *(openai_api.routes(chat, entrance=entrance) if openai else openai_api.off()),
            Mount("/", GZipMiddleware(StaticFiles(directory=web, html=True))),
        ],
        middleware=[Middleware(SafeHeaders), *admission],
    )


async def _chat(chat: Chat, request: Request) -> Response:
    try:
        messages = conversation.parse(await posted(request))
    except conversation.UnacceptableError as error:
        return denials.response(Denial(400, str(error)), request.scope["path"])
    except DeniedError as error:
        return denials.response(error.denial, request.scope["path"])
    except ClientDisconnect:
        return Response(status_code=400)
    return EventStream(_frames(chat, messages), ping_after=chat.ping_after)


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
                        yield frame("error", denials.body(chat.denial(refusal)))
                    yield frame("done", {"finish": finish, "leftOut": left_out, "sent": sent})
