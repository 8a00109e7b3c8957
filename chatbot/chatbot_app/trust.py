"""Whose word the chatbot takes for who Entra and the account are."""

from __future__ import annotations

import ssl
from typing import Any

import requests
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter


def trust(extra: str) -> ssl.SSLContext:
    """Trust the system's authorities (SSL_CERT_FILE names others) and those of a PEM file.

    Raises:
        OSError: there is no such file, or no certificate in it.
    """
    context = ssl.create_default_context()
    if extra:
        context.load_verify_locations(extra)
    return context


def transport(*, ca_file: str, extra: str, **timeouts: float) -> RequestsTransport:
    """Give a transport for azure-identity that trusts `ca_file` (empty: the system) and `extra`.

    A proxy is the environment's (HTTPS_PROXY, NO_PROXY). Whoever uses the transport closes it.
    """
    session = requests.Session()
    session.mount("https://", _Trusting(trust(extra)))
    return RequestsTransport(session=session, connection_verify=ca_file or True, **timeouts)


class _Trusting(HTTPAdapter):
    """Uses one context for all connections, through a proxy or not."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *given: Any, **how: Any) -> None:
        """Connect directly."""
        super().init_poolmanager(*given, ssl_context=self._context, **how)

    def proxy_manager_for(self, proxy: str, **how: Any) -> Any:
        """Connect through a proxy."""
        return super().proxy_manager_for(proxy, ssl_context=self._context, **how)
