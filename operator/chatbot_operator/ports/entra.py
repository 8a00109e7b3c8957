"""What Entra, and the issuers that it asks, tell everybody."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Discovery:
    """What an issuer publishes: its own name, and the ids of its keys."""

    issuer: str
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Tenancy:
    """What Entra says of a tenant: an AADSTS code where it has none, and its time of day."""

    code: str = ""
    at: dt.datetime | None = None
