"""An HTTPS server inside a running loop, on a socket that is already bound."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator

    from sandbox.certificates import Certificate


@contextlib.asynccontextmanager
async def serving(
    app: web.Application, bound: socket.socket, certificate: Certificate
) -> AsyncIterator[None]:
    """Serve `app` on `bound` with TLS; connections are cut when the context ends."""
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(certificate.certificate, certificate.key)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        await web.SockSite(runner, bound, ssl_context=trust).start()
        yield
    finally:
        await runner.cleanup()
