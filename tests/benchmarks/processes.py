"""What is measured, as processes of their own: started, weighed and ended."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.upstream import OID
from sandbox.certificates import Authority, create_authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TESTS = Path(__file__).parents[1]
LONGEST_START = 60.0
BYTES_A_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers; `seconds` is how long it took until its page did.

    `heaviest` is the most that it weighed from then on until it was ready, in MB.
    """

    process: subprocess.Popen[bytes]
    address: str
    seconds: float
    heaviest: float = 0.0

    def weight(self) -> float:
        """Read its proportional set size and that of all that it has started, in MB."""
        return sum(_weights(self.process.pid))

    def processor_time(self) -> float:
        """Read the seconds of a processor that it has used."""
        numbers = (
            Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        )
        return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True, slots=True)
class Place:
    """Where servers run: a directory with a certificate authority, and the account's address."""

    directory: Path
    authority: Authority
    account: str

    def chatbot(self, python: Path) -> Running:
        """Start the chatbot as a pod has it, with places enough for all who are to ask."""
        token_file = self.directory / "azure-identity-token"
        token_file.write_text("eyJhbGciOiJub25lIn0.e30.projected", encoding="ascii")
        port, ops_port = free_port(), free_port()
        settings = {
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "OPS_PORT": str(ops_port),
            "AZURE_OPENAI_ENDPOINT": self.account,
            "AZURE_OPENAI_DEPLOYMENT": "gpt",
            "AZURE_CLIENT_ID": "client",
            "AZURE_TENANT_ID": "tenant",
            "AZURE_FEDERATED_TOKEN_FILE": str(token_file),
            "AZURE_AUTHORITY_HOST": self.account,
            "AZURE_PRINCIPAL_ID": OID,
            "CHAT_TITLE": "Ask Ada",
            "CHAT_ANSWERS_AT_ONCE": "1000",
        }
        return self._start([python, "-m", "chatbot_app"], settings, port, probes=ops_port)

    def gradio(self, python: Path) -> Running:
        """Start Gradio's ChatInterface."""
        port = free_port()
        program = Path(__file__).with_name("gradio_app.py")
        command: list[Path | str] = [
            python,
            program,
            "--port",
            str(port),
            "--endpoint",
            self.account,
        ]
        settings = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
        return self._start(command, settings, port)

    def _start(
        self,
        command: list[Path | str],
        settings: dict[str, str],
        port: int,
        *,
        probes: int | None = None,
    ) -> Running:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        trusted = {"SSL_CERT_FILE": str(self.authority.bundle)}
        began = time.monotonic()
        with (self.directory / "log").open("wb") as log:
            process = subprocess.Popen(
                command, env=kept | trusted | settings, cwd=self.directory, stdout=log, stderr=log
            )
        running = Running(process, f"http://127.0.0.1:{port}/", 0.0)
        try:
            _until_ok(port, "/", process)
            seconds = time.monotonic() - began
            weights = [running.weight()]
            if probes is not None:
                _until_ok(probes, "/readyz", process, lambda: weights.append(running.weight()))
        except RuntimeError as error:
            running.end()
            error.add_note((self.directory / "log").read_text("utf-8")[-2000:])
            raise
        return dataclasses.replace(running, seconds=seconds, heaviest=max(weights))


@contextlib.contextmanager
def place(directory: Path) -> Iterator[Place]:
    """Make an authority in the directory and run an account for as long as the context lasts."""
    authority = create_authority(directory)
    certificate = authority.issue("account")
    command: list[Path | str] = [sys.executable, "-m", "benchmarks.account"]
    process = subprocess.Popen(
        [*command, certificate.certificate, certificate.key],
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield Place(directory, authority, f"https://127.0.0.1:{port}/")
    finally:
        process.kill()
        process.communicate()


def free_port() -> int:
    """Find a port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _weights(pid: int) -> Iterator[float]:
    """Read it of a process and its children (Linux, `proc_pid_smaps_rollup`); 0 when one ended."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
        children = [
            file.read_text("ascii") for file in Path(f"/proc/{pid}/task").glob("*/children")
        ]
    except OSError:
        return
    lines = (line for line in rollup.splitlines() if line.startswith("Pss:"))
    yield sum(int(line.split()[1]) for line in lines) * 1024 / BYTES_A_MB
    for child in " ".join(children).split():
        yield from _weights(int(child))


def _until_ok(
    port: int,
    path: str,
    process: subprocess.Popen[bytes],
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < LONGEST_START:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_START)
        with (
            contextlib.closing(connection),
            contextlib.suppress(OSError, http.client.HTTPException),
        ):
            connection.request("GET", path)
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        meanwhile()
        time.sleep(0.01)
    raise RuntimeError(f"{process.args!r} did not answer: exit code {process.poll()}")


def installed(python: Path) -> float:
    """Add up what is installed beside an interpreter, in MB; the interpreter does not count."""
    packages = next((python.parents[1] / "lib").glob("python3.*/site-packages"))
    return sum(file.lstat().st_size for file in packages.rglob("*")) / BYTES_A_MB
