"""`sandbox`: the whole chain on one machine, without an Azure account."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

import httpx2

from sandbox import commands
from sandbox.azure import command as azure
from sandbox.azure.settings import SettingError, Settings
from sandbox.cluster.binaries import BinariesError
from sandbox.conversation import Refused
from sandbox.install import KubectlError
from sandbox.processes import InUseError, ProcessError
from sandbox.up import PAGE_PORT, Plan

_FORESEEN = (
    BinariesError,
    ProcessError,
    InUseError,
    KubectlError,
    SettingError,
    Refused,
    httpx2.HTTPError,
)

PROPAGATION_SECONDS = 4.0
"""How long the emulated Azure takes to spread a grant: the real one takes up to ten minutes."""


def main() -> int:
    """Run a command; the exit code."""
    parser = _parser()
    arguments = parser.parse_args()
    try:
        return _run(arguments)
    except _FORESEEN as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "up" | "demo":
            if arguments.detach:
                given = [word for word in sys.argv[1:] if word != "--detach"]
                return commands.detach(given, arguments.directory)
            return asyncio.run(commands.up(_plan(arguments), demo=arguments.command == "demo"))
        case "status":
            return commands.status(arguments.directory, as_json=arguments.json)
        case "env":
            return commands.env(arguments.directory)
        case "azure":
            return asyncio.run(azure.run(arguments))
        case _:
            return asyncio.run(commands.down(arguments.directory))


def _plan(arguments: argparse.Namespace) -> Plan:
    spread = arguments.propagation
    return Plan(
        directory=arguments.directory,
        azure=azure.changed(
            Settings(propagation_role=spread, propagation_federation=spread), arguments.set
        ),
        upstream=arguments.upstream,
        samples=not arguments.no_samples,
        port=arguments.port,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    commands_ = parser.add_subparsers(dest="command", required=True)
    for name, purpose in (
        ("up", "cluster, Azure emulator, operator and sample chatbots, until Ctrl-C"),
        ("demo", "the same, and the chatbots are asked something"),
    ):
        one = commands_.add_parser(name, help=purpose, description=purpose)
        one.add_argument("--detach", action="store_true", help="return once it is complete")
        one.add_argument("--no-samples", action="store_true", help="without sample chatbots")
        one.add_argument(
            "--port", type=int, default=PAGE_PORT, help="of the first sample's page; 0 for none"
        )
        one.add_argument("--upstream", help="OpenAI-compatible server that answers model calls")
        one.add_argument(
            "--propagation",
            type=float,
            default=PROPAGATION_SECONDS,
            metavar="SECONDS",
            help="how long the emulated Azure takes to spread a grant (default %(default)s)",
        )
        azure.add_setting(one)
        _directory(one)
    status = commands_.add_parser("status", help="where everything of the running sandbox is")
    status.add_argument("--json", action="store_true", help="for programs")
    _directory(status)
    env = commands_.add_parser("env", help='for `eval "$(sandbox env)"`: kubectl means the sandbox')
    _directory(env)
    azure.add_arguments(commands_.add_parser("azure", help="the Azure emulator alone"))
    _directory(commands_.add_parser("down", help="end the sandbox and leave nothing behind"))
    return parser


def _directory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--directory",
        type=Path,
        default=commands.default_directory(),
        help="its state (%(default)s)",
    )


if __name__ == "__main__":
    sys.exit(main())
