"""The real `az`, logged in to an emulator as its owner.

It is looked for at $AZ, then where `make az` puts it.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sandbox.azure import settings as fixed

HOME = Path.home() / ".cache" / "chatbot-sandbox" / "az-2.91.0" / "bin" / "az"


def logged_in(url: str, trust: Path, directory: Path) -> dict[str, str]:
    """Variables under which `az` talks to the emulator at a URL; skips where there is no `az`."""
    program = Path(os.environ.get("AZ", HOME))
    if not program.exists():
        pytest.skip(f"there is no az at $AZ or {HOME}")
    variables = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(directory),
        "AZURE_CONFIG_DIR": str(directory / "az"),
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "REQUESTS_CA_BUNDLE": str(trust),
    }
    for arguments in (
        ("cloud", "register", "-n", "sandbox", "--endpoint-resource-manager", url),
        ("cloud", "set", "-n", "sandbox"),
        (
            *("login", "--service-principal", "-u", fixed.OWNER_CLIENT_ID),
            *("-p", fixed.OWNER_SECRET, "-t", fixed.TENANT),
        ),
    ):
        subprocess.run(["az", *arguments], env=variables, check=True, capture_output=True)
    return variables


async def run(variables: dict[str, str], *arguments: str) -> Any:
    """Run `az` and read its answer."""
    process = await asyncio.create_subprocess_exec(
        "az",
        *arguments,
        *("-o", "json", "--only-show-errors"),
        env=variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return json.loads(output) if output.strip() else None
