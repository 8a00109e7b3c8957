"""A whole cluster for the tests of the node, the webhook and the services."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from background import running
from pods import IMAGES, Namespace, Sandbox, until
from sandbox.cluster.cluster import cluster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from sandbox.certificates import Authority


@pytest.fixture(scope="session")
def sandbox(
    binaries: Path,
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
    kubectl_of: Callable[..., Any],
) -> Iterator[Sandbox]:
    """A whole cluster, shared by the session."""

    @contextlib.asynccontextmanager
    async def start() -> AsyncIterator[Sandbox]:
        async with cluster(
            tmp_path_factory.mktemp("cluster"),
            images=IMAGES,
            authority=authority,
            tenant="the-tenant",
            authority_host="https://login.example/",
            extra_env={"EXTRA": "given"},
            report=lambda _: None,
            crash_delay=1.0,
        ) as started:
            yield Sandbox(started, kubectl_of(started.plane), asyncio.get_running_loop())

    with running(start()) as it:
        yield it


@pytest.fixture
def namespace(sandbox: Sandbox) -> Iterator[Namespace]:
    """A namespace whose pods end with the test."""
    it = Namespace(f"test-{uuid.uuid4().hex[:8]}", sandbox)
    sandbox.kubectl("create", "namespace", it.name)
    until(lambda: it.kubectl("get", "serviceaccount", "default", check=False))
    yield it
    sandbox.kubectl("delete", "namespace", it.name, "--wait=false")
    it.kubectl("delete", "pods", "--all", "--grace-period=0", "--force", check=False)
