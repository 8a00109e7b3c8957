"""The webhook behind a real API server, and the tokens it asks for."""

from __future__ import annotations

import json

import jwt
import pytest
from pods import web
from sandbox.cluster.node.launching import Surroundings
from sandbox.cluster.node.volumes import Volumes

USE = {"azure.workload.identity/use": "true"}


def using(name, **spec):
    pod = web(name, **spec)
    pod["metadata"]["labels"] |= USE
    return pod


def test_a_labelled_pod_gets_a_token_for_entra_bound_to_itself(namespace):
    note = "azure.workload.identity/client-id=the-client"
    namespace.kubectl("annotate", "serviceaccount", "default", note)
    namespace.apply(using("a"))
    pod = namespace.ready("a")

    environment = json.loads(namespace.read("a", "/env"))
    token = namespace.read("a", f"/file?{environment['AZURE_FEDERATED_TOKEN_FILE']}")
    claims = jwt.decode(token, options={"verify_signature": False})

    assert environment["AZURE_CLIENT_ID"] == "the-client"
    assert environment["AZURE_TENANT_ID"] == "the-tenant"
    assert environment["AZURE_AUTHORITY_HOST"] == "https://login.example/"
    assert claims["aud"] == ["api://AzureADTokenExchange"]
    assert claims["sub"] == f"system:serviceaccount:{namespace.name}:default"
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["kubernetes.io"]["pod"] == {"name": "a", "uid": pod["metadata"]["uid"]}


def test_a_pod_without_the_label_is_left_alone(namespace):
    namespace.apply(web("a"))
    namespace.ready("a")

    assert "AZURE_FEDERATED_TOKEN_FILE" not in json.loads(namespace.read("a", "/env"))


def test_a_refused_pod_is_not_created_and_the_reason_is_told(namespace):
    pod = using("a")
    expiry = "azure.workload.identity/service-account-token-expiration"
    pod["metadata"]["annotations"] = {expiry: "60"}

    with pytest.raises(AssertionError, match="token expiration 60 not valid"):
        namespace.apply(pod)

    assert namespace.pods() == []


async def test_a_token_is_renewed_after_four_fifths_of_its_life(namespace, sandbox, tmp_path):
    namespace.apply(using("a"))
    pod = namespace.ready("a")
    around = Surroundings(
        pod=pod,
        address="",
        node_address="",
        directory=tmp_path,
        images={},
        environment={},
        lookup=lambda *_: {"data": {"ca.crt": ""}},
    )
    time = [0.0]
    files = []
    async with sandbox.cluster.plane.api("node") as api:
        volumes = Volumes(api, lambda: time[0])
        for time[0] in (0.0, 2879.0, 2881.0):
            await volumes.sync(around)
            (file,) = tmp_path.rglob("azure-identity-token")
            files.append(file.read_text())

    assert files[0] == files[1] != files[2]
