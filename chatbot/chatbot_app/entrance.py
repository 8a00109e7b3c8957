"""What every request for an answer passes, before a byte of it is read: site, budget, places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from chatbot_app.access.peers import peer
from chatbot_app.denials import Denial, response
from chatbot_app.gate import foreign
from chatbot_app.places import Visitor

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from chatbot_app.access.admission import User
    from chatbot_app.answering import Chat


class Entrance:
    """Middleware of the routes that answer; a visitor has a place until the last byte is sent."""

    def __init__(self, app: ASGIApp, chat: Chat, *, local_only: bool) -> None:
        self._app = app
        self._chat = chat
        self._local_only = local_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        visitor = _visitor(scope)
        if denial := self._deny(scope, visitor):
            self._chat.refused[denial.reason] += 1
            await response(denial, scope["path"])(scope, receive, send)
            return
        with self._chat.places.one(visitor):
            await self._app(scope, receive, send)

    def _deny(self, scope: Scope, visitor: Visitor) -> Denial | None:
        chat = self._chat
        if foreign(Headers(scope=scope), local_only=self._local_only):
            return Denial(403, "This address only answers its own page.")
        refusal = chat.budget.refuse(chat.now()) or chat.places.refuse(visitor)
        return None if refusal is None else chat.denial(refusal)


def _visitor(scope: Scope) -> Visitor:
    user: User | None = scope.get("user")
    return Visitor(user.id if user else peer(scope), signed_in=user is not None)
