"""The real `helm`, looked for at $HELM, then where `make helm` puts it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

HOME = Path.home() / ".cache" / "chatbot-sandbox" / "helm-4.1.4" / "helm"
CHARTS = Path(__file__).parents[1] / "deploy/helm"
CLIENT = "00000000-0000-0000-0000-000000000001"
"""A client id, the one value that the operator's chart cannot do without."""


@dataclass(frozen=True)
class Helm:
    """Runs helm on the charts of this repository; values are what `--values` would hold."""

    program: Path
    directory: Path

    def rendered(
        self, values: Any, chart: str = "chatbot-operator", *, tests: bool = False
    ) -> list[Any]:
        """Give the objects that a chart renders, and those of `helm test` if they are asked for."""
        done = self._template(values, chart, *(() if tests else ("--skip-tests",)))
        assert done.returncode == 0, done.stderr
        return [each for each in yaml.safe_load_all(done.stdout) if each]

    def refusal(self, values: Any, *arguments: str) -> str:
        """Give the words with which the operator's chart refuses values."""
        done = self._template(values, "chatbot-operator", *arguments)
        assert done.returncode != 0, "it was not refused"
        return done.stderr

    def lint(self, values: Any, chart: str) -> str:
        """Lint a chart strictly, and give what helm says."""
        done = self._run(values, "lint", "--strict", str(CHARTS / chart))
        return done.stdout + done.stderr

    def notes(self, values: Any) -> str:
        """Give what an installation of the operator would tell."""
        chart = str(CHARTS / "chatbot-operator")
        dry = ("--dry-run=client", "--namespace=chatbot-operator")
        done = self._run(values, "install", "chatbot-operator", chart, *dry)
        assert done.returncode == 0, done.stderr
        return done.stdout.partition("\nNOTES:\n")[2]

    def _template(
        self, values: Any, chart: str, *arguments: str
    ) -> subprocess.CompletedProcess[str]:
        home = ("--namespace=chatbot-operator", *arguments)
        return self._run(values, "template", "chatbot-operator", str(CHARTS / chart), *home)

    def _run(self, values: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *arguments, "--values=-"],
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.directory)},
            input=yaml.safe_dump(values),
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """The helm there is; skips where there is none."""
    program = Path(os.environ.get("HELM", HOME))
    if not program.exists():
        pytest.skip(f"there is no helm at $HELM or {HOME}: make helm")
    return Helm(program, tmp_path_factory.mktemp("helm"))
