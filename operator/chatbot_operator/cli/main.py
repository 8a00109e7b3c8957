"""`kubectl chatbot`: parses, runs one command, and shows what it found."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import logging
import sys
from collections.abc import Sequence
from typing import Any

from kubernetes.aio.config import ConfigException
from rich.console import Console
from rich.text import Text

from chatbot_operator.cli.command import CODES, Code, Command, Report, UnansweredError
from chatbot_operator.cli.commands import COMMANDS
from chatbot_operator.cli.reach import Asked, here
from chatbot_operator.cli.refused import fault, words
from chatbot_operator.clouds import CLOUDS
from chatbot_operator.errors import KubernetesRefusal, Refusal
from chatbot_operator.words import escaped, plain

PROGRAM = "kubectl chatbot"


def main(typed: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    whole = parser()
    if not (sys.argv[1:] if typed is None else typed):
        whole.exit(Code.UNANSWERED, whole.format_help())
    arguments = whole.parse_args(typed)
    logging.disable(logging.CRITICAL)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal has no letter for is no fault
            stream.reconfigure(errors="replace")
    asked = Asked(
        arguments.kubeconfig, arguments.context, arguments.namespace or "", arguments.cloud
    )
    try:
        found = asyncio.run(_run(arguments, asked))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return Code.UNANSWERED
    except (UnansweredError, KubernetesRefusal, Refusal, ConfigException) as error:
        return _unanswered(words(error), as_json=arguments.output == "json")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no answer for a script
        return _unanswered(fault(error), as_json=arguments.output == "json")
    if isinstance(found, Report):
        show(found, as_json=arguments.output == "json")
        return found.code
    return found


def show(report: Report, *, as_json: bool, console: Console | None = None) -> None:
    """Print a report."""
    if as_json:
        said = json.dumps(report.document, indent=2, ensure_ascii=False)
        sys.stdout.write(f"{escaped(said)}\n")
        return
    (console or Console(highlight=False)).print(report.shown, crop=False)


class _Command(argparse.ArgumentParser):
    """Takes options before, between and after the rest; a sub-command's parser otherwise would not.

    https://docs.python.org/3/library/argparse.html#intermixed-parsing
    """

    _within = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, in two rounds that come here again."""
        if self._within:
            return super().parse_known_args(args, namespace)
        self._within = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._within = False


def parser() -> argparse.ArgumentParser:
    """Give the parser of the command line."""
    whole = argparse.ArgumentParser(
        prog=PROGRAM, description="Chatbots on Azure OpenAI: why, and what to type.", epilog=CODES
    )
    commands = whole.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=_Command
    )
    for command in COMMANDS:
        _add(commands, command)
    return whole


async def _run(arguments: argparse.Namespace, asked: Asked) -> Report | Code:
    command = next(each for each in COMMANDS if each.name == arguments.command)
    async with here(asked) as reach:
        return await command.run(arguments, reach)


def _add(commands: Any, command: Command) -> None:
    examples = "\n".join(f"  {PROGRAM} {each}" for each in command.examples)
    one = commands.add_parser(
        command.name,
        help=command.purpose,
        description=f"{command.purpose[0].upper()}{command.purpose[1:]}.",
        epilog=f"examples:\n{examples}\n\n{command.codes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.arguments(one)
    where = one.add_argument_group("where to look")
    where.add_argument("-n", "--namespace", help="of the chatbot; default: the context's")
    where.add_argument("--context", default="", help="of the kubeconfig; default: its current one")
    where.add_argument("--kubeconfig", default="", help="default: $KUBECONFIG, ~/.kube/config")
    where.add_argument("--cloud", default="Public", choices=CLOUDS, help="of Azure; default Public")
    one.add_argument(
        *("-o", "--output"),
        choices=("text", "json"),
        default="text",
        help="text for people, which is the default, or json for programs",
    )


def _unanswered(why: str, *, as_json: bool) -> int:
    if as_json:
        sys.stdout.write(json.dumps({"unanswered": plain(why)}, ensure_ascii=False) + "\n")
    Console(stderr=True, highlight=False).print(Text(f"{PROGRAM}: {plain(why)}"), soft_wrap=True)
    return Code.UNANSWERED


if __name__ == "__main__":
    sys.exit(main())
