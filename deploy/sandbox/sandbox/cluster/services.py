"""What kube-proxy does, on loopback: a Service is an address of its own that leads to ready pods.

EndpointSlices refuse loopback addresses, so the pods are found by the Service's selector.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Self

from sandbox.cluster.api import Api, Key, Mirror, Object
from sandbox.cluster.background import together
from sandbox.cluster.node.probes import port_of

if TYPE_CHECKING:
    from types import TracebackType

    from sandbox.cluster.addresses import Addresses

_CHUNK = 2**16
_log = logging.getLogger(__name__)


class Services:
    """The Services of a cluster: each port of each listens while the context is open."""

    def __init__(self, api: Api, addresses: Addresses) -> None:
        self._addresses = addresses
        self._pods = Mirror(api, "/api/v1/pods")
        self._services = Mirror(api, "/api/v1/services", changed=self._changed)
        self._taken: dict[Key, str] = {}
        self._listening: dict[tuple[Key, int], asyncio.Server] = {}
        self._forwards: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._turn = 0
        self._wake = asyncio.Event()
        self._opened = asyncio.Condition()
        self._following = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start to follow the API server."""
        work = together(self._pods.follow(), self._services.follow(), self._keep())
        await self._following.enter_async_context(work)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._following.aclose()
        for server in (*self._listening.values(), *self._forwards):
            server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def address_of(self, namespace: str, name: str) -> str:
        """The URL of a Service's first port; waits until there is such a Service."""

        def found() -> list[asyncio.Server]:
            return [each for (key, _), each in self._listening.items() if key == (namespace, name)]

        async with self._opened:
            await self._opened.wait_for(found)
        host, port = found()[0].sockets[0].getsockname()
        return f"http://{host}:{port}"

    def addresses(self) -> dict[Key, str]:
        """The URL of each Service's first port, by namespace and name."""
        found: dict[Key, str] = {}
        for (key, _), server in sorted(self._listening.items()):
            host, port = server.sockets[0].getsockname()
            found.setdefault(key, f"http://{host}:{port}")
        return found

    async def forward(self, host: str, port: int, namespace: str, name: str) -> None:
        """Also lead `host`:`port` to a Service's first port, whether or not it exists yet.

        Raises:
            OSError: the port is in use.
        """
        server = await self._listen(host, port, (namespace, name), None)
        self._forwards.append(server)

    def _changed(self, _: Key) -> None:
        self._wake.set()

    async def _keep(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            wanted = {
                (key, port["port"])
                for key, service in self._services.objects.items()
                if service["spec"].get("selector")
                for port in service["spec"].get("ports") or []
                if port.get("protocol", "TCP") == "TCP"
            }
            for gone in self._listening.keys() - wanted:
                self._listening.pop(gone).close()
            for key in self._taken.keys() - {key for key, _ in wanted}:
                self._addresses.release(self._taken.pop(key))
            for key, port in sorted(wanted - self._listening.keys()):
                await self._open(key, port)
            async with self._opened:
                self._opened.notify_all()

    async def _open(self, key: Key, port: int) -> None:
        if key not in self._taken:
            self._taken[key] = self._addresses.for_service()
        try:
            server = await self._listen(self._taken[key], port, key, port)
        except PermissionError:  # ports below 1024 may need rights that we do not have
            server = await self._listen(self._taken[key], 0, key, port)
        except OSError as problem:
            _log.warning("service %s: %s", "/".join(key), problem)
            return
        self._listening[key, port] = server

    async def _listen(self, host: str, port: int, key: Key, target: int | None) -> asyncio.Server:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._connect(key, target, reader, writer))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

        return await asyncio.start_server(accept, host, port)

    async def _connect(
        self,
        key: Key,
        port: int | None,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        async with contextlib.AsyncExitStack() as open_ends:
            open_ends.push_async_callback(_close, writer)
            for host, target in self._endpoints(key, port):
                try:
                    there, back = await asyncio.open_connection(host, target)
                except OSError:
                    continue
                open_ends.push_async_callback(_close, back)
                await asyncio.gather(_pump(reader, back), _pump(there, writer))
                return

    def _endpoints(self, key: Key, port: int | None) -> list[tuple[str, int]]:
        """Where a connection may go, the next one in turn first."""
        service = self._services.objects.get(key)
        if service is None:
            return []
        pods = [pod for pod in self._pods.objects.values() if serves(pod, service)]
        endpoints = [
            (pod["status"]["podIP"], target_port(pod, service, port))
            for pod in sorted(pods, key=lambda pod: pod["metadata"]["name"])
        ]
        self._turn += 1
        first = self._turn % len(endpoints) if endpoints else 0
        return endpoints[first:] + endpoints[:first]


def serves(pod: Object, service: Object) -> bool:
    """Whether a Service leads to this pod: selected, ready, not being deleted."""
    selector = service["spec"].get("selector") or {}
    labels = pod["metadata"].get("labels") or {}
    conditions = pod.get("status", {}).get("conditions") or []
    return (
        bool(selector)
        and pod["metadata"]["namespace"] == service["metadata"]["namespace"]
        and selector.items() <= labels.items()
        and "deletionTimestamp" not in pod["metadata"]
        and any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    )


def target_port(pod: Object, service: Object, port: int | None) -> int:
    """The pod's port behind a Service's port; None is the Service's first."""
    ports = service["spec"]["ports"]
    found = next((each for each in ports if each["port"] == port), ports[0])
    everything = [p for each in pod["spec"]["containers"] for p in each.get("ports") or []]
    return port_of({"ports": everything}, found.get("targetPort", found["port"]))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
