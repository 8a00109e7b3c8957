"""Streams to pods through the API server, which asks their kubelet: logs, and connections.

Neither needs a way to the pods' network or a program beside this one. A person needs `get` of
`pods/log`, and of `pods/portforward` both `get` and (from 1.35 on) `create`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final, Self
from urllib.parse import quote, urlencode

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration

from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.kube.answers import answer

OPEN_SECONDS = 15.0
"""For an answer to begin."""

CHANNELS: Final = "v4.channel.k8s.io"
"""The subprotocol of every kubelet: each message begins with the number of its channel
(https://github.com/kubernetes/cri-streaming/blob/master/pkg/streaming/portforward/websocket.go)."""
_DATA, _ERROR = 0, 1
_PORT_BYTES = 2
"""Each channel begins with the port that it belongs to."""
_WORDS_LIMIT = 2048

_CLOSING = aiohttp.ClientWSTimeout(ws_close=2.0)
_STREAM = aiohttp.ClientTimeout(total=None, sock_connect=OPEN_SECONDS)


class PodUnreachable(Exception):  # noqa: N818 - what the kubelet said
    """A pod's port cannot be reached (any more); the message is the kubelet's."""


class Connection:
    """A connection to a port of a pod.

    It ends as a whole: with this subprotocol nobody can tell the pod that no more will be sent.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._named: set[int] = set()

    async def read(self) -> bytes:
        """Read what the pod sent next; empty once it has ended. Raises PodUnreachable."""
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
                continue
            channel, data = message.data[0], message.data[1:]
            if channel not in self._named:
                self._named.add(channel)
                data = data[_PORT_BYTES:]
            if channel == _ERROR and data:
                raise PodUnreachable(data[:_WORDS_LIMIT].decode(errors="replace"))
            if channel == _DATA and data:
                return bytes(data)
        if self._socket.exception():
            raise PodUnreachable("the connection to the API server was cut off")
        return b""

    async def write(self, data: bytes) -> None:
        """Send the pod something, no faster than it is taken. Raises PodUnreachable."""
        try:
            await self._socket.send_bytes(bytes((_DATA,)) + data)
        except (aiohttp.ClientError, OSError) as error:
            raise PodUnreachable("the connection has ended") from error


class PodStreams:
    """Logs and ports of a cluster's pods; an asynchronous context manager.

    Its calls raise KubernetesRefusal.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._client = ApiClient(configuration)
        self._configuration = configuration
        self._host = configuration.host.rstrip("/")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._client.close()

    async def log(
        self, namespace: str, pod: str, asked: Mapping[str, str]
    ) -> AsyncGenerator[bytes, None]:
        """Give the log of a pod's container, line by line; `asked` are PodLogOptions.

        https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
        """
        async with self._asked(_path(namespace, pod, "log"), asked) as response:
            rest = b""
            try:
                async for piece in response.content.iter_any():
                    *lines, rest = (rest + piece).split(b"\n")
                    for line in lines:
                        yield line
            except (aiohttp.ClientError, OSError) as error:
                raise KubernetesRefusal("log", 0, type(error).__name__, "") from error
            if rest:
                yield rest

    @asynccontextmanager
    async def connected(self, namespace: str, pod: str, port: int) -> AsyncIterator[Connection]:
        """Connect to a port of a pod; a port that nobody listens on shows at the first read."""
        path = _path(namespace, pod, "portforward")
        query = {"ports": str(port)}
        session, how = await self._way(path)
        url = f"{self._host}{path}?{urlencode(query)}"
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                socket = await session.ws_connect(
                    url, protocols=(CHANNELS,), timeout=_CLOSING, **how
                )
        except aiohttp.WSServerHandshakeError as error:
            raise await self._in_words(path, query, error) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise KubernetesRefusal(f"GET {path}", 0, type(error).__name__, "") from error
        try:
            yield Connection(socket)
        finally:
            await socket.close()

    @asynccontextmanager
    async def _asked(
        self, path: str, query: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        session, how = await self._way(path)
        url = f"{self._host}{path}?{urlencode(query)}"
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                response = await session.get(url, timeout=_STREAM, **how)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise KubernetesRefusal(f"GET {path}", 0, type(error).__name__, "") from error
        async with response:
            if response.status >= HTTPStatus.BAD_REQUEST:
                answer(f"GET {path}", response.status, await response.read())
            yield response

    async def _in_words(
        self, path: str, query: Mapping[str, str], error: aiohttp.WSServerHandshakeError
    ) -> KubernetesRefusal:
        """Ask without an upgrade: what a refused one was answered with is not to be had."""
        try:
            async with self._asked(path, query):
                pass
        except KubernetesRefusal as refusal:
            if refusal.status == error.status:
                return refusal
        return KubernetesRefusal(f"GET {path}", error.status, "", error.message)

    async def _way(self, path: str) -> tuple[aiohttp.ClientSession, dict[str, Any]]:
        """Give the client's own session, and how its requests go."""
        rest, configuration = self._client.rest_client, self._configuration
        if rest.pool_manager is None:
            # As kubernetes.aio's own WebSocket client does: the session opens with a first request.
            rest.pool_manager = rest._create_pool_manager()  # noqa: SLF001
        headers: dict[str, str] = {}
        await self._client.update_params_for_auth(headers, [], ["BearerToken"], path, "GET", None)
        how = {
            "headers": headers,
            "server_hostname": configuration.tls_server_name,
            "proxy": rest.proxy,
            "proxy_headers": rest.proxy_headers,
        }
        return rest.pool_manager, {name: value for name, value in how.items() if value}


def _path(namespace: str, pod: str, what: str) -> str:
    return f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(pod, safe='')}/{what}"
