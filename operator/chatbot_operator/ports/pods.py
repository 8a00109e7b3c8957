"""The pods of chatbots, as steps see them over the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Presented:
    """What a pod's own token claims, by which Entra finds a federated credential."""

    issuer: str
    subject: str
    audience: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """A pod's readiness document (docs/contract.md), already bounded; input from a tenant's pod."""

    reason: str
    message: str
    proven_at: str
    presented: Presented | None = None
    trace: str = ""


class Pods(Protocol):
    """The pods of chatbots, seen over the network."""

    async def readiness(self, address: str) -> Readiness | None:
        """Ask the pod at an IP address for its readiness document; None when it gives none."""
