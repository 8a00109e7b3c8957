"""The `azure` command: run the emulator until interrupted."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.azure import settings as fixed
from sandbox.azure.server import serve
from sandbox.azure.settings import Settings, Surroundings
from sandbox.azure.world import resource_id
from sandbox.certificates import Authority, create_authority

if TYPE_CHECKING:
    import argparse

DEFAULT_PORT = 8443


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options to `parser`."""
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free port")
    parser.add_argument(
        "--directory",
        type=Path,
        default=Path("azure-emulator"),
        help="where the CA is kept, or made (default ./%(default)s)",
    )
    parser.add_argument("--trust", type=Path, help="PEM file of CAs that OIDC issuers may use")
    parser.add_argument("--issuer", help="OIDC issuer of the AKS cluster `sandbox`")
    parser.add_argument("--upstream", help="OpenAI-compatible server that answers model calls")
    add_setting(parser)


def add_setting(parser: argparse.ArgumentParser) -> None:
    """Describe `--set` to `parser`; `changed` applies what it gathers."""
    names = ", ".join(Settings().document())
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"behaviour of the emulator, times in seconds; again for more: {names}",
    )


def changed(settings: Settings, given: list[str]) -> Settings:
    """Settings with the `NAME=VALUE` pairs applied.

    Raises:
        SettingError: a pair names no setting, or has a value that it cannot have.
    """
    pairs = dict(each.partition("=")[::2] for each in given)
    return settings.changed({name: _value(text) for name, text in pairs.items()})


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


async def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; the exit status."""
    authority = create_authority(args.directory)
    certificate = authority.issue("azure")
    surroundings = Surroundings(args.trust, args.issuer, args.upstream)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with serve(
        changed(Settings(), args.set), certificate, port=args.port, surroundings=surroundings
    ) as emulator:
        print(_table(emulator.url, authority), flush=True)
        await stop.wait()
    return 0


def _table(url: str, authority: Authority) -> str:
    kind = "Microsoft.CognitiveServices/accounts"
    rows = {
        "ARM and Entra": url,
        "control API": f"{url}/_emulator/state",
        "endpoint": f"{url}/{fixed.ACCOUNT}/",
        "tenant": fixed.TENANT,
        "subscription": fixed.SUBSCRIPTION,
        "owner client id": fixed.OWNER_CLIENT_ID,
        "owner secret": fixed.OWNER_SECRET,
        "account": resource_id(fixed.ACCOUNT_GROUP, kind, fixed.ACCOUNT),
        "identities go to": fixed.IDENTITY_GROUP,
        "CA": authority.certificate.resolve(),
        "CA and system roots": authority.bundle.resolve(),
    }
    table = "\n".join(f"{name:<20} {value}" for name, value in rows.items())
    return f"{table}\n\nWith the Azure CLI, in a configuration of its own:\n{_az(url, authority)}"


def _az(url: str, authority: Authority) -> str:
    owner = fixed.OWNER_CLIENT_ID
    lines = (
        f"export AZURE_CONFIG_DIR=$(mktemp -d) REQUESTS_CA_BUNDLE={authority.bundle.resolve()}",
        "az config set core.instance_discovery=false core.collect_telemetry=no",
        f"az cloud register -n sandbox --endpoint-resource-manager {url}",
        "az cloud set -n sandbox",
        f"az login --service-principal -u {owner} -t {fixed.TENANT} -p {fixed.OWNER_SECRET}",
    )
    return "\n".join(f"  {line}" for line in lines)
