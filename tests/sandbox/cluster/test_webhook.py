"""The cases of azure-workload-identity v1.6.0's own tests that matter to a chatbot."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from sandbox.cluster.webhook import RefusedError, Settings, mutate

SETTINGS = Settings(tenant="tenant-of-the-cluster", authority_host="https://login.example/")
EXPIRY = "azure.workload.identity/service-account-token-expiration"


def pod(*, name: str = "chat", annotations: dict[str, str] | None = None, **spec: Any) -> Any:
    meta = {"name": name, "annotations": annotations or {}}
    return {"metadata": meta, "spec": {"containers": [{"name": "chat"}], **spec}}


def account(**annotations: str) -> Any:
    notes = {
        f"azure.workload.identity/{name.replace('_', '-')}": v for name, v in annotations.items()
    }
    return {"metadata": {"name": "chat", "annotations": notes}}


def mutated(before: Any, service_account: Any) -> Any:
    after = json.loads(json.dumps(before))
    for step in mutate(before, service_account, SETTINGS):
        assert step["op"] == "add"
        *way, last = step["path"].strip("/").split("/")
        place = after
        for part in way:
            place = place[int(part) if isinstance(place, list) else part]
        place[last] = step["value"]
    return after


def env(container: Any) -> dict[str, str]:
    return {each["name"]: each.get("value") for each in container.get("env", [])}


def token_of(after: Any) -> Any:
    return after["spec"]["volumes"][-1]["projected"]["sources"][0]["serviceAccountToken"]


def test_a_container_gets_the_four_variables_and_the_token():
    after = mutated(pod(), account(client_id="client"))

    container = after["spec"]["containers"][0]
    digest = hashlib.sha256(b"chat").hexdigest()
    name = f"azure-workload-identity-reserved-{digest}"[:63]
    assert env(container) == {
        "AZURE_CLIENT_ID": "client",
        "AZURE_TENANT_ID": "tenant-of-the-cluster",
        "AZURE_FEDERATED_TOKEN_FILE": "/var/run/secrets/azure/wi/token/azure-identity-token",
        "AZURE_AUTHORITY_HOST": "https://login.example/",
    }
    assert container["volumeMounts"] == [
        {"name": name, "mountPath": "/var/run/secrets/azure/wi", "readOnly": True}
    ]
    assert [each["name"] for each in after["spec"]["volumes"]] == [name]
    assert token_of(after) == {
        "path": "token/azure-identity-token",
        "expirationSeconds": 3600,
        "audience": "api://AzureADTokenExchange",
    }


def test_a_generated_name_is_hashed_as_its_prefix():
    before = pod()
    before["metadata"] = {"generateName": "chat-7d-"}

    volume = mutated(before, account())["spec"]["volumes"][0]["name"]

    digest = hashlib.sha256(b"chat-7d- (prefix)").hexdigest()
    assert volume == f"azure-workload-identity-reserved-{digest}"[:63]


def test_init_containers_are_injected_and_skipped_ones_are_not():
    before = pod(
        annotations={"azure.workload.identity/skip-containers": "sidecar; other"},
        initContainers=[{"name": "prepare"}],
        containers=[{"name": "chat"}, {"name": "sidecar"}],
    )

    spec = mutated(before, account(client_id="client"))["spec"]

    assert "AZURE_CLIENT_ID" in env(spec["initContainers"][0])
    assert "AZURE_CLIENT_ID" in env(spec["containers"][0])
    assert spec["containers"][1] == {"name": "sidecar"}


def test_without_a_client_id_the_variable_is_not_injected():
    assert "AZURE_CLIENT_ID" not in env(mutated(pod(), account())["spec"]["containers"][0])


def test_what_the_pod_says_itself_is_left_alone():
    own = [{"name": "AZURE_CLIENT_ID", "value": "mine"}, {"name": "OTHER", "value": "x"}]
    before = pod(containers=[{"name": "chat", "env": own}])

    after = mutated(before, account(client_id="client", tenant_id="another"))

    assert env(after["spec"]["containers"][0])["AZURE_CLIENT_ID"] == "mine"
    assert env(after["spec"]["containers"][0])["OTHER"] == "x"
    assert env(after["spec"]["containers"][0])["AZURE_TENANT_ID"] == "another"


def test_mutating_twice_changes_nothing_more():
    once = mutated(pod(volumes=[{"name": "tmp", "emptyDir": {}}]), account(client_id="client"))

    assert mutated(once, account(client_id="client")) == once


@pytest.mark.parametrize("seconds", ["3600", "86400"])
def test_an_expiry_within_the_bounds_is_used(seconds):
    after = mutated(pod(), account(service_account_token_expiration=seconds))

    assert token_of(after)["expirationSeconds"] == int(seconds)


def test_the_expiry_of_the_pod_wins_over_that_of_the_service_account():
    before = pod(annotations={EXPIRY: "7200"})

    after = mutated(before, account(service_account_token_expiration="4000"))

    assert token_of(after)["expirationSeconds"] == 7200


@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        ("3599", "token expiration 3599 not valid. Expected value to be between 3600 and 86400"),
        ("86401", "token expiration 86401 not valid. Expected value to be between 3600 and 86400"),
        ("1h", 'strconv.ParseInt: parsing "1h": invalid syntax'),
    ],
)
def test_an_expiry_out_of_bounds_is_refused(seconds, message):
    with pytest.raises(RefusedError) as refusal:
        mutated(pod(annotations={EXPIRY: seconds}), account())

    assert str(refusal.value) == message


@pytest.mark.parametrize("value", ["true", "false", ""])
def test_asking_for_the_proxy_sidecar_is_refused_whatever_the_value(value):
    notes = {"azure.workload.identity/inject-proxy-sidecar": value}

    with pytest.raises(RefusedError, match="no proxy sidecar"):
        mutated(pod(annotations=notes), account())
