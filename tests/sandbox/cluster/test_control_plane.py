from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import jwt
import pytest
from sandbox.cluster.control_plane import control_plane as start
from sandbox.processes import ProcessError, birth, end


def test_a_service_account_token_verifies_through_anonymous_oidc_discovery(
    control_plane, authority, kubectl
):
    trust = ssl.create_default_context(cafile=authority.certificate)
    token = kubectl("create", "token", "default", "--audience", "api://AzureADTokenExchange")

    with urllib.request.urlopen(  # noqa: S310
        f"{control_plane.issuer}.well-known/openid-configuration", context=trust
    ) as answer:
        discovered = json.load(answer)
    keys = jwt.PyJWKClient(discovered["jwks_uri"], ssl_context=trust)
    claims = jwt.decode(
        token.strip(),
        keys.get_signing_key_from_jwt(token.strip()).key,
        algorithms=["RS256"],
        audience="api://AzureADTokenExchange",
        issuer=control_plane.issuer,
    )

    assert discovered["issuer"] == control_plane.issuer
    assert control_plane.issuer.endswith("/")
    assert claims["sub"] == "system:serviceaccount:default:default"


def test_the_components_report_the_version_they_were_built_from(kubectl):
    versions = json.loads(kubectl("version", "--output=json"))

    assert versions["serverVersion"]["gitVersion"] == "v1.36.3"
    assert versions["clientVersion"]["gitVersion"] == "v1.36.3"


def test_the_audit_log_tells_who_did_what(control_plane, kubectl):
    kubectl("create", "configmap", "audited")

    events = [json.loads(line) for line in control_plane.audit_log.read_text().splitlines()]

    assert any(
        event["user"]["username"] == "admin"
        and event["verb"] == "create"
        and event["objectRef"]["resource"] == "configmaps"
        and event["objectRef"]["name"] == "audited"
        for event in events
        if "objectRef" in event
    )


def test_access_is_by_rbac(kubectl):
    kubectl("create", "namespace", "rbac")
    allowed = kubectl(
        "auth", "can-i", "list", "pods", "--as", "system:serviceaccount:rbac:default", check=False
    )

    assert allowed.strip() == "no"


async def test_leaving_ends_every_process_and_frees_the_port(tmp_path, binaries, authority):
    async with start(tmp_path, binaries, authority) as plane:
        register = json.loads((tmp_path / "processes.json").read_text())
        port = int(plane.server.rpartition(":")[2])

    assert [each["name"] for each in register["processes"]] == [
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
    ]
    assert not any(birth(each["pid"]) for each in register["processes"])
    assert not (tmp_path / "processes.json").exists()
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))


async def test_a_failed_start_leaves_no_process_and_tells_why(tmp_path, binaries, authority):
    broken = tmp_path / "binaries"
    broken.mkdir()
    (broken / "etcd").symlink_to(binaries / "etcd")
    (broken / "kube-apiserver").write_text("#!/bin/sh\necho no such flag\nexit 3\n")
    (broken / "kube-apiserver").chmod(0o755)

    with pytest.raises(ProcessError, match="kube-apiserver ended with 3\nno such flag"):
        async with start(tmp_path / "plane", broken, authority):
            pass

    assert processes_that_mention(tmp_path) == []


async def test_a_cancelled_start_leaves_no_process(tmp_path, binaries, authority):
    async def enter() -> None:
        async with start(tmp_path / "plane", binaries, authority):
            await asyncio.sleep(60)

    task = asyncio.create_task(enter())
    while not processes_that_mention(tmp_path):
        await asyncio.sleep(0.05)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    assert processes_that_mention(tmp_path) == []


OWNER = """
import asyncio, pathlib, sys
from sandbox.processes import Processes
async def main():
    here = pathlib.Path(sys.argv[1])
    async with Processes(here) as processes:
        await processes.start("sleeper", ["sleep", "1000"], log=here / "log")
        print("started", flush=True)
        await asyncio.sleep(1000)
asyncio.run(main())
"""


async def test_down_ends_what_a_killed_owner_left_and_no_stranger(tmp_path):
    register = tmp_path / "processes.json"
    with subprocess.Popen([sys.executable, "-c", OWNER, tmp_path], stdout=-1) as owner:
        owner.stdout.readline()
        owner.kill()
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as stranger:
        content = json.loads(register.read_text())
        left = content["processes"][0]
        former = {"name": "former", "pid": stranger.pid, "birth": "long ago"}
        content["processes"].append(former)
        register.write_text(json.dumps(content))

        assert await end(tmp_path) == ["sleeper"]
        while birth(left["pid"]):
            await asyncio.sleep(0.05)
        assert stranger.poll() is None
        stranger.kill()
    assert not register.exists()


def processes_that_mention(directory: Path) -> list[int]:
    """Pids of living processes whose command line mentions the directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (entry / "cmdline").read_bytes()
            if str(directory).encode() in line and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found
