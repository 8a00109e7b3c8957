"""A whole cluster on this machine: control plane, webhook, node of processes, services."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.cluster.addresses import Addresses
from sandbox.cluster.binaries import find_or_build
from sandbox.cluster.control_plane import ControlPlane, control_plane
from sandbox.cluster.node.node import node
from sandbox.cluster.services import Services
from sandbox.cluster.webhook import Settings, webhook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from sandbox.certificates import Authority


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster with one node, `sandbox`."""

    plane: ControlPlane
    services: Services

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.plane.kubeconfig


@contextlib.asynccontextmanager
async def cluster(
    directory: Path,
    *,
    images: Mapping[str, tuple[str, ...]],
    authority: Authority,
    tenant: str,
    authority_host: str,
    extra_env: Mapping[str, str],
    report: Callable[[str], None],
    crash_delay: float = 10.0,
) -> AsyncIterator[Cluster]:
    """Run a new cluster in `directory`; it ends with the context, all its processes with it.

    `images`, `extra_env` and `crash_delay` are the node's; `tenant` and `authority_host` the
    webhook's. `report` hears what is going on.

    Raises:
        BinariesError: the control plane's programs could not be built.
        ProcessError: a component did not start.
        InUseError: another process runs a cluster in this directory.
    """
    binaries = await find_or_build(report)
    async with contextlib.AsyncExitStack() as stack:
        enter = stack.enter_async_context
        report("starting etcd, API server, controllers and scheduler")
        plane = await enter(control_plane(directory / "control-plane", binaries, authority))
        settings = Settings(tenant, authority_host)
        await enter(webhook(await enter(plane.api("webhook")), authority, settings))
        addresses = stack.enter_context(contextlib.closing(Addresses()))
        services = await enter(Services(await enter(plane.api("node")), addresses))
        await enter(
            node(
                directory / "node",
                plane,
                addresses,
                images=images,
                extra_env=extra_env,
                crash_delay=crash_delay,
            )
        )
        report(f"the cluster is up: export KUBECONFIG={plane.kubeconfig}")
        yield Cluster(plane, services)
