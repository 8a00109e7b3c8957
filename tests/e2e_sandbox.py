"""A sandbox of the tests' own, run as a person runs it."""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
from sandbox.azure.settings import OWNER_CLIENT_ID, OWNER_SECRET
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

SANDBOX = [sys.executable, "-m", "sandbox"]


@dataclass(frozen=True, slots=True)
class Running:
    """A running sandbox: its directory, and what `sandbox status --json` said first."""

    directory: Path
    status: dict[str, Any]

    def kubectl(self, *arguments: str, body: Any = None, check: bool = True) -> str:
        done = subprocess.run(
            [Path(self.status["path"]) / "kubectl", *arguments],
            env={
                "KUBECONFIG": self.status["kubeconfig"],
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.directory),
            },
            input=None if body is None else json.dumps(body),
            capture_output=True,
            text=True,
            check=False,
        )
        assert not (check and done.returncode), done.stderr
        return done.stdout

    def get(self, *arguments: str) -> dict[str, Any]:
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def azure(self, method: str, path: str, body: Any = None, **query: str) -> httpx2.Response:
        """Call Resource Manager as the owner, or the emulator's own control API."""
        with self._reach() as client:
            headers = {}
            if not path.startswith("/_emulator"):
                headers = {"Authorization": f"Bearer {_owner_token(self, client)}"}
                query = {"api-version": "2024-11-30", **query}
            return client.request(method, path, json=body, params=query, headers=headers)

    def owner_token(self) -> str:
        """A token of the subscription's owner."""
        with self._reach() as client:
            return _owner_token(self, client)

    def _reach(self) -> httpx2.Client:
        context = ssl.create_default_context(cafile=self.status["ca"])
        return httpx2.Client(base_url=self.status["arm"], verify=context)

    def state(self) -> dict[str, Any]:
        return self.azure("GET", "/_emulator/state").json()

    def ledger(self) -> list[dict[str, Any]]:
        return self.azure("GET", "/_emulator/ledger").json()["entries"]

    def audit(self) -> list[dict[str, Any]]:
        log = Path(self.status["kubeconfig"]).with_name("audit.log")
        return [json.loads(line) for line in log.read_text().splitlines()]

    def url(self, namespace: str, name: str) -> str:
        def found() -> str:
            out = subprocess.run(
                [*SANDBOX, "status", "--json", "--directory", str(self.directory)],
                capture_output=True,
                text=True,
                check=True,
            )
            return json.loads(out.stdout)["chatbots"].get(f"{namespace}/{name}", "")

        return until(found, "the chatbot's address")

    def condition(self, namespace: str, name: str, kind: str) -> dict[str, str]:
        status = self.get("chatbot", name, "-n", namespace).get("status", {})
        found = [c for c in status.get("conditions", ()) if c["type"] == kind]
        return found[0] if found else {"status": "", "reason": "", "message": ""}

    def wait_ready(self, namespace: str, name: str, seconds: int = 90) -> None:
        self.kubectl(
            "wait",
            "--for=condition=Ready",
            f"chatbot/{name}",
            "-n",
            namespace,
            f"--timeout={seconds}s",
        )


@contextlib.contextmanager
def running(directory: Path) -> Iterator[Running]:
    """`sandbox up --no-samples` in this directory, Azure spreading grants at once."""
    command = [*SANDBOX, "up", "--detach", "--no-samples", "--port=0", "--propagation=0"]
    where = ["--directory", str(directory)]
    subprocess.run([*command, *where], check=True)
    shown = subprocess.run(
        [*SANDBOX, "status", "--json", *where], check=True, capture_output=True, text=True
    )
    try:
        yield Running(directory, json.loads(shown.stdout))
    finally:
        subprocess.run([*SANDBOX, "down", *where], check=True)


def _owner_token(sandbox: Running, client: httpx2.Client) -> str:
    answer = client.post(
        f"/{sandbox.status['tenant']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": OWNER_CLIENT_ID,
            "client_secret": OWNER_SECRET,
            "scope": "https://management.azure.com/.default",
        },
    )
    return answer.json()["access_token"]
