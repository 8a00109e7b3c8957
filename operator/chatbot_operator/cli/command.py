"""What a command is, and what it gives."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from rich.console import RenderableType

from chatbot_operator.cli.reach import Reach

CODES = (
    "It ends with 0 when nothing is wrong, 1 when something was found, 2 when it could not look."
)
"""What most commands end with, for their help."""


class Code(IntEnum):
    """What the program ends with, for scripts."""

    FINE = 0
    FOUND = 1
    """Something is wrong, differs or is left over."""
    UNANSWERED = 2
    """It could not be found out: wrong usage, no such object, no cluster, no right."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a command found: for programs (JSON), for people, and for scripts."""

    document: Any
    shown: RenderableType
    code: Code


class UnansweredError(Exception):
    """A question cannot be answered; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name, one line of what it is for, and examples as a person types them.

    `arguments` declares its own; `run` may raise UnansweredError, KubernetesRefusal, Refusal, and
    gives a code alone where everything was said on the way. `codes` says what it ends with, where
    that is not what all commands end with.
    """

    name: str
    purpose: str
    examples: tuple[str, ...]
    arguments: Callable[[ArgumentParser], object]
    run: Callable[[Namespace, Reach], Awaitable[Report | Code]]
    codes: str = CODES
