"""`open`: a chatbot's page in the browser, through the API server where it is not public."""

from __future__ import annotations

import asyncio
import json
import sys
import webbrowser
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import Final

from rich.text import Text

from chatbot_operator.cli.command import Code, Command, Report, UnansweredError
from chatbot_operator.cli.reach import Reach
from chatbot_operator.cli.talk import chatbots, sign_in
from chatbot_operator.cli.talk.forward import HOST, listening
from chatbot_operator.cli.talk.lines import short
from chatbot_operator.cli.talk.way import Way
from chatbot_operator.words import plain

PATIENCE_SECONDS: Final = 20.0
"""That a page waits for a pod when the last one has just gone."""
_LAST_PORT: Final = 65535


def arguments(parser: ArgumentParser) -> None:
    """Declare what `open` takes."""
    parser.add_argument("name", metavar="NAME", help="the chatbot")
    parser.add_argument(
        "--port", type=_port, default=0, help="of this machine; default: one that is free"
    )
    parser.add_argument(
        "--forward", action="store_true", help="through the API server, even if it is public"
    )
    parser.add_argument("--no-browser", action="store_true", help="only say where it is")


async def run(arguments: Namespace, reach: Reach) -> Report:
    """Open it, and stay where it comes through here; raises UnansweredError, KubernetesRefusal."""
    chatbot = await chatbots.find(reach, arguments.name)
    if chatbot.url and not arguments.forward:
        if not arguments.no_browser:
            await asyncio.to_thread(webbrowser.open, chatbot.url)
        return Report({"url": chatbot.url, "forwarded": False}, Text(chatbot.url), Code.FINE)
    if why := sign_in.barred(chatbot, browser=True):
        raise UnansweredError(why)
    way = Way(reach, chatbot, _moved, patience=PATIENCE_SECONDS)
    if not await way.look():
        raise chatbot.without_pods()
    try:
        async with listening(way.connected, _trouble, port=arguments.port) as port:
            url = f"http://{HOST}:{port}/"
            document = json.dumps({"url": url, "forwarded": True})
            sys.stdout.write(f"{document if arguments.output == 'json' else url}\n")
            sys.stdout.flush()
            _say(f"leads to {chatbot.namespace}/{chatbot.name} until Ctrl-C")
            if not arguments.no_browser:
                await asyncio.to_thread(webbrowser.open, url)
            await way.keep()
    except OSError as error:
        raise UnansweredError(
            f"port {arguments.port} of this machine cannot be had: {error.strerror or error}."
            " Leave out --port for a free one."
        ) from error


def _moved(before: str, now: str) -> None:
    if not now:
        _say(f"pod {short(before)} is gone, and no other is ready: waiting for one")
    elif before:
        _say(f"pod {short(before)} is gone: on to {now}")
    else:
        _say(f"to pod {now}")


def _trouble(words: str) -> None:
    _say(plain(words))


def _say(words: str) -> None:
    """Say how it stands, where a program does not take it for the address."""
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise ArgumentTypeError(f"{text!r} is no port")
    return int(text)


OPEN: Final = Command(
    "open",
    "open a chatbot's page in the browser, public or not",
    ("open support", "open support --no-browser --port 8087"),
    arguments,
    run,
    codes="It ends with 0 once a public page was opened, with 2 when there is no way to it; a page"
    " that comes through the API server stays until Ctrl-C, which is 130.",
)
