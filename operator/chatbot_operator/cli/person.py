"""The person at the terminal: told what is about to happen, and asked whether it should."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console, RenderableType

from chatbot_operator.cli.command import UnansweredError


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a command talks to beside its report, on standard error.

    `tell` shows something; `ask` shows a question and gives the answer, None where there is no
    terminal to answer at.
    """

    tell: Callable[[RenderableType], None]
    ask: Callable[[str], str] | None

    def consents(self, question: str, count: int, *, yes: bool) -> bool:
        """Ask for the number of things that a command is about to touch; `yes`: it was given.

        Raises UnansweredError where nobody can be asked.
        """
        if yes:
            return True
        if self.ask is None:
            raise UnansweredError(
                "Nobody can be asked, for this is no terminal, and nothing was changed. Say --yes"
                " to have it done without a question."
            )
        return self.ask(f"{question} Type {count} to go on: ").strip() == str(count)


def at_terminal() -> Person:
    """Give the person of this process."""
    console = Console(stderr=True, highlight=False)

    def tell(what: RenderableType) -> None:
        console.print(what, crop=False)

    def ask(question: str) -> str:
        sys.stderr.write(question)
        sys.stderr.flush()
        # asyncio's own handler would only cancel the task that waits here.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return sys.stdin.readline()
        finally:
            signal.signal(signal.SIGINT, before)

    return Person(tell, ask if sys.stdin.isatty() else None)
