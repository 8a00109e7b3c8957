"""Fixtures shared by all tests: a real control plane, started once when a test asks for it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from background import running
from sandbox.certificates import Authority, create_authority
from sandbox.cluster.binaries import find, find_or_build
from sandbox.cluster.control_plane import ControlPlane
from sandbox.cluster.control_plane import control_plane as start_control_plane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Kubectl(Protocol):
    """Runs kubectl; a body is its standard input (`apply -f -`), the result its output."""

    def __call__(self, *arguments: str, body: Any = None, check: bool = True) -> str: ...


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the control plane before the first test: in a fixture the build would time out."""
    wanted = any("binaries" in getattr(item, "fixturenames", ()) for item in session.items)
    if not wanted or session.config.option.collectonly or find():
        return
    capture = session.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        asyncio.run(find_or_build(lambda line: print(line, flush=True)))  # noqa: T201


@pytest.fixture(scope="session")
def binaries() -> Path:
    """The directory with etcd, kube-apiserver, kubectl …"""
    return asyncio.run(find_or_build(lambda _: None))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The certificate authority of this test session."""
    return create_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def control_plane(
    binaries: Path, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    """A running control plane without nodes, shared by the whole session."""
    directory = tmp_path_factory.mktemp("control-plane")
    with running(start_control_plane(directory, binaries, authority)) as plane:
        yield plane


@pytest.fixture(scope="session")
def kubectl(control_plane: ControlPlane) -> Kubectl:
    """Runs kubectl as the administrator of the session's control plane."""
    return kubectl_as_administrator(control_plane)


@pytest.fixture(scope="session")
def kubectl_of() -> Callable[[ControlPlane], Kubectl]:
    """Makes a `kubectl` for a control plane of one's own."""
    return kubectl_as_administrator


def kubectl_as_administrator(plane: ControlPlane) -> Kubectl:
    """Runs kubectl as the administrator of a control plane."""

    def run(*arguments: str, body: Any = None, check: bool = True) -> str:
        done = subprocess.run(
            [plane.binaries / "kubectl", "--kubeconfig", plane.kubeconfig, *arguments],
            input=None if body is None else json.dumps(body),
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    return run
