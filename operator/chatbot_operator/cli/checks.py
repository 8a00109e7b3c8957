"""What was looked at and what was found, as a tree. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Mark(StrEnum):
    """How something stands. NOTE: worth knowing, and nothing wrong."""

    OK = "ok"
    WRONG = "wrong"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Way:
    """One way out of what is wrong: `who` may go it, `what` it comes to, `commands` to type."""

    who: str
    what: str
    commands: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Give it as JSON; what is empty is left out."""
        whole = {"who": self.who, "what": self.what, "commands": list(self.commands)}
        return {key: value for key, value in whole.items() if value}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    `name` is what, in a word or two; `found` what was seen, in words; `cause` and `fix` why and
    what to do, in words; `said` what was answered, in the answerer's words; `commands` what to
    type, in this order, exact and quoted for a shell; `ways` the same where several people may do
    something, each by itself; `facts` values that were compared, by name, for programs; `below`
    what it consists of.
    """

    name: str
    mark: Mark
    found: str = ""
    cause: str = ""
    fix: str = ""
    said: str = ""
    commands: tuple[str, ...] = ()
    ways: tuple[Way, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    below: tuple[Check, ...] = ()

    def all(self) -> Iterator[Check]:
        """Give this check and those below it, from the top."""
        yield self
        for each in self.below:
            yield from each.all()

    def document(self) -> dict[str, Any]:
        """Give it as JSON; what is empty is left out."""
        whole = {
            "name": self.name,
            "mark": str(self.mark),
            "found": self.found,
            "cause": self.cause,
            "fix": self.fix,
            "said": self.said,
            "commands": list(self.commands),
            "ways": [each.document() for each in self.ways],
            "facts": dict(self.facts),
            "below": [each.document() for each in self.below],
        }
        return {key: value for key, value in whole.items() if value}


_WORST_FIRST = (Mark.WRONG, Mark.WAITING, Mark.UNKNOWN, Mark.OK)


def worst(checks: Iterable[Check]) -> Mark:
    """Give the mark that sums some checks up; a NOTE counts as OK."""
    marks = {each.mark for each in checks}
    return next((mark for mark in _WORST_FIRST if mark in marks), Mark.OK)
