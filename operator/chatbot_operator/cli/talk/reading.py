"""`logs`: what the pods of a chatbot, or of the operator, have written down."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, NoReturn

from rich.console import Console

from chatbot_operator.cli import installed
from chatbot_operator.cli.command import Code, Command, UnansweredError
from chatbot_operator.cli.reach import Reach
from chatbot_operator.cli.talk import chatbots, lines
from chatbot_operator.cli.talk.following import Following
from chatbot_operator.cli.talk.lines import Line, merged, parse, short
from chatbot_operator.election import LEASES, Claim
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.kube.lease import NAME as LEASE
from chatbot_operator.ports import PODS, Object
from chatbot_operator.words import escaped, plain

CHATBOT: Final = "chatbot"
"""The name of the container of a chatbot's pods."""
OPERATOR_NAMESPACE: Final = "chatbot-operator"
FOLLOWED_TAIL: Final = 20
"""Lines of each pod that are there at the beginning, when what comes is followed."""
LEADER: Final = "*"


@dataclass(frozen=True, slots=True)
class Source:
    """Whose logs: `container` of `pods`; where `about` is given, those lines that are about it.

    `none` is what to say when there are no pods; `leader` names a pod that is marked.
    """

    container: str
    pods: Callable[[], Awaitable[list[Object]]]
    none: str
    about: tuple[str, str] | None = None
    leader: Callable[[], str] = str


def arguments(parser: ArgumentParser) -> None:
    """Declare what `logs` takes."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="the chatbot")
    parser.add_argument(
        "--operator",
        action="store_true",
        help="the operator's own logs instead, its leader marked *; with NAME, what concerns it",
    )
    parser.add_argument("-f", "--follow", action="store_true", help="stay, and show what comes")
    parser.add_argument(
        "--tail",
        type=_count,
        metavar="LINES",
        help=f"of each pod; default: all, with --follow {FOLLOWED_TAIL}",
    )
    parser.add_argument(
        "--since", type=_span, metavar="SPAN", help="nothing older than this, such as 90s or 1h30m"
    )
    parser.add_argument(
        "-p",
        "--previous",
        action="store_true",
        help="of the containers before the last restart, with why they ended",
    )


async def run(arguments: Namespace, reach: Reach) -> Code:
    """Show logs; raises UnansweredError, KubernetesRefusal."""
    if arguments.previous and arguments.follow:
        raise UnansweredError("what has ended cannot be followed: leave out --follow or --previous")
    source = await _source(arguments, reach)
    since = reach.now() - dt.timedelta(seconds=arguments.since) if arguments.since else None
    put = _printer(source, as_json=arguments.output == "json")

    def wanted(line: Line) -> bool:
        # Of what has no time of its own the kubelet knows it.
        recent = not (since and line.at and line.at < since)
        return recent and (source.about is None or line.of(*source.about))

    asked = _asked(arguments, source)
    if arguments.follow:
        await _follow(source, reach, asked, lambda line: put(line) if wanted(line) else None)
    for line in await _all(source, reach, asked, wanted, arguments.tail):
        put(line)
    return Code.FINE


async def _follow(
    source: Source, reach: Reach, asked: Mapping[str, str], take: Callable[[Line], object]
) -> NoReturn:
    if not await source.pods():
        _say(source.none)
    streams = await reach.pods()
    await Following(streams, source.container, source.pods, asked, take, _say, reach.now).run()


async def _source(arguments: Namespace, reach: Reach) -> Source:
    if arguments.operator:
        return await _operator(arguments.name, reach)
    if not arguments.name:
        raise UnansweredError("which chatbot's logs? Name it, or say --operator.")
    chatbot = await chatbots.find(reach, arguments.name)
    return Source(
        CHATBOT,
        lambda: chatbots.pods_of(reach, chatbot),
        f"{chatbot.namespace}/{chatbot.name} has no pods: {chatbot.standing()}"
        f" What to do says: {chatbot.why}",
    )


async def _operator(about: str | None, reach: Reach) -> Source:
    cluster, namespace = await reach.cluster(), await reach.namespace()
    leader = ""

    async def pods() -> list[Object]:
        nonlocal leader
        try:
            found = await cluster.select(PODS, "", installed.LABELS)
        except KubernetesRefusal as refusal:
            if refusal.status != HTTPStatus.FORBIDDEN:
                raise
            found = await cluster.select(PODS, OPERATOR_NAMESPACE, installed.LABELS)
        for home in {pod["metadata"]["namespace"] for pod in found}:
            with suppress(KubernetesRefusal):  # then nobody is marked
                lease = await cluster.get(LEASES, home, LEASE)
                leader = Claim.parse(lease).holder.rpartition("_")[0] if lease else ""
        return found

    labels = ",".join(f"{name}={value}" for name, value in installed.LABELS.items())
    return Source(
        installed.CONTAINER,
        pods,
        f"there are no pods of the operator in this cluster (labels {labels})",
        (namespace, about) if about else None,
        lambda: leader,
    )


async def _all(
    source: Source,
    reach: Reach,
    asked: Mapping[str, str],
    wanted: Callable[[Line], bool],
    tail: int | None,
) -> list[Line]:
    """Read what there is, of each pod the `tail` last of the lines that are wanted, by time."""
    pods = await source.pods()
    if not pods:
        raise UnansweredError(source.none)
    readings = (_log(pod, source.container, reach, asked) for pod in pods)
    logs = [[*filter(wanted, log)] for log in await asyncio.gather(*readings)]
    if tail is not None:
        logs = [log[max(len(log) - tail, 0) :] for log in logs]
    return [line for _, line in merged(logs)]


async def _log(pod: Object, container: str, reach: Reach, asked: Mapping[str, str]) -> list[Line]:
    """Read a pod's log; what has none (yet) is said, and no error."""
    meta, streams = pod["metadata"], await reach.pods()
    log = streams.log(meta["namespace"], meta["name"], {"container": container, **asked})
    try:
        async with aclosing(log) as raws:
            return [parse(meta["name"], raw) async for raw in raws]
    except KubernetesRefusal as refusal:
        if refusal.status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}:
            raise
        _say(f"{short(meta['name'])}: {plain(refusal.message)}")
        return []


def _asked(arguments: Namespace, source: Source) -> dict[str, str]:
    """Give what is asked of the kubelet, as PodLogOptions; it cannot tell what a line is about."""
    tail = FOLLOWED_TAIL if arguments.follow and arguments.tail is None else arguments.tail
    asked = {
        "tailLines": "" if tail is None or source.about else str(tail),
        "sinceSeconds": str(max(1, round(arguments.since))) if arguments.since else "",
        "previous": "true" if arguments.previous else "",
    }
    return {name: value for name, value in asked.items() if value}


def _printer(source: Source, *, as_json: bool) -> Callable[[Line], None]:
    console = Console(highlight=False)

    def put(line: Line) -> None:
        if as_json:
            said = json.dumps(line.document(), ensure_ascii=False)
            sys.stdout.write(f"{escaped(said)}\n")
            sys.stdout.flush()
            return
        mark = LEADER if line.pod == source.leader() else ""
        console.print(lines.shown(line, mark=mark), soft_wrap=True)

    return put


def _say(words: str) -> None:
    """Say what is no line of a log."""
    sys.stderr.write(f"--- {words}\n")
    sys.stderr.flush()


def _span(text: str) -> float:
    try:
        return lines.seconds(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is no number of lines")
    return int(text)


LOGS: Final = Command(
    "logs",
    "show what a chatbot's pods have written down, all of them together",
    (
        "logs support -f",
        "logs support --since 1h -o json    # one JSON object a line",
        "logs support --operator            # what the operator says of it",
    ),
    arguments,
    run,
    codes="It ends with 0, or with 2 when there is nothing that could be read. No line holds a word"
    " of a conversation.",
)
