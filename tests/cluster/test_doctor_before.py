"""`kubectl chatbot doctor` where nothing of ours is installed: what is missing, and how to get it."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
from pathlib import Path

import pytest
from background import running
from sandbox.azure.world import SUBSCRIPTION_ID
from sandbox.cluster.control_plane import control_plane as start_control_plane

PROGRAM = Path(sys.executable).parent / "kubectl-chatbot"
CRDS = ("azureopenaiaccounts", "azureopenaichatbots")


@pytest.fixture(scope="module")
def bare(binaries, authority, tmp_path_factory):
    """A control plane in which nothing is."""
    directory = tmp_path_factory.mktemp("bare")
    with running(start_control_plane(directory, binaries, authority)) as plane:
        yield plane


@pytest.fixture
async def types(bare, azure, authority, emulator, tmp_path):
    """A person of that cluster, signed in to Azure as its owner, types a command."""
    await azure.arm("GET", SUBSCRIPTION_ID)
    token = {"accessToken": azure.token, "expires_on": 4102444800}
    az = tmp_path / "az"
    az.write_text(f"#!/bin/sh\necho {shlex.quote(json.dumps(token))}\n")
    az.chmod(0o700)
    path = (tmp_path, PROGRAM.parent, bare.binaries, os.environ["PATH"])
    environment = {
        "PATH": ":".join(map(str, path)),
        "HOME": str(tmp_path),
        "KUBECONFIG": str(bare.kubeconfig),
        "ARM_ENDPOINT": emulator.url,
        "EXTRA_CA_FILE": str(authority.certificate),
    }

    async def run(command):
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", command),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        return process.returncode, output.decode(), errors.decode()

    return run


def leaves(check):
    below = check.get("below", ())
    if not below:
        return [check]
    return [leaf for each in below for leaf in leaves(each)]


async def test_before_installation_it_says_what_is_missing_in_the_order_to_get_it(types, bare):
    code, output, errors = await types(f"{PROGRAM} doctor -o json")
    assert code == 1, errors
    every = leaves(json.loads(output))
    assert [each["name"] for each in every if each["mark"] == "wrong"] == [
        "workload identity webhook",
        "operator's identity",
        *(f"{each}.chatbot-operator.dev" for each in CRDS),
        "operator",
    ]
    found = {each["name"]: each for each in every}
    assert [each["name"] for each in every if each["mark"] == "unknown"] == []
    assert found["API server"]["mark"] == found["keys"]["mark"] == "ok"
    identity = found["operator's identity"]["commands"]
    assert any(f"--issuer {bare.issuer} " in each for each in identity)
    assert any('--condition "$(cat /' in each for each in identity)

    for each in CRDS:
        (command,) = found[f"{each}.chatbot-operator.dev"]["commands"]
        ended, _, errors = await types(command)
        assert ended == 0, errors
    apply, *_ = found["operator"]["commands"]
    assert (await types(apply))[0] == 0
    await types("kubectl wait --for=condition=Established crd --all --timeout=30s")

    code, output, _ = await types(f"{PROGRAM} doctor --no-azure -o json")
    assert code == 1
    marks = {each["name"]: each["mark"] for each in leaves(json.loads(output))}
    assert [marks[f"{each}.chatbot-operator.dev"] for each in CRDS] == ["ok", "ok"]
    assert marks["rights in the cluster"] == "ok"
    assert (marks["pods"], marks["service account"]) == ("wrong", "wrong")


async def test_as_a_person_reads_it(types):
    code, output, _ = await types(f"{PROGRAM} doctor --no-azure")
    assert code == 1
    assert "✘ workload identity webhook (wrong)  the cluster has none" in output
    assert "az aks update … --enable-oidc-issuer --enable-workload-identity" in output
