"""`kubectl chatbot plan`: what the operator would write, and nothing is written.

documents    manifests -> objects
laying       objects -> what applying them would make, by a dry run
premises     the operator's settings, or what is assumed of them
rehearsal    the operator's own passes over a world that keeps what is written to itself:
             cluster, azure (over azure_reads), controllers, by_hand; each Record has its writes
writes       a write, field by field
told, shown  the plan, for programs and for people
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Final

from chatbot_operator.cli.command import Command, Report
from chatbot_operator.cli.plan.asked import Asked
from chatbot_operator.cli.plan.planning import plan
from chatbot_operator.cli.plan.shown import shown
from chatbot_operator.cli.reach import Reach


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "name",
        nargs="*",
        metavar="NAME | aoai/NAME",
        help="a chatbot or an account that is there, as it is",
    )
    parser.add_argument(
        *("-f", "--filename"),
        action="append",
        default=[],
        metavar="FILE",
        help="manifests of chatbots and accounts: a file, a directory, or - for standard input",
    )
    parser.add_argument(
        "--delete",
        action="append",
        default=[],
        metavar="NAME",
        help="a chatbot, or an account as aoai/NAME, as if it were deleted",
    )
    parser.add_argument(
        "--operator-namespace",
        default="",
        metavar="NAMESPACE",
        help="where the operator runs; default: it is looked for",
    )
    parser.add_argument(
        "--settings",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting to go by, as of the operator's environment; then none is looked for",
    )


async def _run(arguments: Namespace, reach: Reach) -> Report:
    asked = Asked(
        names=arguments.name,
        files=arguments.filename,
        deleted=arguments.delete,
        operator=arguments.operator_namespace,
        settings=arguments.settings,
    )
    found = await plan(reach, asked)
    return Report(found.document(), shown(found), found.code)


PLAN: Final = Command(
    name="plan",
    purpose="show what the operator would write for a manifest, in the cluster and in Azure",
    examples=(
        "plan -f chatbot.yaml # what applying it would bring about",
        "plan -f account.yaml # which chatbots would lose access by it",
        "plan support # whether anything would be written as it is now",
        "plan --delete support # what goes with the chatbot, in which order",
        "plan --delete aoai/contoso # who loses access with the account",
    ),
    arguments=_arguments,
    run=_run,
    codes=(
        "It writes nothing. It ends with 0 when nothing would be written, 1 when something would"
        " or something\nbars it, 2 when it cannot be said or the manifest is not valid."
    ),
)
