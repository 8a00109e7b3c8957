"""The life of one pod on this node, from its binding to its deletion."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import logging
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from sandbox.cluster.api import STRATEGIC, Api, ApiError, Object, key_of
from sandbox.cluster.control_plane import ControlPlane, kubeconfig
from sandbox.cluster.node.container import Container
from sandbox.cluster.node.launching import Surroundings, UnlaunchableError, launch
from sandbox.cluster.node.status import pod_status
from sandbox.cluster.node.volumes import Volumes, access

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sandbox.cluster.addresses import Addresses
    from sandbox.processes import Processes

_RETRY = 1.0
_TOKEN_CHECK = 20.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Host:
    """What the node gives to its pods; `delay` is the first crash back-off in seconds."""

    directory: Path
    plane: ControlPlane
    api: Api
    processes: Processes
    addresses: Addresses
    images: Mapping[str, tuple[str, ...]]
    environment: Mapping[str, str]
    lookup: Callable[[str, str, str], Object | None]
    delay: float


class Pod:
    """A pod bound to this node."""

    def __init__(self, manifest: Object, host: Host) -> None:
        self.manifest = manifest
        self.uid: str = manifest["metadata"]["uid"]
        self._host = host
        self.address = host.addresses.for_pod()
        self._volumes = Volumes(host.api, time.monotonic)
        self._stale = asyncio.Event()
        self._dirty = asyncio.Event()
        self._ending = asyncio.Event()
        self._grace = 0.0
        self._deleted = False
        self._over = False
        spec = manifest["spec"]
        once = "Never" if spec["restartPolicy"] == "Never" else "OnFailure"
        self._init = [self._container(each, once) for each in spec.get("initContainers") or []]
        self._containers = [
            self._container(each, spec["restartPolicy"]) for each in spec["containers"]
        ]

    def log(self, container: str, *, previous: bool) -> Path | None:
        """The log file of one of its containers."""
        for each in (*self._init, *self._containers):
            if each.spec["name"] == container:
                return each.log(previous=previous)
        return None

    def update(self, manifest: Object) -> None:
        """Take the pod as it is now; a deletion timestamp ends it."""
        self.manifest = manifest
        self._stale.set()
        if "deletionTimestamp" in manifest["metadata"]:
            self._grace = float(manifest["metadata"].get("deletionGracePeriodSeconds", 0))
            self._ending.set()

    def vanish(self) -> None:
        """The pod is gone from the API server: end its processes at once."""
        self._deleted = True
        self._grace = 0.0
        self._ending.set()

    def refresh(self) -> None:
        """Something that its volumes may show has changed."""
        self._stale.set()

    async def live(self) -> None:
        """Run it until it is deleted, and then delete it."""
        tasks = [asyncio.create_task(self._work()), asyncio.create_task(self._publish())]
        try:
            await self._ending.wait()
            stopping = [each.stop(self._grace) for each in (*self._init, *self._containers)]
            await asyncio.gather(*stopping)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._host.addresses.release(self.address)
        await self._delete()
        await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)

    async def _work(self) -> None:
        try:
            await self._mount()
            async with asyncio.TaskGroup() as group:
                keeper = group.create_task(self._keep_volumes())
                if await self._initialise():
                    await asyncio.gather(*(each.run() for each in self._containers))
                keeper.cancel()
            self._over = True
            self._dirty.set()
        except Exception:
            _log.exception("pod %s", "/".join(key_of(self.manifest)))
            raise

    async def _initialise(self) -> bool:
        for each in self._init:
            if await each.run():
                return False
        return True

    async def _mount(self) -> None:
        around = self._around()
        await asyncio.to_thread(self._directory.mkdir, parents=True, exist_ok=True, mode=0o700)
        while not await self._sync():
            await self._stir(_RETRY)
        if token := access(self.manifest, around):
            namespace, name = key_of(self.manifest)
            config = kubeconfig(
                self._host.plane.server,
                self._host.plane.authority,
                user=name,
                credential={"tokenFile": str(token / "token")},
                namespace=namespace,
            )
            around.kubeconfig.write_text(json.dumps(config, indent=1))

    async def _keep_volumes(self) -> None:
        while True:
            await self._stir(_TOKEN_CHECK)
            if not await self._sync():
                await asyncio.sleep(_RETRY)

    async def _stir(self, seconds: float) -> None:
        """Wait until the volumes may be stale, or for some seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stale.wait()

    async def _sync(self) -> bool:
        self._stale.clear()
        try:
            await self._volumes.sync(self._around())
        except (UnlaunchableError, ApiError, aiohttp.ClientError, TimeoutError) as problem:
            for each in (*self._init, *self._containers):
                each.hold(str(problem))
            return False
        return True

    async def _publish(self) -> None:
        self._dirty.set()
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            try:
                await self._patch()
            except (aiohttp.ClientError, TimeoutError, ApiError) as problem:
                _log.warning("status of %s: %s", "/".join(key_of(self.manifest)), problem)
                await asyncio.sleep(_RETRY)
                self._dirty.set()

    async def _patch(self) -> None:
        status = pod_status(
            self.manifest,
            address=self.address,
            node_address=self._host.addresses.node,
            init=[each.status for each in self._init],
            containers=[each.status for each in self._containers],
            over=self._over,
            now=dt.datetime.now(dt.UTC),
        )
        body = {"metadata": {"uid": self.uid}, "status": status}
        self.manifest = await self._host.api.patch(f"{self._path}/status", body, kind=STRATEGIC)

    async def _delete(self) -> None:
        self._over = True
        while not self._deleted:
            try:
                await self._patch()
                gone = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}}
                await self._host.api.delete(self._path, gone)
            except ApiError as error:
                _log.debug("deletion of %s: %s", self._path, error)
                return
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(_RETRY)
            else:
                return

    @property
    def _path(self) -> str:
        namespace, name = key_of(self.manifest)
        return f"/api/v1/namespaces/{namespace}/pods/{name}"

    @property
    def _directory(self) -> Path:
        return self._host.directory / "pods" / self.uid

    def _around(self) -> Surroundings:
        return Surroundings(
            pod=self.manifest,
            address=self.address,
            node_address=self._host.addresses.node,
            directory=self._directory,
            images=self._host.images,
            environment=self._host.environment,
            lookup=self._host.lookup,
        )

    def _container(self, spec: Object, restart: str) -> Container:
        namespace, name = key_of(self.manifest)
        return Container(
            spec,
            pod=f"{name}_{namespace}({self.uid})",
            address=self.address,
            restart=restart,
            waiting="PodInitializing"
            if self.manifest["spec"].get("initContainers")
            else "ContainerCreating",
            grace=float(self.manifest["spec"].get("terminationGracePeriodSeconds", 30)),
            delay=self._host.delay,
            launch=lambda each: launch(self._around(), each),
            processes=self._host.processes,
            logs=self._directory / "logs" / spec["name"],
            changed=self._dirty.set,
        )
