"""Ports of pods through the API server, by the way that `kubectl chatbot` takes."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import uuid

import pytest
from chatbot_operator.cli.talk import forward
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.kube import connection
from chatbot_operator.kube.pod_streams import PodStreams, PodUnreachable
from pods import Namespace, until, web

ECHO = """
import os, socket, threading
listener = socket.create_server((os.environ["HOST"], 8080))
def serve(one):
    with one:
        while data := one.recv(65536):
            one.sendall(data)
        one.sendall(b"|the end")
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


def echoing(name):
    """A pod that sends back what it is sent, and a last word once no more comes."""
    probe = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    container = {"command": ["python3", "-c", ECHO], "readinessProbe": probe}
    return web(name, container=container, terminationGracePeriodSeconds=1)


@pytest.fixture(scope="module")
def echo(sandbox):
    """A namespace with a pod `echo`, for all of these tests."""
    it = Namespace(f"test-{uuid.uuid4().hex[:8]}", sandbox)
    sandbox.kubectl("create", "namespace", it.name)
    until(lambda: it.kubectl("get", "serviceaccount", "default", check=False))
    it.apply(echoing("echo"))
    it.ready("echo")
    yield it
    sandbox.kubectl("delete", "namespace", it.name, "--wait=false")


@pytest.fixture
async def streams(sandbox):
    configuration = (
        await connection.of_person(str(sandbox.cluster.plane.kubeconfig))
    ).configuration
    async with PodStreams(configuration) as streams:
        yield streams


async def sent_back(port, data):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send():
        writer.write(data)
        await writer.drain()

    sending = asyncio.create_task(send())
    back = await reader.readexactly(len(data))
    await sending
    writer.close()
    await writer.wait_closed()
    return back


async def test_large_bodies_and_many_connections_at_once_come_whole(echo, streams):
    troubles = []
    connect = lambda: streams.connected(echo.name, "echo", 8080)  # noqa: E731
    async with forward.listening(connect, troubles.append) as port:
        bodies = [hashlib.sha256(bytes([n])).digest() * 2**15 for n in range(20)]
        backs = await asyncio.gather(*(sent_back(port, body) for body in bodies))
    assert backs == bodies
    assert troubles == []


async def test_whoever_has_said_its_last_still_gets_the_rest(echo, streams, monkeypatch):
    monkeypatch.setattr(forward, "QUIET_SECONDS", 0.5)
    connect = lambda: streams.connected(echo.name, "echo", 8080)  # noqa: E731
    async with forward.listening(connect, lambda _: None) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"a" * 10**6)
        writer.write_eof()
        assert await reader.read(-1) == b"a" * 10**6
        writer.close()


async def test_a_pod_that_dies_ends_its_connections_and_one_that_is_gone_is_named(echo, streams):
    troubles = []
    echo.apply(echoing("dying"))
    echo.ready("dying")
    connect = lambda: streams.connected(echo.name, "dying", 8080)  # noqa: E731
    async with forward.listening(connect, troubles.append) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        deleting = asyncio.to_thread(echo.kubectl, "delete", "pod", "dying", "--timeout=60s")
        task = asyncio.create_task(deleting)
        assert await asyncio.wait_for(reader.read(-1), 20) in (b"", b"|the end")
        writer.close()
        await task
        assert troubles == []
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read(-1) == b""
        writer.close()
    assert 'pods "dying" not found' in troubles[0]


async def test_a_port_on_which_nobody_listens_is_said_by_the_kubelet(echo, streams):
    async with streams.connected(echo.name, "echo", 9) as pod:
        with pytest.raises(PodUnreachable, match="error forwarding port 9 to pod echo"):
            await pod.read()


async def test_it_takes_the_right_to_forward_ports(echo, streams, sandbox):
    echo.kubectl("create", "serviceaccount", "nobody")
    token = echo.kubectl("create", "token", "nobody").strip()
    plane = sandbox.cluster.plane
    configuration = (await connection.of_person(str(plane.kubeconfig))).configuration
    configuration.api_key = {"BearerToken": f"Bearer {token}"}
    async with PodStreams(configuration) as others:
        with pytest.raises(KubernetesRefusal, match="pods/portforward") as refused:
            async with others.connected(echo.name, "echo", 8080):
                pass
        assert refused.value.status == 403
        with pytest.raises(KubernetesRefusal, match="pods/log") as refused:
            await anext(others.log(echo.name, "echo", {}))
        assert refused.value.status == 403


async def test_leaving_ends_the_connection_in_the_pod(echo, streams):
    """The pod sees the end of what it is sent: an answer is not made for nobody."""
    async with streams.connected(echo.name, "echo", 8080) as pod:
        await pod.write(b"x")
        assert await pod.read() == b"x"
    address = echo.pod("echo")["status"]["podIP"]
    for _ in range(50):
        if not _connections(address):
            break
        await asyncio.sleep(0.1)
    assert not _connections(address)


def _connections(address):
    """Established connections to an address, port 8080, by /proc/net/tcp."""
    wanted = f"{int.from_bytes(socket.inet_aton(address), 'little'):08X}:1F90"
    with open("/proc/net/tcp") as table:  # noqa: PTH123
        rows = [line.split() for line in table][1:]
    return [row for row in rows if row[1] == wanted and row[3] == "01"]
