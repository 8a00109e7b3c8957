"""`kubectl-chatbot` as a person runs it, against a test's own control plane and emulator."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import os
import pty
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from chatbot_operator.cli.main import main

PROGRAM = Path(sys.executable).parent / "kubectl-chatbot"


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code, and what it said."""

    code: int
    out: str
    error: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Console:
    """Runs the program with these variables and no terminal, unless `typed` is to be read there."""

    environment: dict[str, str]

    async def __call__(self, *words: str, program: str = "") -> Ended:
        process = await asyncio.create_subprocess_exec(
            *(program.split() or [str(PROGRAM)]),
            *words,
            env={**self.environment, "PATH": self.path},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await process.communicate()
        return Ended(process.returncode or 0, out.decode(), error.decode())

    async def inside(self, *words: str) -> Ended:
        """Run it in this process, which spares the second that a new one takes to begin."""
        return await asyncio.to_thread(self._inside, words)

    def _inside(self, words: tuple[str, ...]) -> Ended:
        out, error = io.StringIO(), io.StringIO()
        try:
            with (
                mock.patch.dict(os.environ, self.environment),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(error),
            ):
                # The client reads $KUBECONFIG when it is imported.
                code = main((*words, "--kubeconfig", self.environment["KUBECONFIG"]))
        finally:
            logging.disable(logging.NOTSET)
        return Ended(code, out.getvalue(), error.getvalue())

    async def at_terminal(self, *words: str, typed: str) -> Ended:
        """Run it at a terminal of its own, where this is typed when it asks."""
        here, there = pty.openpty()
        try:
            process = await asyncio.create_subprocess_exec(
                str(PROGRAM),
                *words,
                env={**self.environment, "PATH": self.path},
                stdin=there,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            os.write(here, f"{typed}\n".encode())
            out, error = await process.communicate()
        finally:
            os.close(here)
            os.close(there)
        return Ended(process.returncode or 0, out.decode(), error.decode())

    @property
    def path(self) -> str:
        """With the program where kubectl finds its plugins."""
        kubectl = shutil.which("kubectl", path=self.environment.get("PATH", ""))
        more = [str(Path(kubectl).parent)] if kubectl else []
        return os.pathsep.join([str(PROGRAM.parent), *more, os.environ["PATH"]])
