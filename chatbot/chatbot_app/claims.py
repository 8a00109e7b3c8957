"""What a token says of itself.

No signature is checked: a token is either straight from Entra over TLS, and the account checks it
anyway, or the pod's own, whose claims are only told.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

LIMIT = 600
"""Characters of a claim; a federated credential takes no more
(https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations)."""


@dataclass(frozen=True, slots=True)
class Presented:
    """The claims by which Entra finds a federated credential."""

    issuer: str
    subject: str
    audience: str


def claim(token: str, name: str) -> str:
    """Read a claim; those of several values are joined by commas, and a missing one is empty."""
    try:
        payload = token.split(".")[1]
        padded = payload + "=" * (-len(payload) % 4)
        value = json.loads(base64.urlsafe_b64decode(padded))[name]
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error, RecursionError):
        return ""
    values = value if isinstance(value, list) else [value]
    return ", ".join(map(str, values))[:LIMIT]


def presented(token: str) -> Presented | None:
    """Read what a projected token presents to Entra; None if that is not all there."""
    found = Presented(claim(token, "iss"), claim(token, "sub"), claim(token, "aud"))
    return found if found.issuer and found.subject and found.audience else None
