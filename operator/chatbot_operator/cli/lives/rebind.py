"""`kubectl chatbot rebind`: chatbots take over the identities of their earlier lives."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from functools import partial
from typing import Final

from rich.text import Text

from chatbot_operator.chatbot import Chatbot
from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.command import Code, Command, Report, UnansweredError
from chatbot_operator.cli.installed import LABELS
from chatbot_operator.cli.lives import home, rebound
from chatbot_operator.cli.lives.azure import Questions, each
from chatbot_operator.cli.lives.claim import Abroad, Claim
from chatbot_operator.cli.lives.claiming import claims_of, foreseen
from chatbot_operator.cli.lives.takeover import Taken, Takeover
from chatbot_operator.cli.person import Person, at_terminal
from chatbot_operator.cli.reach import Reach
from chatbot_operator.cli.show import tree
from chatbot_operator.ports import CHATBOTS


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="of the chatbot")
    parser.add_argument(
        "--all",
        action="store_true",
        help="every chatbot of the cluster; with -n, every one of that namespace",
    )
    parser.add_argument(
        "--from",
        dest="earlier",
        default="",
        metavar="OWNER",
        help="as --all, after a cluster whose owner id was OWNER: the operator must work as OWNER,"
        " which is verified",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, no more")
    parser.add_argument("--yes", action="store_true", help="do it without asking")


async def _run(arguments: Namespace, reach: Reach) -> Report:
    return await run(arguments, reach, at_terminal())


async def run(arguments: Namespace, reach: Reach, person: Person) -> Report:
    """Show what would be taken over and, once confirmed, set the tags that say so."""
    _require_sense(arguments)
    cluster, azure, asking = await reach.cluster(), await reach.azure(), Questions()
    here = await home.look(reach, fleet=not arguments.name)
    if not here.operators:
        raise UnansweredError(
            "No operator is installed in this cluster, and which identities it would look for"
            " depends on its settings. Install it first."
        )
    if arguments.earlier and arguments.earlier not in here.owners:
        return _elsewhere(await foreseen(here, azure, asking, arguments.earlier), here, reach)
    chatbots = await _chosen(arguments, here, reach)
    if len(chatbots) > rebound.DETAILED:
        person.tell(Text(f"Looking at the identities of {rebound.chatbots(len(chatbots))} …"))
    claims = await claims_of(here, chatbots, azure, asking)
    command = _doing(arguments, reach) if arguments.dry_run else ""
    found = rebound.Found(tuple(claims), here.issuer, tuple(asking.gaps), command=command)
    if not arguments.dry_run and (found.claimed or found.unheard):
        takeover = Takeover(cluster, azure, reach.now)
        found = await _take(found, takeover, person, yes=arguments.yes)
    return Report(found.document(), rebound.shown(found), found.code)


def _doing(arguments: Namespace, reach: Reach) -> str:
    """Spell the same command so that it asks, and does it."""
    asked, words = reach.asked, ["chatbot", "rebind"]
    words += [arguments.name] if arguments.name else []
    words += ["--all"] if arguments.all else []
    words += ["--from", arguments.earlier] if arguments.earlier else []
    words += ["-n", asked.namespace] if asked.namespace else []
    words += ["--cloud", asked.cloud] if asked.cloud != "Public" else []
    return reach.kubectl(*words)


def _require_sense(arguments: Namespace) -> None:
    ways = (bool(arguments.name), arguments.all, bool(arguments.earlier))
    if sum(ways) != 1:
        raise UnansweredError("Say one of NAME, --all and --from OWNER.")


async def _chosen(arguments: Namespace, here: home.Home, reach: Reach) -> list[Chatbot]:
    """Give the chatbots that are meant, as they are now."""
    if arguments.name:
        namespace = await reach.namespace()
        body = await (await reach.cluster()).get(CHATBOTS, namespace, arguments.name)
        if body is None:
            raise UnansweredError(f"There is no chatbot {namespace}/{arguments.name}.")
        return [Chatbot.parse(body)]
    within = reach.asked.namespace
    every = [Chatbot.parse(each) for each in here.chatbots]
    return [
        one
        for one in sorted(every, key=lambda one: (one.namespace, one.name))
        if within in ("", one.namespace)
        and not one.existing
        and one.deleted_at is None
        and (not arguments.earlier or _works_as(here, one.namespace, arguments.earlier))
    ]


def _works_as(here: home.Home, namespace: str, owner: str) -> bool:
    found = [i for _, i in here.operators if i.watches(namespace)]
    return any(each.cluster == owner for each in found)


async def _take(
    found: rebound.Found, takeover: Takeover, person: Person, *, yes: bool
) -> rebound.Found:
    """Show, ask, and take over; raises UnansweredError where nobody can be asked."""
    if found.claimed:
        person.tell(rebound.shown(found))
        count = len(found.claimed)
        question = f"\nLet {rebound.chatbots(count)} take over the identity shown beside its name?"
        if not person.consents(question, count, yes=yes):
            return replace(found, taken=())
    done = await each((*found.claimed, *found.unheard), partial(_one, takeover, person))
    return replace(found, taken=tuple(done))


async def _one(takeover: Takeover, person: Person, claim: Claim) -> Taken:
    taken = await takeover.of(claim)
    mark = Mark.WRONG if taken.trouble else Mark.OK
    person.tell(tree(Check(claim.name, mark, taken.trouble or "has the identity")))
    return taken


def _elsewhere(found: Abroad, here: home.Home, reach: Reach) -> Report:
    """Say what must be done first: an operator of another owner id would not find them."""
    label = ",".join(f"{key}={value}" for key, value in LABELS.items())
    where = sorted({operator.namespace for operator, _ in here.operators})
    variable = f"OWNER_ID={found.owner}"
    commands = tuple(
        reach.kubectl("set", "env", "deployment", "-n", each, "-l", label, variable)
        for each in where
    )
    check = Check(
        "owner id",
        Mark.WRONG,
        f"the operator works as {', '.join(found.present)}, not as {found.owner}",
        cause="The names of identities are made from the owner id, so the operator finds those of"
        f" {found.owner} only if it works as {found.owner}: {len(found.claimed)} of this cluster's"
        f" chatbots have one there.{_settled(found)}",
        fix="Set OWNER_ID where the operator's manifests are kept, or as below, wait for its"
        " rollout, and say the same again. No cluster may go on as that owner meanwhile.",
        commands=commands,
    )
    names = [f"{namespace}/{name}" for namespace, name in found.claimed]
    document = {
        "from": found.owner,
        "ownerIds": list(found.present),
        "claimed": names,
        "settled": found.settled,
        "commands": list(commands),
    }
    return Report(document, tree(check), Code.UNANSWERED)


def _settled(found: Abroad) -> str:
    if not found.settled:
        return ""
    return (
        f" But {rebound.chatbots(found.settled)} of it have identities under the present owner id"
        " already; with another one the operator makes them others, which are other principals. If"
        " that is not meant, run a second operator for the chatbots that came, with OWNER_ID and"
        " WATCH_NAMESPACES, and accounts of its own."
    )


REBIND: Final = Command(
    name="rebind",
    purpose="let chatbots take over the identities of their earlier lives",
    examples=(
        "rebind support -n team",
        "rebind --all --dry-run",
        "rebind --all --yes -o json",
        "rebind --from UID-OF-THE-EARLIER-CLUSTER",
    ),
    arguments=_arguments,
    run=_run,
    codes="It ends with 0 when each has its identity or needs none, 1 when some have not, 2 when it"
    " could not look, nobody could be asked, or the operator works as another owner.",
)
