"""`kubectl chatbot` from the wheel alone, as pip and pipx install it, and what came with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from chatbot_operator.cli.doctor import shipped

ROOT = Path(__file__).parents[2]


def run(*command, **more):
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, cwd=ROOT, **more
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel with its extra `cli` in an environment of its own.

    Packages come from uv's cache, where those of the lock are after `uv sync`: no network.
    """
    uv = os.environ.get("UV") or shutil.which("uv") or ROOT / ".tools/uv/bin/uv"
    if not Path(uv).exists():
        pytest.skip("there is no uv")
    place = tmp_path_factory.mktemp("wheel")
    run(uv, "build", "--offline", "--wheel", "--out-dir", place, ROOT)
    (wheel,) = place.glob("*.whl")
    locked = place / "pylock.toml"
    which = ("--no-default-groups", "--extra", "cli", "--no-emit-project")
    run(uv, "export", "--frozen", "--offline", *which, "--format", "pylock.toml", "-o", locked)
    venv = place / "venv"
    run(uv, "venv", venv)
    install = (uv, "pip", "install", "--offline", "--python", venv)
    run(*install, "-r", locked)
    run(*install, f"chatbot-operator[cli] @ {wheel.as_uri()}")
    return venv / "bin"


def test_the_plugin_runs_from_the_wheel_with_its_extra_alone(installed, tmp_path):
    clean = {"PATH": str(installed), "HOME": str(tmp_path)}
    assert "doctor" in run(installed / "kubectl-chatbot", "--help", env=clean)
    done = subprocess.run(
        [installed / "kubectl-chatbot", "doctor", "--kubeconfig", tmp_path / "none"],
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "There is no kubeconfig" in done.stderr


def test_what_clusters_are_compared_with_is_in_the_wheel(installed):
    listing = (
        "from chatbot_operator.cli.doctor import shipped as s\n"
        "files = [f for d in (s.CRDS, s.BASE, s.NAMESPACED) for f in d.rglob('*.yaml')]\n"
        "for f in (*files, s.CONDITION): print(f)\n"
        "assert s.definitions() and s.cluster_rules() and s.own_rules()\n"
        "assert s.narrow_cluster_rules() and s.team_rules()\n"
    )
    found = [Path(line) for line in run(installed / "python", "-c", listing).splitlines()]
    ours = [f for d in (shipped.CRDS, shipped.BASE, shipped.NAMESPACED) for f in d.rglob("*.yaml")]
    assert {f.name: f.read_bytes() for f in found} == {
        f.name: f.read_bytes() for f in (*ours, shipped.CONDITION)
    }
    assert all(installed.parent in f.parents for f in found), "not those of the checkout"
    assert {f.name for f in found} >= {"azureopenaichatbots.yaml", "one-role.condition"}
