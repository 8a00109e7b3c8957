"""A proxy that is believed: it names the visitor in a header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from chatbot_app.access.admission import User
from chatbot_app.access.peers import peer, within
from chatbot_app.denials import Denial, DeniedError
from chatbot_app.reasons import ChatReason

if TYPE_CHECKING:
    from starlette.types import Scope

    from chatbot_app.settings import ProxyHeaders

_NOT_SIGNED_IN = Denial(
    401,
    "Please sign in first: this chatbot answers only through the page that signs you in.",
    ChatReason.NOT_SIGNED_IN,
)


class NamedByProxy:
    """Believes the header, once and from the proxy.

    A header that is there twice is nobody's: the proxy may have added its own to a visitor's.
    """

    def __init__(self, terms: ProxyHeaders) -> None:
        self._terms = terms

    async def user(self, scope: Scope) -> User:
        """Give the user whom the proxy names."""
        names = Headers(scope=scope).getlist(self._terms.header)
        if len(names) != 1 or not names[0] or not within(peer(scope), self._terms.peers):
            raise DeniedError(_NOT_SIGNED_IN)
        name = _text(names[0])
        return User(id=name, name=name)


def _text(header: str) -> str:
    """Read it as UTF-8, which proxies send, or else as Latin-1, as which it has been read.

    RFC 9110 says neither (https://www.rfc-editor.org/rfc/rfc9110#section-5.5-4).
    """
    try:
        return header.encode("latin-1").decode()
    except UnicodeDecodeError:
        return header
