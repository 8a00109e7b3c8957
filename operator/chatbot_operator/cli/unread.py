"""What a person may not look at: said, and never taken for nothing."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from chatbot_operator.errors import KubernetesRefusal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that was not looked at; `right` is what the person lacks: `list pods in team-a`."""

    right: str

    def __str__(self) -> str:
        return f"not known: you may not {self.right}"


async def allowed(call: Awaitable[T], right: str) -> T | Unread:
    """Read something, or say which right is missing; raises what else the cluster refuses."""
    try:
        return await call
    except KubernetesRefusal as refusal:
        if refusal.status != HTTPStatus.FORBIDDEN:
            raise
        return Unread(right)
