"""`kubectl chatbot orphans`: what operators left in Azure of chatbots that are gone."""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Final

from rich.text import Text

from chatbot_operator.cli import show
from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.command import Command, Report, UnansweredError
from chatbot_operator.cli.lives import home, listing, looking
from chatbot_operator.cli.lives.azure import Questions
from chatbot_operator.cli.lives.judging import ALL, leftovers
from chatbot_operator.cli.lives.leftover import Leftover
from chatbot_operator.cli.lives.removal import Removal, Removed
from chatbot_operator.cli.person import Person, at_terminal
from chatbot_operator.cli.reach import Reach
from chatbot_operator.words import plain

MANY: Final = 20
"""So many are looked at within seconds; of more, a person is told that it takes longer."""
_GROUP: Final = re.compile(
    r"/subscriptions/[-0-9a-f]{36}/resourceGroups/[-\w.()]{1,90}", re.ASCII | re.IGNORECASE
)


def _arguments(parser: ArgumentParser) -> None:
    parser.description = f"{parser.description} In all namespaces, or with -n in one."
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
    every = _within(reach.asked.namespace, leftovers(seen, arguments.owner))
    wanted = [each for each in every if arguments.retained or not each.retained]
    if len(wanted) > MANY:
        person.tell(Text(f"Looking what {listing.things(len(wanted))} can still be used for …"))
    listed = await looking.detailed(wanted, seen, azure, asking, arguments.owner)
    found = listing.Found(
        listed=tuple(listed),
        apart=tuple(each for each in every if each not in wanted),
        notes=tuple(_notes(here)),
        gaps=(*_blind(here, arguments), *asking.gaps),
        command=_deleting(arguments, reach),
    )
    if arguments.delete and found.deletable:
        _require_no_restore(here, arguments)
        removal = Removal(here, cluster, azure, seen)
        found = await _delete(found, removal, person, yes=arguments.yes)
    return Report(found.document(), listing.shown(found), found.code)


def _within(namespace: str, found: list[Leftover]) -> list[Leftover]:
    return [each for each in found if namespace in ("", each.owner.namespace)]


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


def _require_no_restore(here: home.Home, arguments: Namespace) -> None:
    """Refuse to delete unasked where no chatbot lives: a script may come before a restore."""
    if arguments.yes and not here.chatbots and not arguments.owner:
        owners = " ".join(f"--owner {each}" for each in sorted(here.owners))
        raise UnansweredError(
            "No chatbot lives in this cluster. If it is about to be restored, its chatbots will"
            f" want what is left over (`kubectl chatbot rebind --all`); if not, say {owners}, too."
        )


def _deleting(arguments: Namespace, reach: Reach) -> str:
    """Spell the same command so that it deletes; empty where it does, or no owner is named."""
    if arguments.delete or arguments.owner == ALL:
        return ""
    asked, words = reach.asked, ["chatbot", "orphans", "--delete"]
    for group in arguments.resource_group:
        words += ["--resource-group", group]
    words += ["--owner", arguments.owner] if arguments.owner else []
    words += ["--retained"] if arguments.retained else []
    words += ["-n", asked.namespace] if asked.namespace else []
    words += ["--cloud", asked.cloud] if asked.cloud != "Public" else []
    return reach.kubectl(*words)


def _notes(here: home.Home) -> Iterable[Check]:
    if not here.chatbots:
        yield Check(
            "no chatbot lives in this cluster",
            Mark.NOTE,
            "If it is about to be restored, wait for its chatbots: they can take over what is left"
            " over, by `kubectl chatbot rebind --all`.",
        )
    if not here.operators:
        yield Check(
            "no operator is installed",
            Mark.NOTE,
            f"Owner id {here.uid} (the uid of kube-system) is taken for that of the one that was."
            " If it had an OWNER_ID of its own, say --owner.",
        )


def _blind(here: home.Home, arguments: Namespace) -> Iterable[Check]:
    if not looking.groups(here, arguments.resource_group):
        yield Check(
            "identities",
            Mark.UNKNOWN,
            "not known: no AzureOpenAIAccount says where they are. Say --resource-group.",
        )


async def _delete(
    found: listing.Found, removal: Removal, person: Person, *, yes: bool
) -> listing.Found:
    """Show what goes, ask, and delete; raises UnansweredError where nobody can be asked."""
    person.tell(listing.shown(found))
    count = len(found.deletable)
    question = f"\nDelete {listing.things(count)} in Azure? This cannot be undone."
    if not person.consents(question, count, yes=yes):
        return replace(found, removed=())
    removed = await removal.every(found.deletable, partial(_tell, person))
    return replace(found, removed=tuple(removed))


def _tell(person: Person, removed: Removed) -> None:
    mark = Mark.WRONG if removed.trouble else Mark.OK
    said = removed.trouble or "gone"
    person.tell(show.tree(Check(listing.title(removed.one), mark, said)))


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
    codes="It ends with 0 when nothing is left over or all of it was deleted, 1 when something is"
    " left, 2 when it could not look everywhere, or nobody could be asked.",
)
