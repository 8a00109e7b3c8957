"""`why pod/NAME`: why a pod with workload identity does not become it, whoever made the pod.

    looking           what there is in the cluster, as the person may read it
    looking_in_azure  what there is in Azure and Entra
    observed          the first, parsed once; `in_azure` the second
    meant             whom the pod is meant to be
    differences       how two texts that should be equal differ
    judging           all of it as one tree; `judging_*` its parts

Nothing of this operator has to be installed: no kind of its own is asked for.
"""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from typing import Final

from chatbot_operator.cli.command import Report, UnansweredError
from chatbot_operator.cli.pod import judging, looking, looking_in_azure
from chatbot_operator.cli.pod.in_azure import ACCOUNT, IDENTITY
from chatbot_operator.cli.pod.looking_in_azure import Wanted
from chatbot_operator.cli.reach import Reach
from chatbot_operator.cli.show import tree

_SCOPE: Final = re.compile(r"/(subscriptions|providers)/[^?#\s]+", re.IGNORECASE)


def arguments(parser: ArgumentParser) -> None:
    """Declare what `why pod/NAME` takes beside the name."""
    group = parser.add_argument_group("of a pod")
    group.add_argument(
        "--account", default="", metavar="ID", help="the Azure OpenAI account that it calls"
    )
    group.add_argument(
        "--identity", default="", metavar="ID", help="the managed identity that it should be"
    )
    group.add_argument("--scope", default="", metavar="ID", help="where it needs a role")
    group.add_argument(
        "--subscription", default="", metavar="NAME", help="look in this one only; default: in all"
    )
    group.add_argument(
        "--try",
        action="store_true",
        dest="trying",
        help="exchange a token at Entra; it remembers for minutes that a first exchange failed",
    )


async def why(name: str, arguments: Namespace, reach: Reach) -> Report:
    """Say what stands between a pod and its identity; raises UnansweredError."""
    wanted = _wanted(arguments)
    looked = await looking.look(await reach.cluster(), await reach.namespace(), name)
    azure = await looking_in_azure.look(looked, wanted, reach)
    judged = judging.judge(looked.cluster, azure, reach.kubectl)
    return Report(judged.document(), tree(judged), judging.code(judged))


def _wanted(arguments: Namespace) -> Wanted:
    for flag, given, form, command in (
        ("--account", arguments.account, ACCOUNT, "cognitiveservices account"),
        ("--identity", arguments.identity, IDENTITY, "identity"),
    ):
        if given and not form.fullmatch(given):
            raise UnansweredError(f"{flag} wants the id that `az {command} show --query id` gives.")
    if arguments.scope and not _SCOPE.fullmatch(arguments.scope):
        raise UnansweredError("--scope wants the id of something in Azure: /subscriptions/…")
    return Wanted(
        subscription=arguments.subscription,
        scope=arguments.scope,
        account=arguments.account,
        identity=arguments.identity,
        trying=arguments.trying,
    )
