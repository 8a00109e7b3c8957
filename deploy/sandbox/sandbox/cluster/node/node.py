"""The node itself: its Node object, its Lease, and the pods bound to it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import os
import platform
import shutil
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from sandbox.cluster.addresses import NODE_PORT, Addresses
from sandbox.cluster.api import MERGE, Api, ApiError, Key, Mirror, Object
from sandbox.cluster.background import together
from sandbox.cluster.binaries import VERSION
from sandbox.cluster.https import serving
from sandbox.cluster.node.forwarding import forwarding
from sandbox.cluster.node.logs import logs
from sandbox.cluster.node.pod import Host, Pod
from sandbox.cluster.node.status import stamp
from sandbox.processes import Processes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from sandbox.cluster.control_plane import ControlPlane

NAME = "sandbox"
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
_LEASE_SECONDS = 40
_RENEW_EVERY = 10.0
# Requests are not limits here, so the scheduler is told of more than there is.
_CAPACITY = {"cpu": "256", "memory": "1Ti", "ephemeral-storage": "1Ti", "pods": "500"}
_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def node(
    directory: Path,
    plane: ControlPlane,
    addresses: Addresses,
    *,
    images: Mapping[str, tuple[str, ...]],
    extra_env: Mapping[str, str],
    crash_delay: float = 10.0,
) -> AsyncIterator[None]:
    """Run the node `sandbox`; its pods' processes end with the context.

    `images` maps an image, or its repository without the tag, to a command line; `extra_env` is
    given to every container; `crash_delay` is the first back-off of a crash loop in seconds.

    Raises:
        InUse: another process runs a node in this directory.
    """
    certificate = plane.authority.issue("node", hosts=(addresses.node,))
    async with plane.api("node") as api, Processes(directory) as processes:
        await asyncio.to_thread(shutil.rmtree, directory / "pods", ignore_errors=True)
        bundle = str(plane.authority.bundle)
        trust = {"SSL_CERT_FILE": bundle, "REQUESTS_CA_BUNDLE": bundle}
        mirrors = {
            kind: Mirror(api, f"/api/v1/{kind.lower()}s") for kind in ("configMap", "secret")
        }
        host = Host(
            directory=directory,
            plane=plane,
            api=api,
            processes=processes,
            addresses=addresses,
            images=images,
            environment={"PATH": os.environ.get("PATH", os.defpath), **trust, **extra_env},
            lookup=lambda kind, namespace, name: mirrors[kind].objects.get((namespace, name)),
            delay=crash_delay,
        )
        pods = _Pods(host)
        for mirror in mirrors.values():
            mirror.changed = pods.refresh
        await _register(api, addresses.node)
        asked = web.Application()
        asked.add_routes([*logs(pods.log), *forwarding(pods.address)])
        async with serving(asked, addresses.claim, certificate):
            async with together(
                _renew(api), pods.follow(api), *(each.follow() for each in mirrors.values())
            ):
                yield
            await pods.close()


class _Pods:
    """The pods of this node by uid, each living in a task of its own."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._pods: dict[str, tuple[Pod, asyncio.Task[None]]] = {}
        self._uids: dict[Key, str] = {}

    async def follow(self, api: Api) -> None:
        mine = {"fieldSelector": f"spec.nodeName={NAME}"}
        self._mirror = Mirror(api, "/api/v1/pods", params=mine, changed=self._changed)
        await self._mirror.follow()

    def refresh(self, key: Key) -> None:
        """A ConfigMap or Secret has changed: its namespace's pods look at their volumes."""
        for pod, _ in self._pods.values():
            if pod.manifest["metadata"]["namespace"] == key[0]:
                pod.refresh()

    def log(self, key: Key, container: str, *, previous: bool) -> Path | None:
        """The log file of a container."""
        held = self._pods.get(self._uids.get(key, ""))
        return held[0].log(container, previous=previous) if held else None

    def address(self, key: Key) -> str | None:
        """The address of a pod."""
        held = self._pods.get(self._uids.get(key, ""))
        return held[0].address if held else None

    async def close(self) -> None:
        """Let go of all pods; their processes are ended by their owner."""
        tasks = [task for _, task in self._pods.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _changed(self, key: Key) -> None:
        manifest = self._mirror.objects.get(key)
        uid = manifest["metadata"]["uid"] if manifest else ""
        former = self._uids.get(key, "")
        if former != uid and former in self._pods:
            self._pods[former][0].vanish()
        if manifest is None:
            self._uids.pop(key, None)
            return
        self._uids[key] = uid
        if uid in self._pods:
            self._pods[uid][0].update(manifest)
        elif manifest.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            pod = Pod(manifest, self._host)
            task = asyncio.create_task(pod.live())
            self._pods[uid] = (pod, task)
            task.add_done_callback(lambda done: self._gone(uid, done))
            pod.update(manifest)

    def _gone(self, uid: str, task: asyncio.Task[None]) -> None:
        del self._pods[uid]
        if not task.cancelled() and (error := task.exception()):
            _log.error("pod %s", uid, exc_info=error)


async def _register(api: Api, address: str) -> None:
    now = stamp(dt.datetime.now(dt.UTC))
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    system = platform.system().lower()
    labels = {"hostname": NAME, "os": system, "arch": machine}
    meta = {"name": NAME, "labels": {f"kubernetes.io/{name}": v for name, v in labels.items()}}
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "pods are processes of this machine",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
    info = {"kubeletVersion": VERSION, "containerRuntimeVersion": "process://1"}
    status = {
        "addresses": [
            {"type": "InternalIP", "address": address},
            {"type": "Hostname", "address": NAME},
        ],
        "capacity": _CAPACITY,
        "allocatable": _CAPACITY,
        "conditions": [condition],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": NODE_PORT}},
        "nodeInfo": {**info, "operatingSystem": system, "architecture": machine},
    }
    await _create(api, "/api/v1/nodes", {"kind": "Node", "apiVersion": "v1", "metadata": meta})
    await api.patch(f"/api/v1/nodes/{NAME}/status", {"status": status}, kind=MERGE)


async def _renew(api: Api) -> None:
    while True:
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {
            "holderIdentity": NAME,
            "leaseDurationSeconds": _LEASE_SECONDS,
            "renewTime": now,
        }
        meta = {"name": NAME, "namespace": "kube-node-lease"}
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta}
        try:
            await _create(api, _LEASES, {**lease, "spec": spec})
            await api.patch(f"{_LEASES}/{NAME}", {"spec": spec})
        except (aiohttp.ClientError, TimeoutError, ApiError) as problem:
            _log.warning("lease: %s", problem)
        await asyncio.sleep(_RENEW_EVERY)


async def _create(api: Api, path: str, body: Object) -> None:
    try:
        await api.post(path, body)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
