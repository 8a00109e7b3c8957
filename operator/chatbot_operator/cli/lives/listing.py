"""What `orphans` found and did, for people and programs. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from chatbot_operator.cli import show
from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.command import Code
from chatbot_operator.cli.lives.leftover import WORDS, Leftover, Why
from chatbot_operator.cli.lives.removal import Removed
from chatbot_operator.words import plain


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: `apart` are retained identities that were not asked for.

    `notes` are worth knowing, `gaps` could not be looked at. `command` deletes what is listed;
    empty where that is under way, or cannot be.
    """

    listed: tuple[Leftover, ...]
    apart: tuple[Leftover, ...] = ()
    notes: tuple[Check, ...] = ()
    gaps: tuple[Check, ...] = ()
    removed: tuple[Removed, ...] | None = None
    command: str = ""

    @property
    def deletable(self) -> tuple[Leftover, ...]:
        """What this program would delete."""
        return tuple(each for each in self.listed if not each.barred)

    @property
    def left(self) -> int:
        """How many are there still."""
        return len(self.listed) - sum(not each.trouble for each in self.removed or ())

    @property
    def code(self) -> Code:
        """What to end with: never FINE where something could not be looked at."""
        if self.left:
            return Code.FOUND
        return Code.UNANSWERED if self.gaps else Code.FINE

    def document(self) -> dict[str, Any]:
        """Give it as JSON."""
        document: dict[str, Any] = {
            "orphans": [each.document() for each in self.listed],
            "retained": len(self.apart),
            "notes": [each.document() for each in self.notes],
            "notKnown": [each.document() for each in self.gaps],
        }
        if self.removed is not None:
            ids = [each.one.id for each in self.removed if not each.trouble]
            failed = [{"id": e.one.id, "trouble": e.trouble} for e in self.removed if e.trouble]
            document |= {"deleted": ids, "notDeleted": failed}
        return document


def things(count: int) -> str:
    """Count things."""
    return f"{count} thing{'s' if count != 1 else ''}"


def shown(found: Found) -> RenderableType:
    """Show what was found, or what became of it."""
    parts: list[RenderableType] = [show.tree(each) for each in (*found.notes, *found.gaps)]
    if found.removed is None:
        parts += [_block(each) for each in found.listed]
    else:
        failed = [each for each in found.removed if each.trouble]
        parts += [show.tree(Check(title(e.one), Mark.WRONG, e.trouble)) for e in failed]
    return Group(*parts, *_sums(found))


def _sums(found: Found) -> Iterable[RenderableType]:
    if found.removed is not None:
        done = len(found.listed) - found.left
        yield Text(f"{things(done)} deleted, {found.left} left.")
    elif found.listed:
        barred = len(found.listed) - len(found.deletable)
        said = f"{things(len(found.listed))} left over"
        yield Text(f"{said}; {barred} not to be deleted from here." if barred else f"{said}.")
    elif not found.gaps:
        yield Text("Nothing is left over.")
    if found.apart:
        yield Text(f"{len(found.apart)} retained on purpose and not listed: --retained lists them.")
    if found.deletable and found.command:
        yield Text("To delete them, after a question:")
        yield show.Typed(f"    {found.command}")


def title(one: Leftover) -> str:
    """Name one in a line."""
    return f"{one.kind} {one.of.name}"


def _block(one: Leftover) -> RenderableType:
    """Show one: what, where, whose, why, and what it may still be used for."""
    mark = Mark.NOTE if one.retained or one.usable is False else Mark.WRONG
    whose = f"{one.owner.namespace}/{one.owner.name}"
    uid = f" (uid {one.owner.uid})" if one.owner.uid else ""
    by = f", owner id {one.owner.cluster}" if one.why is Why.OTHER_OWNER else ""
    lines = [
        Text(plain(f"of {whose}{uid}{by}")),
        Text(plain(_reason(one))),
        Text(plain(_use(one))),
    ]
    if one.barred:
        lines.append(Text(plain(f"not deleted from here: {one.barred}")))
    return Group(
        Text.assemble(show.mark(mark), f"  {plain(title(one))}"),
        show.Typed(f"    {plain(one.id)}"),
        *(Padding(line, (0, 0, 0, 4)) for line in lines),
        Text(),
    )


def _reason(one: Leftover) -> str:
    words = WORDS[one.why]
    if one.why is Why.ANOTHER_LIFE and one.kind == "Identity":
        command = shlex.join(
            ("kubectl", "chatbot", "rebind", one.owner.name, "-n", one.owner.namespace)
        )
        words += f"; `{command}` lets it take the identity over"
    return f"{words}; retained on purpose" if one.retained else words


def _use(one: Leftover) -> str:
    if one.usable is None:
        return "whether it can still be used is not known: its roles may not be listed"
    if not one.usable:
        return f"cannot be used: {_lack(one)}"
    since = f" (its role is from {one.since[:10]})" if one.since else ""
    issuers = sorted({each.issuer for each in one.credentials or ()})
    return f"can still be used{since}: it has a role, and trusts tokens of {', '.join(issuers)}"


def _lack(one: Leftover) -> str:
    if one.roles == ():
        return "it has no role"
    if one.kind == "RoleAssignment":
        return "no credential, or no identity, was found that could use it"
    return "no credential lets anybody be it"
