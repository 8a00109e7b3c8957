"""Child processes with log files, written down so that none outlives its sandbox unnoticed.

Every process leads a group of its own; when it ends, the rest of its group ends with it, as a
container ends with its first process. A register on disk names the owner and its processes by pid
and time of birth, so that a later run can end what a killed owner left behind and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self, TypedDict, cast

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
    from types import TracebackType

REGISTER = "processes.json"
_POLL = 0.1


class _Entry(TypedDict):
    name: str
    pid: int
    birth: str | None


class _Register(TypedDict):
    owner: _Entry
    processes: list[_Entry]


class ProcessError(RuntimeError):
    """A process ended, or did not become ready, when it was needed."""


class InUseError(RuntimeError):
    """Another living process owns this directory."""


class Process:
    """A child process: leader of its own group, output appended to `log`."""

    def __init__(self, name: str, child: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._child = child
        self._ended = False

    @property
    def pid(self) -> int:
        """The process id, also of its group."""
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs, negative for a signal."""
        return self._child.returncode

    async def wait(self) -> int:
        """Wait for its end; the exit code, negative for a signal."""
        code = await self._child.wait()
        if not self._ended:  # later the group's number may be someone else's
            self._ended = True
            _kill_group(self.pid)
        return code

    async def stop(self, *, grace: float = 0.0) -> int:
        """SIGTERM, and SIGKILL to the group after `grace` seconds; at once when there are none."""
        if self.exit_code is None and grace > 0:
            with contextlib.suppress(ProcessLookupError):
                self._child.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace):
                    await self._child.wait()
        if self.exit_code is None:
            _kill_group(self.pid)
        return await self.wait()

    async def until(
        self, ready: Callable[[], Awaitable[bool]], *, what: str, seconds: float
    ) -> None:
        """Poll `ready` until it is true.

        Raises:
            ProcessError: the process ended first, or `seconds` passed; with the end of its log.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while not await ready():
            if self.exit_code is not None:
                raise ProcessError(f"{self.name} ended with {self.exit_code}\n{tail(self.log)}")
            if asyncio.get_running_loop().time() > deadline:
                raise ProcessError(f"{what} took more than {seconds:g} s\n{tail(self.log)}")
            await asyncio.sleep(_POLL)


class Processes:
    """The processes of one owner; leaving the context ends them all."""

    def __init__(self, directory: Path) -> None:
        self._register = directory / REGISTER
        self._living: dict[Process, tuple[_Entry, asyncio.Task[None]]] = {}

    async def __aenter__(self) -> Self:
        """Claim the directory and end what an earlier owner left in it.

        Raises:
            InUseError: that owner still lives.
        """
        _claim(self._register)
        self._record()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._living:
            _kill_group(process.pid)
        await asyncio.gather(*(task for _, task in self._living.values()))
        self._register.unlink(missing_ok=True)

    async def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Process:
        """Start a process, without standard input; `env` None inherits the environment.

        Raises:
            OSError: there is no such program.
        """
        with _appending(log) as output:
            child = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )
        process = Process(name, child, log)
        following = asyncio.create_task(self._follow(process))
        self._living[process] = (_entry(name, process.pid), following)
        self._record()
        return process

    async def _follow(self, process: Process) -> None:
        await process.wait()
        self._living.pop(process, None)
        self._record()

    def _record(self) -> None:
        content: _Register = {
            "owner": _entry("owner", os.getpid()),
            "processes": [entry for entry, _ in self._living.values()],
        }
        draft = self._register.with_suffix(".new")
        draft.write_text(json.dumps(content, indent=1))
        draft.replace(self._register)


async def end(directory: Path, *, patience: float = 30.0) -> list[str]:
    """End what runs under `directory`: its owners by SIGTERM, then what they left by SIGKILL.

    Returns the names of the processes that had to be killed. An owner gets `patience` seconds.
    """
    killed: list[str] = []
    registers = await asyncio.to_thread(lambda: sorted(directory.rglob(REGISTER)))
    for register in registers:
        if not register.exists():  # its owner, ended a moment ago, also owned an earlier one
            continue
        owner = _read(register)["owner"]
        deadline = asyncio.get_running_loop().time() + patience
        if _lives(owner):
            os.kill(owner["pid"], signal.SIGTERM)
        while _lives(owner) and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_POLL)  # it is no child: there is nothing to wait for
        killed += _kill_left(register)
    return killed


def birth(pid: int) -> str | None:
    """What tells this process from any other that ever has its pid; None when it is gone."""
    if not Path("/proc/self/stat").exists():
        argv = ["ps", "-o", "lstart=", "-p", str(pid)]
        shown = subprocess.run(argv, capture_output=True, text=True, check=False)
        return shown.stdout.strip() or None
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat.rpartition(")")[2].split()  # proc(5): the name may hold spaces
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return None if state in "ZX" else f"{boot} {fields[18]}"


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nothing uses, below the range from which connections take theirs."""
    while True:
        port = 20000 + secrets.randbelow(12000)
        with socket.socket() as trial, contextlib.suppress(OSError):
            trial.bind((host, port))
            return port


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


@contextlib.contextmanager
def _appending(log: Path) -> Iterator[BinaryIO]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        yield output


def _claim(register: Path) -> None:
    register.parent.mkdir(parents=True, exist_ok=True)
    if not register.exists():
        return
    owner = _read(register)["owner"]
    if owner["pid"] != os.getpid() and _lives(owner):
        raise InUseError(f"{register.parent} belongs to the running process {owner['pid']}")
    _kill_left(register)


def _kill_left(register: Path) -> list[str]:
    if not register.exists():
        return []
    left = [each for each in _read(register)["processes"] if _lives(each)]
    for each in left:
        _kill_group(each["pid"])
    register.unlink(missing_ok=True)
    return [each["name"] for each in left]


def _entry(name: str, pid: int) -> _Entry:
    return {"name": name, "pid": pid, "birth": birth(pid)}


def _read(register: Path) -> _Register:
    return cast("_Register", json.loads(register.read_text()))


def _lives(entry: _Entry) -> bool:
    return entry["birth"] is not None and birth(entry["pid"]) == entry["birth"]


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
