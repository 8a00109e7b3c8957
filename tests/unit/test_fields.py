"""No field of a chatbot or an account without something that it is shown to reach."""

from __future__ import annotations

from pathlib import Path

import account_fields
import fields_page
import pytest
import yaml
from affinity import AFFINITY, paths
from chatbot_operator import manifests
from chatbot_operator.manifests import TEMPLATE
from chatbot_operator.pod_settings import RESERVED_VARIABLE, STEERING_KEY
from fields import REACHES, SHOWN_ELSEWHERE, leaves
from unit.bodies import wanted

CRDS = Path(__file__).parents[2] / "crds"
CRD = CRDS / "azureopenaichatbots.yaml"
RESERVED = {
    "labels": {
        "aadpodidbinding": "x",
        "azure.workload.identity/use": "false",
        "app.kubernetes.io/name": "x",
    },
    "annotations": {
        "azure.workload.identity/inject-proxy-sidecar": "true",
        "sidecar.istio.io/proxyImage": "x",
    },
    "env": [{"name": "AZURE_CLIENT_ID", "value": "x"}, {"name": "HOST", "value": "x"}],
}


def test_what_an_older_schema_let_in_does_not_reach_the_pods():
    theirs = {**RESERVED, "labels": {**RESERVED["labels"], "team": "a"}}
    made = manifests.deployment(wanted(pods=theirs))["spec"]["template"]
    assert made["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    assert made["metadata"]["labels"]["team"] == "a"
    assert made["metadata"]["annotations"].keys() == {TEMPLATE}
    (container,) = made["spec"]["containers"]
    names = [entry["name"] for entry in container["env"]]
    assert len(names) == len(set(names))
    assert "AZURE_CLIENT_ID" not in names


def test_the_schema_reserves_the_variables_that_the_operator_leaves_out():
    assert f"matches('^({RESERVED_VARIABLE.pattern})$')" in CRD.read_text()
    assert f"matches(r'^({STEERING_KEY.pattern})$')" in CRD.read_text()


@pytest.mark.parametrize(
    "change",
    [
        {"pods": {"labels": {"team": "b"}}},
        {"pods": {"skipContainers": ["proxy"]}},
        {"serviceAccount": {"tokenExpirationSeconds": 7200}},
    ],
)
def test_what_pods_are_made_from_makes_other_pods(change):
    before, after = (manifests.deployment(wanted(**spec)) for spec in ({}, change))
    marks = [d["spec"]["template"]["metadata"]["annotations"][TEMPLATE] for d in (before, after)]
    assert marks[0] != marks[1]


def spec(crd):
    (version,) = yaml.safe_load(crd.read_text())["spec"]["versions"]
    return version["schema"]["openAPIV3Schema"]["properties"]["spec"]


def test_every_field_of_a_chatbot_reaches_something():
    together = paths(AFFINITY, "pods.affinity")
    shown = (REACHES.keys() - {"pods.affinity"}) | SHOWN_ELSEWHERE.keys() | together
    assert sorted(leaves(spec(CRD))) == sorted(shown)


def test_every_field_of_an_account_reaches_something():
    shown = account_fields.FIELDS.keys() | account_fields.SHOWN_ELSEWHERE.keys()
    assert sorted(leaves(spec(CRDS / "azureopenaiaccounts.yaml"))) == sorted(shown)


def test_the_page_of_fields_says_what_the_schemas_say():
    assert fields_page.PAGE.read_text() == fields_page.page(), "run `make reference`"
