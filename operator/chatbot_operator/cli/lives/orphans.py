"""`kubectl chatbot orphans`: what operators left in Azure of chatbots that are gone."""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from chatbot_operator.cli import show
from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.command import Code, Command, Report, UnansweredError
from chatbot_operator.cli.lives import home, looking
from chatbot_operator.cli.lives.azure import Questions
from chatbot_operator.cli.lives.judging import ALL, leftovers
from chatbot_operator.cli.lives.leftover import WORDS, Leftover, Why
from chatbot_operator.cli.lives.removal import Removal, Removed
from chatbot_operator.cli.person import Person, at_terminal
from chatbot_operator.cli.reach import Reach
from chatbot_operator.words import plain

MANY: Final = 20
"""So many are looked at within seconds; of more, a person is told that it takes longer."""
_GROUP: Final = re.compile(
    r"/subscriptions/[-0-9a-f]{36}/resourceGroups/[-\w.()]{1,90}", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: `apart` are retained identities that were not asked for.

    `notes` are worth knowing, `gaps` could not be looked at.
    """

    listed: tuple[Leftover, ...]
    apart: tuple[Leftover, ...] = ()
    notes: tuple[Check, ...] = ()
    gaps: tuple[Check, ...] = ()
    removed: tuple[Removed, ...] | None = None

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


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--resource-group",
        action="append",
        default=[],
        metavar="ID",
        help="look there, too: the ARM id of a resource group, /subscriptions/…; may be repeated",
    )
    parser.add_argument(
        "--owner",
        default="",
        help="list what this owner id made (`all`: whoever's) instead of this cluster's operators",
    )
    parser.add_argument(
        "--retained",
        action="store_true",
        help="list also identities that were kept on purpose (deletionPolicy: Retain)",
    )
    parser.add_argument("--delete", action="store_true", help="delete what is listed, after asking")
    parser.add_argument("--yes", action="store_true", help="delete without asking")


async def _run(arguments: Namespace, reach: Reach) -> Report:
    return await run(arguments, reach, at_terminal())


async def run(arguments: Namespace, reach: Reach, person: Person) -> Report:
    """List what is left over and, where that is asked for and confirmed, delete it."""
    _require_sense(arguments)
    cluster, azure, asking = await reach.cluster(), await reach.azure(), Questions()
    here = await home.look(reach)
    seen = await looking.look(here, cluster, azure, asking, arguments.resource_group)
    within = reach.asked.namespace
    every = [
        each for each in leftovers(seen, arguments.owner) if within in ("", each.owner.namespace)
    ]
    of_interest = [each for each in every if arguments.retained or not each.retained]
    if len(of_interest) > MANY:
        person.tell(Text(f"Looking what {_things(len(of_interest))} can still be used for …"))
    listed = await looking.detailed(of_interest, seen, azure, asking, arguments.owner)
    found = Found(
        listed=tuple(listed),
        apart=tuple(each for each in every if each.retained and not arguments.retained),
        notes=tuple(_notes(here, arguments)),
        gaps=tuple(asking.gaps),
    )
    if arguments.delete and found.deletable:
        removal = Removal(here, cluster, azure, seen)
        found = await _delete(found, removal, person, yes=arguments.yes)
    return Report(found.document(), shown(found, deleting=arguments.delete), found.code)


def _require_sense(arguments: Namespace) -> None:
    for group in arguments.resource_group:
        if not _GROUP.fullmatch(group):
            raise UnansweredError(
                f"--resource-group {plain(group)!r} is no ARM id of a resource group, such as"
                " /subscriptions/ID/resourceGroups/NAME."
            )
    if arguments.delete and arguments.owner == ALL:
        raise UnansweredError("To delete what another owner made, name that owner by --owner.")
    if arguments.yes and not arguments.delete:
        raise UnansweredError("--yes is for --delete; without that nothing is changed.")


def _notes(here: home.Home, arguments: Namespace) -> Iterable[Check]:
    if not here.operators:
        yield Check(
            "no operator is installed",
            Mark.NOTE,
            f"Owner id {here.uid} (the uid of kube-system) is taken for that of the one that was."
            " If it had an OWNER_ID of its own, say --owner.",
        )
    if not looking.groups(here, arguments.resource_group):
        yield Check(
            "no resource group is known",
            Mark.NOTE,
            "No AzureOpenAIAccount says where identities are. Say --resource-group.",
        )


async def _delete(found: Found, removal: Removal, person: Person, *, yes: bool) -> Found:
    """Show what goes, ask, and delete; raises UnansweredError where nobody can be asked."""
    person.tell(shown(found, deleting=True))
    count = len(found.deletable)
    question = f"\nDelete {_things(count)} in Azure? This cannot be undone."
    if not person.consents(question, count, yes=yes):
        return replace(found, removed=())
    removed = await removal.every(found.deletable, partial(_tell, person))
    return replace(found, removed=tuple(removed))


def _tell(person: Person, removed: Removed) -> None:
    mark = Mark.WRONG if removed.trouble else Mark.OK
    said = removed.trouble or "gone"
    person.tell(show.tree(Check(_title(removed.one), mark, said)))


def _things(count: int) -> str:
    return f"{count} thing{'s' if count != 1 else ''}"


def shown(found: Found, *, deleting: bool = False) -> RenderableType:
    """Show what was found, or what became of it."""
    parts: list[RenderableType] = [show.tree(each) for each in (*found.notes, *found.gaps)]
    if found.removed is None:
        parts += [_block(each) for each in found.listed]
    else:
        failed = [each for each in found.removed if each.trouble]
        parts += [show.tree(Check(_title(e.one), Mark.WRONG, e.trouble)) for e in failed]
    return Group(*parts, *_sums(found, deleting=deleting))


def _sums(found: Found, *, deleting: bool) -> Iterable[RenderableType]:
    if found.removed is not None:
        done = len(found.listed) - found.left
        yield Text(f"{_things(done)} deleted, {found.left} left.")
    elif found.listed:
        barred = len(found.listed) - len(found.deletable)
        said = f"{_things(len(found.listed))} left over"
        yield Text(f"{said}; {barred} not to be deleted from here." if barred else f"{said}.")
    elif not found.gaps:
        yield Text("Nothing is left over.")
    if found.apart:
        yield Text(f"{len(found.apart)} retained on purpose and not listed: --retained lists them.")
    if found.deletable and not deleting:
        yield Text("To delete them, after a question: the same command with --delete.")


def _title(one: Leftover) -> str:
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
        Text.assemble(show.mark(mark), f"  {plain(_title(one))}"),
        show.Typed(f"    {plain(one.id)}"),
        *(Padding(line, (0, 0, 0, 4)) for line in lines),
        Text(),
    )


def _reason(one: Leftover) -> str:
    words = WORDS[one.why]
    if one.why is Why.ANOTHER_LIFE and one.kind == "Identity":
        words += "; `kubectl chatbot rebind` lets it take the identity over"
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
    seen: Sequence[str] = ("no identity of it was found" if one.kind == "RoleAssignment" else "",)
    return next(filter(None, seen), "no credential lets anybody be it")


ORPHANS: Final = Command(
    name="orphans",
    purpose="list what is left in Azure of chatbots that are gone, and delete it if told to",
    examples=(
        "orphans",
        "orphans --retained -o json",
        "orphans --resource-group /subscriptions/ID/resourceGroups/NAME",
        "orphans --delete",
        "orphans --owner UID-OF-AN-EARLIER-CLUSTER --delete",
    ),
    arguments=_arguments,
    run=_run,
)
