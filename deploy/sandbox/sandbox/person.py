"""The person who tries the sandbox out, signed in to its Azure without `az` and without a secret.

A service account stands for them; its token lies in a file, is renewed, and is exchanged by
whatever understands the variables that the workload identity webhook sets in pods.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from sandbox.azure.settings import ARM_AUDIENCE, TENANT
from sandbox.bootstrap import EXCHANGE, PERSON, PERSON_NAMESPACE
from sandbox.cluster.api import Api, ApiError
from sandbox.cluster.background import together

if TYPE_CHECKING:
    from sandbox.up import Status

TOKEN_SECONDS = 24 * 3600
RENEWED_AFTER = TOKEN_SECONDS / 4
_RETRY = 10.0
_ACCOUNTS = f"/api/v1/namespaces/{PERSON_NAMESPACE}/serviceaccounts"


@contextlib.asynccontextmanager
async def signed_in(api: Api, file: Path) -> AsyncIterator[None]:
    """Keep a token of the person's service account in a file of theirs alone."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": PERSON}}
    await api.post(_ACCOUNTS, account)
    await _write(api, file)
    async with together(_renew(api, file)):
        yield


def variables(status: Status) -> Mapping[str, str]:
    """Give what a shell needs so that kubectl and `kubectl chatbot` mean this sandbox."""
    return {
        "KUBECONFIG": status.kubeconfig,
        "ARM_ENDPOINT": status.arm,
        "ARM_SCOPE": f"{ARM_AUDIENCE}/.default",
        "EXTRA_CA_FILE": status.ca,
        "AZURE_AUTHORITY_HOST": f"{status.authority}/",
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": status.person,
        "AZURE_FEDERATED_TOKEN_FILE": status.token_file,
    }


def exports(status: Status) -> str:
    """Write the variables as a shell reads them, and the programs' directory before the others."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables(status).items()]
    return "\n".join([*lines, f'export PATH={shlex.quote(status.path)}:"$PATH"'])


def programs(directory: Path, *found: Path) -> None:
    """Put the programs that a person types into a directory of their own, under their names."""
    directory.mkdir(parents=True, exist_ok=True)
    for program in found:
        link = directory / program.name
        link.unlink(missing_ok=True)
        link.symlink_to(program)


async def _renew(api: Api, file: Path) -> None:
    wait = RENEWED_AFTER
    while True:
        await asyncio.sleep(wait)
        try:
            await _write(api, file)
            wait = RENEWED_AFTER
        except (ApiError, aiohttp.ClientError, TimeoutError):
            wait = _RETRY


async def _write(api: Api, file: Path) -> None:
    spec = {"audiences": [EXCHANGE], "expirationSeconds": TOKEN_SECONDS}
    answer = await api.post(f"{_ACCOUNTS}/{PERSON}/token", {"spec": spec})
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(answer["status"]["token"])
    draft.replace(file)
