"""A person at a terminal: types commands into a shell that has kubectl, the plugin and a cluster."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PLUGIN = Path(sys.executable).parent / "kubectl-chatbot"
PATIENCE = 30.0


@dataclass(frozen=True)
class Typed:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Person:
    """Someone with a kubeconfig; `binaries` is where kubectl is."""

    kubeconfig: Path
    binaries: Path
    environment: dict[str, str] = field(default_factory=dict)

    async def type(self, line: str) -> Typed:
        """Type a line into a shell."""
        return await self._run("bash", "-c", line)

    async def chatbot(self, *words: str) -> Typed:
        """Run the plugin itself."""
        return await self._run(str(PLUGIN), *words)

    async def _run(self, *words: str) -> Typed:
        path = os.pathsep.join((str(self.binaries), str(PLUGIN.parent), os.environ["PATH"]))
        process = await asyncio.create_subprocess_exec(
            *words,
            env={
                "PATH": path,
                "KUBECONFIG": str(self.kubeconfig),
                "HOME": str(self.kubeconfig.parent),
                "COLUMNS": "100",
                "LANG": "C.UTF-8",
                **self.environment,
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
        return Typed(process.returncode or 0, out.decode(), err.decode())


def every_command(check: Any) -> list[str]:
    """All commands of a tree, from the top."""
    own = [
        *check.get("commands", ()),
        *(c for w in check.get("ways", ()) for c in w.get("commands", ())),
    ]
    return [*own, *(c for below in check.get("below", ()) for c in every_command(below))]
