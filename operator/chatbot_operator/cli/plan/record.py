"""What one rehearsal has written, in order, and what it looked at and left."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from chatbot_operator.cli.plan.writes import Side, Verb, Write


@dataclass
class Record:
    """What the passes over one object have written and looked at.

    `stirred` counts whatever changed anything, statuses too; `left` tells in words what a deletion
    leaves behind.
    """

    writes: list[Write] = field(default_factory=list)
    stirred: int = 0
    left: list[str] = field(default_factory=list)
    _seen: dict[tuple[Side, str, str], Write] = field(default_factory=dict)

    def write(self, write: Write) -> None:
        """Note a write."""
        self.writes.append(write)
        self.stirred += 1

    def see(self, side: Side, kind: str, name: str, target: str) -> None:
        """Note that something is there."""
        self._seen.setdefault(
            (side, kind, target.lower()), Write(side, Verb.LEAVE, kind, name, target)
        )

    def by_hand(self, command: str) -> None:
        """Note that the last write is for somebody else to make, by a command."""
        self.writes[-1] = replace(self.writes[-1], command=command)

    def untouched(self) -> list[Write]:
        """Give what was looked at and is left as it is."""
        written = {(each.side, each.kind, each.target.lower()) for each in self.writes}
        return [each for key, each in self._seen.items() if key not in written]
