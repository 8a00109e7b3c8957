"""The door: no request goes on without a user, and everything behind it knows who that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from chatbot_app.denials import DeniedError, response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class User:
    """Whoever is signed in: `id` tells users apart and is shown to nobody, `name` to themselves."""

    id: str
    name: str


class SignIn(Protocol):
    """How a request shows whose it is."""

    async def user(self, scope: Scope) -> User:
        """Give the user whose request this is.

        Raises:
            DeniedError: nobody's, or somebody's who may not chat.
        """


class Admission:
    """Middleware that answers only whom `sign_in` knows; `scope["user"]` is from here on a User."""

    def __init__(self, app: ASGIApp, sign_in: SignIn) -> None:
        self._app = app
        self._sign_in = sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            user = await self._sign_in.user(scope)
        except DeniedError as error:
            await response(error.denial, scope["path"])(scope, receive, send)
            return
        await self._app({**scope, "user": user}, receive, send)
