"""Looks at one thing, and what there is instead where it cannot be seen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.unread import Unread
from chatbot_operator.errors import KubernetesRefusal, Refusal
from chatbot_operator.words import plain

T = TypeVar("T")
Kubectl = Callable[..., str]
"""Spells a command of kubectl for the cluster that is looked at."""


@dataclass(frozen=True, slots=True)
class Silent:
    """Something that was asked for and not answered: `why`, in the words of who was asked."""

    why: str

    def __str__(self) -> str:
        return f"not known: {self.why}"


@dataclass(frozen=True, slots=True)
class Absent:
    """Something that Azure says is not there, under its code."""

    code: str

    def __str__(self) -> str:
        return f"not known: Azure has no such thing ({self.code})"


Dark = Unread | Silent


async def cluster(call: Awaitable[T], right: str) -> T | Unread | Silent:
    """Read something of the cluster; `right` is what it takes: `list pods in team-a`."""
    try:
        return await call
    except KubernetesRefusal as refusal:
        if refusal.status == HTTPStatus.FORBIDDEN:
            return Unread(right)
        return Silent(plain(str(refusal)))


async def azure(call: Awaitable[T], right: str) -> T | Unread | Silent | Absent:
    """Read something of Azure; `right` is the action that it takes."""
    try:
        return await call
    except Refusal as refusal:
        if refusal.status == HTTPStatus.FORBIDDEN:
            return Unread(right)
        if refusal.status == HTTPStatus.NOT_FOUND:
            return Absent(refusal.code)
        return Silent(plain(str(refusal)))


def unknown(name: str, dark: Dark | Absent) -> Check:
    """Say that something is not known."""
    return Check(name, Mark.UNKNOWN, str(dark))
