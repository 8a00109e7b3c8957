"""What a reason is."""

from __future__ import annotations

from dataclasses import dataclass

from chatbot_operator.errors.faults import Fault


@dataclass(frozen=True, slots=True)
class Reason:
    """A word that conditions and events give, what it stands for and what to do about it.

    `fault` says what happens next; None: nothing is wrong.
    """

    name: str
    fault: type[Fault] | None
    cause: str
    fix: str
