"""Whose word the chatbot takes for who Entra and the account are."""

from __future__ import annotations

import ssl


def trust(extra: str) -> ssl.SSLContext:
    """Trust the system's authorities (SSL_CERT_FILE names others) and those of a PEM file.

    Raises:
        OSError: there is no such file, or no certificate in it.
    """
    context = ssl.create_default_context()
    if extra:
        context.load_verify_locations(extra)
    return context
