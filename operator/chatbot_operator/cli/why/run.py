"""The command: arguments, the look, the report."""

from __future__ import annotations

import asyncio
import datetime as dt
from argparse import ArgumentParser, Namespace
from http import HTTPStatus
from typing import Final

from rich.console import Console
from rich.live import Live

from chatbot_operator.cli import pod, show
from chatbot_operator.cli.checks import Mark
from chatbot_operator.cli.command import CODES, Code, Command, Report, UnansweredError
from chatbot_operator.cli.reach import Reach
from chatbot_operator.cli.why import absent, account, chatbot, conditions, fleet, running
from chatbot_operator.cli.why.remedies import Known
from chatbot_operator.cli.why.seen import find_running, look
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, PODS, Resource

KINDS: Final = {
    CHATBOTS: ("chatbot", "chatbots", "azureopenaichatbot", "azureopenaichatbots"),
    ACCOUNTS: ("aoai", "azureopenaiaccount", "azureopenaiaccounts"),
    PODS: ("pod", "pods", "po", "deploy", "deployment", "deployments"),
}
"""What stands before a name, as kubectl takes and gives it; a Deployment means its pod."""
WATCH_SECONDS: Final = 2.0
_FAILED: Final = HTTPStatus.INTERNAL_SERVER_ERROR


def arguments(parser: ArgumentParser) -> None:
    """Declare what `why` takes."""
    parser.add_argument(
        "name",
        nargs="?",
        default="",
        metavar="NAME | aoai/NAME | pod/NAME",
        help="a chatbot, an account, or any pod with workload identity; default: every chatbot",
    )
    parser.add_argument(
        "-A", "--all-namespaces", action="store_true", help="every chatbot of the cluster"
    )
    parser.add_argument(
        "-w", "--watch", action="store_true", help="look on until it is Ready, and end with 0"
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=1800.0,
        metavar="SECONDS",
        help="how long --watch looks before it ends with 1; default 1800",
    )
    pod.arguments(parser)


def named(words: str) -> tuple[Resource, str]:
    """Tell which kind is meant, and its name; raises UnansweredError."""
    before, slash, name = words.rpartition("/")
    kind = before.partition(".")[0].lower() or ("" if slash else "chatbot")
    found = next((each for each, known in KINDS.items() if kind in known), None)
    if found is None:
        raise UnansweredError(f"{words} is none of NAME, aoai/NAME and pod/NAME.")
    if slash and not name:
        raise UnansweredError(f"{words} wants a name behind it.")
    return found, name


async def run(arguments: Namespace, reach: Reach) -> Report:
    """Say why; raises UnansweredError and KubernetesRefusal."""
    kind, name = named(arguments.name)
    if kind == PODS:
        return await pod.why(name, arguments, reach)
    if name and arguments.all_namespaces:
        raise UnansweredError("Give a name, or -A for every chatbot; not both.")
    if not arguments.watch:
        return (await _look(arguments, reach))[0]
    return await _watch(arguments, reach)


async def _look(arguments: Namespace, reach: Reach) -> tuple[Report, bool]:
    """Look once; tell, too, whether all that was asked for is Ready."""
    kind, name = named(arguments.name)
    if kind == ACCOUNTS:
        return await _account(name, reach)
    if name:
        return await _chatbot(name, reach)
    return await _fleet(reach, everywhere=arguments.all_namespaces)


async def _watch(arguments: Namespace, reach: Reach) -> Report:
    """Look again and again; what is shown meanwhile goes with the end, which is the report.

    A cluster that does not answer for a while is asked again.
    """
    until = reach.now() + dt.timedelta(seconds=arguments.timeout)
    console = Console(stderr=True, highlight=False)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            over = reach.now() >= until
            try:
                report, ready = await _look(arguments, reach)
            except KubernetesRefusal as refusal:
                if over or HTTPStatus.BAD_REQUEST <= refusal.status < _FAILED:
                    raise
            else:
                if ready or over:
                    code = Code.FINE if ready else Code.FOUND
                    return Report(report.document, report.shown, code)
                live.update(report.shown, refresh=True)
            await asyncio.sleep(WATCH_SECONDS)


async def _chatbot(name: str, reach: Reach) -> tuple[Report, bool]:
    cluster, namespace = await reach.cluster(), await reach.namespace()
    body = await cluster.get(CHATBOTS, namespace, name)
    if body is None:
        raise UnansweredError(await absent.chatbot(reach, namespace, name))
    found = chatbot.verdict(await look(reach, body))
    return _report(found, namespace), found.ready


async def _account(name: str, reach: Reach) -> tuple[Report, bool]:
    cluster = await reach.cluster()
    body, seen = await asyncio.gather(cluster.get(ACCOUNTS, "", name), find_running(reach))
    if body is None:
        raise UnansweredError(await absent.account(reach, name))
    found = account.verdict(body, seen, reach.now(), reach.kubectl)
    return _report(found, ""), found.ready


def _report(found: chatbot.Verdict, namespace: str) -> Report:
    fine = found.tree.mark in {Mark.OK, Mark.NOTE}
    return Report(
        found.document(namespace), show.tree(found.tree), Code.FINE if fine else Code.FOUND
    )


async def _fleet(reach: Reach, *, everywhere: bool) -> tuple[Report, bool]:
    cluster, now = await reach.cluster(), reach.now()
    namespace = "" if everywhere else await reach.namespace()
    listed = cluster.every(CHATBOTS) if everywhere else cluster.select(CHATBOTS, namespace, {})
    chatbots, seen = await asyncio.gather(listed, find_running(reach))
    found = fleet.rows(chatbots, now, reach.kubectl)
    fresh = all(row.reason != conditions.UNSEEN for row in found)
    operator = running.check(seen, namespace, Known(reach.kubectl), now, fresh=fresh)
    document = {
        "chatbots": [row.document() for row in found],
        "operator": operator.document(),
    }
    ready = all(row.ready for row in found)
    fine = all(row.mark is Mark.OK for row in found) and operator.mark is not Mark.WRONG
    shown = fleet.shown(found, operator, now, reach.kubectl, namespace=namespace)
    return Report(document, shown, Code.FINE if fine else Code.FOUND), ready


WHY: Final = Command(
    "why",
    "why a chatbot, an account or a pod is not Ready, and what to type",
    ("why support", "why -A", "why aoai/contoso", "why pod/support-7d9c5b-x2x8k"),
    arguments,
    run,
    f"{CODES}\nWith --watch it ends with 0 once all is Ready, and with 1 when --timeout is over.",
)
