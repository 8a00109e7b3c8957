"""The command `doctor`."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from rich.console import Console

from chatbot_operator.account import Account
from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.command import Code, Command, Report
from chatbot_operator.cli.doctor import inquiry, seen, tree, tree_of_azure
from chatbot_operator.cli.reach import Reach
from chatbot_operator.cli.show import tree as shown

PATIENCE_SECONDS: Final = 1.0
_CODES: Final = {
    Mark.OK: Code.FINE,
    Mark.WRONG: Code.FOUND,
    Mark.WAITING: Code.FOUND,
    Mark.UNKNOWN: Code.UNANSWERED,
}


def arguments(parser: ArgumentParser) -> None:
    """Declare what `doctor` takes."""
    parser.add_argument(
        "--no-azure", action="store_true", help="look at the cluster only; nobody need be signed in"
    )


async def run(arguments: Namespace, reach: Reach) -> Report:
    """Look at cluster and Azure, and say what is not fit; raises KubernetesRefusal."""
    try:
        async with _patience():
            check = await examine(reach, azure=not arguments.no_azure)
    except ExceptionGroup as several:
        raise several.exceptions[0] from several
    return Report(check.document(), shown(check), _CODES[check.mark])


async def examine(reach: Reach, *, azure: bool) -> Check:
    """Look at everything, and put it together."""
    found = await seen.look(reach)
    operators = found.operators if isinstance(found.operators, list) else []
    bodies = found.accounts if isinstance(found.accounts, list) else []
    below = [tree.cluster(found, await reach.aks(), reach.kubectl)]
    if azure:
        accounts = [Account.parse(each) for each in bodies]
        there = await inquiry.look(reach, operators, accounts)
        below.append(tree_of_azure.azure(found, there, reach.kubectl))
    below += tree.installation(found, reach.kubectl)
    below.append(tree.chatbots(found, reach.kubectl))
    return tree.whole(below)


@asynccontextmanager
async def _patience() -> AsyncIterator[None]:
    """Tell a person at a terminal that it is still looking, when that takes a while."""
    console = Console(stderr=True)

    async def tell() -> None:
        await asyncio.sleep(PATIENCE_SECONDS)
        with console.status("looking at the cluster and at Azure …"):
            await asyncio.sleep(float("inf"))

    telling = asyncio.create_task(tell()) if sys.stderr.isatty() else None
    try:
        yield
    finally:
        if telling is not None:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling


DOCTOR: Final = Command(
    "doctor",
    "whether this cluster, and what it may do in Azure, is fit for chatbots",
    ("doctor", "doctor --no-azure -o json"),
    arguments,
    run,
    codes="It ends with 0 when nothing is wrong, 1 when something is wrong or on its way, 2 when"
    " nothing wrong was seen but something could not be looked at.",
)
