"""What keeps other sites out of the page, and the page talking to itself only."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = """
default-src 'none';
script-src 'self';
style-src 'self';
connect-src 'self';
img-src 'self' data:;
base-uri 'none';
form-action 'none';
frame-ancestors 'none';
require-trusted-types-for 'script';
trusted-types 'none'
"""

HEADERS = {
    "content-security-policy": " ".join(_POLICY.split()),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    # Chromium looks up the hosts of links ahead of a click: a name can carry what it was told.
    "x-dns-prefetch-control": "off",
}


class SafeHeaders:
    """Middleware that puts the headers on every response and lets browsers revalidate files."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("cache-control", "no-cache")
            await send(message)

        await self._app(scope, receive, send_safely)


def foreign(headers: Headers, *, local_only: bool) -> bool:
    """Tell whether a page of another site sends this request.

    A browser says so in `Sec-Fetch-Site`, an older one in `Origin`; a program sends neither and is
    welcome. With `local_only` the host must be an address or `localhost`: otherwise a foreign
    domain that resolves to this machine would count as the same site.
    """
    host = headers.get("host", "")
    if local_only and not _is_local(host):
        return True
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site != "same-origin"
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != host


def _is_local(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name == "localhost":
            return True
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
