from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from chatbot.upstream import OID, Upstream
from sandbox.certificates import Authority, create_authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return create_authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def upstream(authority: Authority) -> Iterator[Upstream]:
    server = Upstream(authority.issue("upstream"))
    server.start()
    yield server
    server.stop()


@dataclass
class Process:
    """A running chatbot: a real process with real sockets."""

    popen: subprocess.Popen[str]
    page: str
    probes: str

    def readyz(self) -> tuple[int, dict[str, Any]]:
        response = httpx2.get(f"{self.probes}readyz")
        return response.status_code, response.json()

    def until(self, reason: str) -> tuple[int, dict[str, Any]]:
        deadline = time.monotonic() + 60
        while True:
            status, document = self.readyz()
            if document["reason"] == reason:
                return status, document
            assert time.monotonic() < deadline, document
            time.sleep(0.05)

    def kill(self) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.communicate()

    def end(self) -> str:
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        return self.popen.communicate(timeout=60)[1]


def pod(upstream: Upstream, authority: Authority, directory: Path) -> dict[str, str]:
    """Return what operator and webhook give to a pod."""
    token_file = directory / "azure-identity-token"
    token_file.write_text("eyJhbGciOiJub25lIn0.e30.projected", encoding="ascii")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "HOST": "127.0.0.1",
        "PORT": "0",
        "OPS_PORT": "0",
        "AZURE_OPENAI_ENDPOINT": upstream.address,
        "AZURE_OPENAI_DEPLOYMENT": "gpt",
        "AZURE_CLIENT_ID": "client",
        "AZURE_TENANT_ID": "tenant",
        "AZURE_FEDERATED_TOKEN_FILE": str(token_file),
        "AZURE_AUTHORITY_HOST": upstream.address,
        "AZURE_PRINCIPAL_ID": OID,
        "SSL_CERT_FILE": str(authority.bundle),
        "CHAT_TITLE": "Ask Ada",
    }


def started(environment: dict[str, str], directory: Path, *arguments: str) -> Process:
    popen = subprocess.Popen(
        [sys.executable, "-m", "chatbot_app", *arguments],
        env=environment,
        cwd=directory,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert popen.stderr is not None
    for line in popen.stderr:
        event = json.loads(line) if line.startswith("{") else _plain(line)
        if event.get("event") == "listening":
            return Process(popen, event.get("page", ""), event.get("probes", ""))
    raise AssertionError(f"the chatbot ended with {popen.wait()}")


def _plain(line: str) -> dict[str, str]:
    event, *fields = line.split()
    return {"event": event} | dict(field.split("=", 1) for field in fields if "=" in field)


@pytest.fixture
def environment(upstream: Upstream, authority: Authority, tmp_path: Path) -> dict[str, str]:
    return pod(upstream, authority, tmp_path)


@pytest.fixture
def launch(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start a chatbot in a pod's environment, changed by keywords; None takes a variable away."""
    processes: list[Process] = []

    def start(**changes: str | None) -> Process:
        changed = {k: v for k, v in (environment | changes).items() if v is not None}
        processes.append(started(changed, tmp_path))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()


@contextlib.contextmanager
def unprobed(
    authority: Authority, directory: Path, **changes: str
) -> Iterator[tuple[Process, Upstream]]:
    """Run a chatbot without probes, and an account of its own, for as long as the context lasts."""
    server = Upstream(authority.issue(directory.name))
    server.start()
    environment = pod(server, authority, directory) | changes
    del environment["OPS_PORT"]
    process = started(environment, directory)
    try:
        yield process, server
    finally:
        process.kill()
        server.stop()


@pytest.fixture(scope="session")
def laptop(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Process, Upstream]]:
    """One chatbot without probes, as on a laptop but with an identity, for tests that only chat."""
    with unprobed(authority, tmp_path_factory.mktemp("laptop")) as running:
        yield running
