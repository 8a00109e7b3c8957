"""`why`: why a chatbot, an account or a pod is not as it should be, and what to type."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Final

from chatbot_operator.cli import pod
from chatbot_operator.cli.command import Command, Report, UnansweredError
from chatbot_operator.cli.reach import Reach

POD: Final = "pod/"


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
    pod.arguments(parser)


async def run(arguments: Namespace, reach: Reach) -> Report:
    """Say why; raises UnansweredError."""
    if arguments.name.startswith(POD):
        return await pod.why(arguments.name.removeprefix(POD), arguments, reach)
    raise UnansweredError("why NAME is not there yet.")


WHY: Final = Command(
    "why",
    "why a chatbot, an account or a pod is not Ready, and what to type",
    ("why support", "why -A", "why aoai/contoso", "why pod/support-7d9c5b-x2x8k"),
    arguments,
    run,
)
