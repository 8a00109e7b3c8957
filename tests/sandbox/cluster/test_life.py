"""A node comes and goes; what it started goes with it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pods import IMAGES, until, web
from sandbox.cluster.addresses import NODE_PORT, Addresses
from sandbox.cluster.cluster import cluster
from sandbox.cluster.control_plane import control_plane
from sandbox.cluster.node.node import node
from sandbox.processes import InUseError, Processes, birth, end, free_port

HOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"


def pids(directory):
    register = json.loads((directory / "processes.json").read_text())
    return [each["pid"] for each in register["processes"]]


async def test_a_node_that_ends_leaves_nothing_and_its_successor_takes_the_pods_up_again(
    tmp_path, binaries, authority, kubectl_of
):
    here = tmp_path / "node"
    async with control_plane(tmp_path / "plane", binaries, authority) as plane:
        kubectl = kubectl_of(plane)
        kubectl("apply", "-f", "-", body=web("a"))
        for _ in range(2):
            addresses = Addresses()
            async with node(here, plane, addresses, images=IMAGES, extra_env={}):
                await ready(plane, addresses)
                started = pids(here)
                assert started

            assert not any(birth(pid) for pid in started)
            assert not (here / "processes.json").exists()
            with socket.socket() as free:
                free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                free.bind((addresses.node, NODE_PORT))


OWNER_OF_A_CLUSTER = """
import asyncio, pathlib, sys
from pods import IMAGES
from sandbox.certificates import create_authority
from sandbox.cluster.cluster import cluster
async def main():
    here = pathlib.Path(sys.argv[1])
    async with cluster(here, images=IMAGES, authority=create_authority(here / "authority"),
                       tenant="t", authority_host="https://t/", extra_env={}, report=lambda _: 0):
        print("up", flush=True)
        await asyncio.sleep(1000)
asyncio.run(main())
"""


async def test_what_a_killed_cluster_leaves_can_be_ended(tmp_path, binaries):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    argv = [sys.executable, "-c", OWNER_OF_A_CLUSTER, tmp_path]
    with subprocess.Popen(argv, stdout=-1, env=environment) as owner:
        assert owner.stdout.readline() == b"up\n"
        started = pids(tmp_path / "control-plane")
        owner.kill()
    assert all(birth(pid) for pid in started)

    ended = await end(tmp_path)

    assert ended == ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]
    until(lambda: not any(birth(pid) for pid in started))


async def test_a_cluster_that_ends_frees_its_ports(tmp_path, binaries, authority):
    async with cluster(
        tmp_path,
        images={},
        authority=authority,
        tenant="t",
        authority_host="https://t/",
        extra_env={},
        report=lambda _: None,
    ) as started:
        port = free_port()
        await started.services.forward("127.0.0.1", port, "default", "web")
        async with started.plane.api() as api:
            hooks = await api.get(HOOKS)
        hook = hooks["items"][0]["webhooks"][0]["clientConfig"]["url"]
        ports = [port, *(urlsplit(url).port for url in (hook, started.plane.server))]
        assert all(listens(each) for each in ports)

    assert not any(listens(each) for each in ports)


def listens(port):
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


async def ready(plane, addresses):
    """Wait until pod "a" is ready on this node."""
    async with plane.api() as api:
        for _ in range(600):
            status = (await api.get("/api/v1/namespaces/default/pods/a"))["status"]
            conditions = {c["type"]: c["status"] for c in status.get("conditions", [])}
            if status.get("hostIP") == addresses.node and conditions["Ready"] == "True":
                return
            await asyncio.sleep(0.1)
    raise AssertionError("never ready")


def test_two_sandboxes_have_different_addresses():
    one, other = Addresses(), Addresses()

    assert one.node != other.node
    assert one.for_pod().rpartition(".")[0].startswith(one.node.removesuffix(".0.1"))
    assert one.for_pod() != one.for_pod() != one.for_service()
    one.close()
    other.close()


OWNER = """
import asyncio, pathlib, sys
from sandbox.processes import Processes
async def main():
    async with Processes(pathlib.Path(sys.argv[1])):
        print("claimed", flush=True)
        await asyncio.sleep(1000)
asyncio.run(main())
"""


async def test_a_directory_has_one_owner_at_a_time(tmp_path):
    with subprocess.Popen([sys.executable, "-c", OWNER, tmp_path], stdout=-1) as owner:
        owner.stdout.readline()
        with pytest.raises(InUseError, match=str(owner.pid)):
            async with Processes(tmp_path):
                pass
        owner.kill()
    async with Processes(tmp_path):
        pass


async def test_a_process_takes_its_group_with_it(tmp_path):
    script = "sleep 1000 & echo $!; wait"
    async with Processes(tmp_path) as processes:
        process = await processes.start("shell", ["sh", "-c", script], log=tmp_path / "log")
        until((tmp_path / "log").read_text)
        child = int((tmp_path / "log").read_text())
        assert birth(child)

        await process.stop(grace=5)

        until(lambda: birth(child) is None)
