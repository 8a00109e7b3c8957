"""What `doctor` makes of a cluster: API server, token issuer, webhook, kinds."""

from __future__ import annotations

import copy

import pytest
from chatbot_operator.cli.checks import Mark
from chatbot_operator.cli.doctor import definitions, issuer, server, shipped, webhook
from chatbot_operator.cli.doctor.issuer import Issued
from chatbot_operator.cli.doctor.looking import Silent
from chatbot_operator.cli.unread import Unread
from chatbot_operator.kube.connection import Person
from chatbot_operator.ports import Discovery
from kubernetes.aio.client import Configuration

ISSUER = "https://westeurope.oic.prod-aks.azure.com/tenant/cluster/"
ENABLE = ("az aks update --name c --resource-group g",)
KEYS = frozenset({"a", "b"})
NOBODY = Unread("look")
BOTH = [(file.name, body) for file, body in shipped.definitions()]


def kubectl(*words):
    return " ".join(("kubectl", *words))


@pytest.mark.parametrize(
    ("said", "mark"),
    [
        ("v1.31.0", Mark.OK),
        ("v1.36.3", Mark.OK),
        ("v1.32.4-eks-1", Mark.OK),
        ("v2.0.0", Mark.OK),
        ("v1.30.9", Mark.WRONG),
        ("v1.9.0", Mark.WRONG),
        ("", Mark.UNKNOWN),
    ],
)
def test_the_api_server_has_to_be_new_enough(said, mark):
    found = server.version({"gitVersion": said}, ENABLE)
    assert found.mark is mark
    assert (found.commands == ENABLE) is (mark is Mark.WRONG)


def test_the_least_version_is_that_of_what_the_crds_ask():
    assert server.MINIMUM == (1, 31)
    assert any("isCIDR(" in str(body) for _, body in BOTH)


@pytest.mark.parametrize(
    ("serves", "wanted", "mark"),
    [
        (True, [], Mark.NOTE),
        (False, [], Mark.NOTE),
        (False, ["a/b"], Mark.WRONG),
        (NOBODY, [], Mark.UNKNOWN),
    ],
)
def test_gateway_api_is_missed_only_by_who_wants_a_route(serves, wanted, mark):
    assert server.gateway(wanted, serves=serves).mark is mark


@pytest.mark.parametrize(
    ("serves", "wanted", "mark"),
    [
        (True, ["a/b"], Mark.OK),
        (False, ["a/b"], Mark.WRONG),
        (NOBODY, ["a/b"], Mark.UNKNOWN),
    ],
)
def test_metrics_are_missed_only_by_who_scales(serves, wanted, mark):
    assert server.metrics(wanted, serves=serves).mark is mark
    assert server.metrics([], serves=serves) is None


def issued(**other):
    given = {"issuer": ISSUER, "keys": KEYS, "published": Discovery(ISSUER, KEYS)}
    return Issued(**{**given, **other})


@pytest.mark.parametrize(
    ("of", "mark", "name"),
    [
        ({}, Mark.OK, "published"),
        ({"issuer": "https://kubernetes.default.svc.cluster.local"}, Mark.WRONG, "token issuer"),
        ({"issuer": "https://kubernetes.default.svc"}, Mark.WRONG, "token issuer"),
        ({"issuer": "https://c-1.hcp.westeurope.azmk8s.io"}, Mark.WRONG, "token issuer"),
        ({"issuer": "kubernetes/serviceaccount"}, Mark.WRONG, "token issuer"),
        ({"issuer": NOBODY}, Mark.UNKNOWN, "token issuer"),
        ({"published": Discovery(ISSUER.rstrip("/"), KEYS)}, Mark.WRONG, "published"),
        ({"published": Silent("no way there")}, Mark.UNKNOWN, "published"),
        ({"published": Discovery(ISSUER, frozenset())}, Mark.WRONG, "keys"),
        ({"published": Discovery(ISSUER, frozenset({"z"}))}, Mark.WRONG, "keys"),
        ({"published": Discovery(ISSUER, frozenset({"a"}))}, Mark.WAITING, "keys"),
        ({"published": Discovery(ISSUER, frozenset({"a", "b", "z"}))}, Mark.OK, "keys"),
        ({"keys": NOBODY}, Mark.UNKNOWN, "keys"),
    ],
)
def test_an_issuer_is_public_and_publishes_the_api_servers_keys(of, mark, name):
    found = issuer.check(issued(**of), ENABLE)
    assert found.mark is mark
    assert next(each for each in found.all() if each.name == name).mark is mark


def test_an_internal_issuer_is_turned_into_a_public_one_by_az():
    assert issuer.check(issued(issuer="https://kubernetes.default.svc"), ENABLE).commands == ENABLE


@pytest.mark.parametrize(
    ("cluster", "user", "aks"),
    [
        ("prod", "clusterUser_team_rg_prod", ("team_rg", "prod")),
        ("prod", "clusterAdmin_rg_prod", ("rg", "prod")),
        ("kind", "kind-kind", None),
        ("prod", "clusterUser_rg_other", None),
    ],
)
def test_an_aks_cluster_is_known_by_its_kubeconfig(cluster, user, aks):
    configuration = type.__call__(Configuration)
    assert Person(configuration, "default", cluster, user).aks == aks


HOOK = {
    "name": "mutation.azure-workload-identity.io",
    "clientConfig": {"service": {"namespace": "kube-system", "name": "azure-wi-webhook"}},
    "rules": [
        {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    ],
    "failurePolicy": "Fail",
}
INJECTED = {"spec": {"containers": [{"env": [{"name": "AZURE_FEDERATED_TOKEN_FILE"}]}]}}
BARE = {"spec": {"containers": [{}]}}
BROKEN = Silent('failed calling webhook "mutation.azure-workload-identity.io": refused')


def hooked(hook=None, ready=2, rehearsed=INJECTED):
    of = [{"metadata": {"name": "wi"}, "webhooks": [{"name": "other"}, {**HOOK, **(hook or {})}]}]
    return webhook.check(webhook.hooks(of), ready, rehearsed, ENABLE, kubectl)


@pytest.mark.parametrize(
    ("how", "mark", "name"),
    [
        ({}, Mark.OK, "answers"),
        ({"hook": {"rules": []}}, Mark.WRONG, "asked about pods"),
        ({"hook": {"rules": [{**HOOK["rules"][0], "operations": ["*"]}]}}, Mark.OK, "answers"),
        (
            {"hook": {"rules": [{**HOOK["rules"][0], "operations": ["UPDATE"]}]}},
            Mark.WRONG,
            "asked about pods",
        ),
        ({"rehearsed": BARE}, Mark.WRONG, "answers"),
        ({"rehearsed": BROKEN}, Mark.WRONG, "answers"),
        ({"rehearsed": NOBODY}, Mark.OK, "answers"),
        ({"rehearsed": NOBODY, "ready": 0}, Mark.WRONG, "answers"),
        ({"rehearsed": NOBODY, "ready": None}, Mark.UNKNOWN, "answers"),
        ({"rehearsed": NOBODY, "ready": NOBODY}, Mark.UNKNOWN, "answers"),
        ({"rehearsed": Silent("quota"), "ready": 2}, Mark.UNKNOWN, "answers"),
    ],
)
def test_a_webhook_is_asked_about_pods_and_answers(how, mark, name):
    found = hooked(**how)
    assert found.mark is mark
    assert next(each for each in found.all() if each.name == name).mark is mark


def test_a_webhook_that_is_passed_by_is_worth_knowing():
    (policy,) = (c for c in hooked({"failurePolicy": "Ignore"}).below if c.mark is Mark.NOTE)
    assert policy.name == "failure policy"


def test_its_pods_are_what_to_look_at():
    (answers,) = (c for c in hooked(rehearsed=BROKEN).below if c.mark is Mark.WRONG)
    assert answers.commands == ("kubectl get pods -n kube-system",)


def test_a_cluster_without_one():
    assert webhook.check([], None, NOBODY, ENABLE, kubectl).commands == ENABLE
    assert webhook.check(NOBODY, None, NOBODY, ENABLE, kubectl).mark is Mark.UNKNOWN


def as_served(body):
    """A definition as the API server keeps it."""
    live = copy.deepcopy(body)
    spec = live["spec"]
    spec["conversion"] = {"strategy": "None"}
    spec["names"]["listKind"] = f"{spec['names']['kind']}List"
    live["metadata"]["managedFields"] = [
        {"manager": "kubectl", "time": "2026-01-01T00:00:00Z"},
        {"manager": "kubectl-edit", "time": "2026-01-02T00:00:00Z"},
        {"manager": "apiserver", "time": "2026-01-03T00:00:00Z", "subresource": "status"},
    ]
    live["status"] = {
        "conditions": [{"type": "Established", "status": "True"}],
        "storedVersions": ["v1alpha1"],
    }
    return live


def judged(live, *, same_release=True):
    return definitions.check(
        BOTH[1][1], live, same_release=same_release, file="/crd.yaml", kubectl=kubectl
    )


def schema(live):
    return live["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]


@pytest.mark.parametrize(("_", "body"), BOTH, ids=[name for name, _ in BOTH])
def test_what_is_shipped_and_served_is_the_same(_, body):
    assert not definitions.differences(body, as_served(body)).any()


APPLY = ("kubectl apply --server-side --force-conflicts -f /crd.yaml",)
REPLACE = ("kubectl replace -f /crd.yaml",)


def lacks(live):
    del schema(live)["properties"]["suspend"]


def differs(live):
    schema(live)["properties"]["suspend"]["type"] = "string"


def has_more(live):
    schema(live)["properties"]["flavour"] = {"type": "string"}


def words_only(live):
    schema(live)["description"] = "something else"


def converts(live):
    live["spec"]["conversion"] = {"strategy": "Webhook"}


def not_there_yet(live):
    live["status"] = {}


def stored_before(live):
    live["status"]["storedVersions"] = ["v1alpha0", "v1alpha1"]


@pytest.mark.parametrize(
    ("edit", "mark", "words", "commands"),
    [
        (lacks, Mark.WRONG, "is older: it lacks properties.spec.properties.suspend", APPLY),
        (differs, Mark.WRONG, "it differs in properties.spec.properties.suspend.type", APPLY),
        (has_more, Mark.WRONG, "last written by kubectl-edit at 2026-01-02", REPLACE),
        (words_only, Mark.NOTE, "descriptions", APPLY),
        (converts, Mark.WRONG, "conversion.strategy", APPLY),
        (not_there_yet, Mark.WAITING, "has not taken it up yet", ()),
        (stored_before, Mark.WRONG, "stored as v1alpha0", ()),
    ],
)
def test_a_definition_that_is_not_the_shipped_one(edit, mark, words, commands):
    live = as_served(BOTH[1][1])
    edit(live)
    found = judged(live)
    assert (found.mark, found.commands) == (mark, commands)
    assert words in found.found


def test_one_of_a_newer_release_is_never_made_older():
    live = as_served(BOTH[1][1])
    has_more(live)
    found = judged(live, same_release=False)
    assert (found.mark, found.commands) == (Mark.NOTE, ())


def test_one_that_is_not_there_or_not_shown():
    assert judged(None).commands == APPLY
    assert judged(NOBODY).mark is Mark.UNKNOWN
