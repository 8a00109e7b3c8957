"""What `doctor` makes of an operator that is installed, of its rights, and of the chatbots."""

from __future__ import annotations

import datetime as dt

import pytest
from chatbot_operator.cli.checks import Mark
from chatbot_operator.cli.doctor import access, fleet, running, shipped, tree
from chatbot_operator.cli.doctor.access import TOO_MUCH, Right
from chatbot_operator.cli.doctor.running import Leading
from chatbot_operator.cli.doctor.seen import Around
from chatbot_operator.cli.installed import installed
from chatbot_operator.cli.unread import Unread

NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
NOBODY = Unread("look")
CLIENT = "c1"
INJECTED = {
    "AZURE_CLIENT_ID": CLIENT,
    "AZURE_TENANT_ID": "t",
    "AZURE_FEDERATED_TOKEN_FILE": "/token",
}


def kubectl(*words):
    return " ".join(("kubectl", *words))


def pod(name="op-1", *, image="op:0.1.0", status=None, **env):
    variables = {"CHATBOT_IMAGE": "chatbot", **INJECTED, **env}
    listed = [{"name": key, "value": value} for key, value in variables.items() if value]
    return {
        "metadata": {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"containers": [{"name": "operator", "image": image, "env": listed}]},
        "status": status or {},
    }


def operator(
    *,
    pods=None,
    namespace="ops",
    annotated=CLIENT,
    image="op:0.1.0",
    labels=None,
    env=(),
    wanted=2,
    ready=2,
    updated=2,
):
    template = {
        "metadata": {"labels": labels or {"azure.workload.identity/use": "true"}},
        "spec": {
            "serviceAccountName": "op",
            "containers": [
                {
                    "name": "operator",
                    "image": image,
                    "env": [{"name": "CHATBOT_IMAGE", "value": "chatbot"}, *env],
                }
            ],
        },
    }
    deployment = {
        "metadata": {"name": "op", "namespace": namespace},
        "spec": {"replicas": wanted, "template": template},
        "status": {"readyReplicas": ready, "updatedReplicas": updated},
    }
    note = {"azure.workload.identity/client-id": annotated} if annotated else {}
    found = [pod(), pod("op-2")] if pods is None else pods
    return installed(deployment, found, {"metadata": {"annotations": note}})


@pytest.mark.parametrize(
    ("of", "mark", "words"),
    [
        ({}, Mark.OK, "2 of 2 ready"),
        ({"wanted": 0, "ready": 0}, Mark.WRONG, "scaled to 0"),
        ({"ready": 1}, Mark.WAITING, "1 of 2 ready"),
        ({"ready": 0}, Mark.WRONG, "0 of 2 ready"),
        ({"updated": 1}, Mark.WAITING, "of an earlier making"),
    ],
)
def test_pods(of, mark, words):
    found = running.pods(operator(**of), kubectl)
    assert found.mark is mark
    assert words in found.found
    assert bool(found.commands) is (mark is not Mark.OK)


def test_what_keeps_a_pod_is_said():
    waiting = {"containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]}
    unplaced = {"conditions": [{"type": "PodScheduled", "status": "False", "message": "no node"}]}
    of = operator(pods=[pod(status=waiting), pod("op-2", status=unplaced)], ready=0)
    found = running.pods(of, kubectl).found
    assert "op-1: ImagePullBackOff" in found
    assert "op-2: no node" in found


def lease(holder="op-1_ab", ago=1.0):
    renewed = (NOON - dt.timedelta(seconds=ago)).isoformat()
    spec = {"holderIdentity": holder, "renewTime": renewed, "leaseDurationSeconds": 15}
    return {"metadata": {"resourceVersion": "1"}, "spec": spec}


@pytest.mark.parametrize(
    ("leading", "mark", "words"),
    [
        (Leading(lease(), None, NOON), Mark.OK, "op-1_ab works"),
        (Leading(None, None, NOON), Mark.WAITING, "nobody holds it"),
        (Leading(lease(""), None, NOON), Mark.WAITING, "nobody holds it"),
        (Leading(lease(ago=90), lease(ago=90), NOON), Mark.WRONG, "last renewed it 90 seconds ago"),
        (Leading(lease(ago=90), lease(ago=86), NOON), Mark.OK, "works"),
        (Leading(lease("other_ab"), None, NOON), Mark.NOTE, "none of the pods here now"),
        (NOBODY, Mark.UNKNOWN, "you may not look"),
    ],
)
def test_the_lease_is_held_and_renewed(leading, mark, words):
    found = running.lease(operator(), leading, kubectl)
    assert found.mark is mark
    assert words in found.found


@pytest.mark.parametrize(
    ("body", "again"),
    [
        (None, False),
        (lease(""), False),
        (lease(ago=3), False),
        (lease(ago=60), True),
        (lease(ago=-60), True),
    ],
)
def test_only_a_lease_that_looks_stale_is_read_twice(body, again):
    assert running.stale(body, NOON) is again


@pytest.mark.parametrize(
    ("of", "mark"),
    [
        ({}, Mark.OK),
        ({"image": "op:0.2.0", "pods": [pod(image="op:0.2.0")]}, Mark.NOTE),
        ({"image": "op@sha256:ab", "pods": [pod(image="op@sha256:ab")]}, Mark.OK),
        ({"pods": [pod(), pod("op-2", image="op:0.0.9")]}, Mark.WAITING),
    ],
)
def test_images_are_alike(of, mark):
    assert running.image(operator(**of), "0.1.0", kubectl).mark is mark


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("op:1", "1"),
        ("r.io:443/a/op:v1.2", "1.2"),
        ("r.io:443/a/op", ""),
        ("op:1@sha256:ab", "1"),
    ],
)
def test_a_tag(image, tag):
    assert running.tag(image) == tag


def setting(name, value):
    return {"name": name, "value": value}


def test_settings_that_are_right():
    of = operator(env=[setting("AZURE_MANAGE", "Nothing"), setting("WATCH_NAMESPACES", "a,b")])
    found = running.settings(of, kubectl)
    assert (found.mark, found.facts) == (Mark.OK, {"manage": "Nothing", "watched": "a, b"})


def test_settings_that_are_wrong_go_back_to_their_defaults():
    found = running.settings(operator(env=[setting("WORKERS", "many")]), kubectl)
    assert found.mark is Mark.WRONG
    assert "WORKERS is no number from 1 to 86400: 'many'" in found.found
    assert found.commands == ("kubectl set env deployment/op -c operator -n ops WORKERS-",)


def test_settings_that_come_from_elsewhere_are_not_known():
    of = {"name": "CHATBOT_IMAGE", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}}
    found = running.settings(operator(env=[of]), kubectl)
    assert found.mark is Mark.UNKNOWN
    assert found.found == "not known: CHATBOT_IMAGE come from elsewhere in the cluster"
    both = running.settings(operator(env=[of, setting("WORKERS", "many")]), kubectl)
    assert both.mark is Mark.WRONG


ANNOTATE = "kubectl annotate serviceaccount op --overwrite"


@pytest.mark.parametrize(
    ("of", "mark", "command"),
    [
        ({}, Mark.OK, ""),
        (
            {"annotated": ""},
            Mark.WRONG,
            f"{ANNOTATE} azure.workload.identity/client-id=c1 -n ops",
        ),
        ({"annotated": "c2"}, Mark.WRONG, "kubectl rollout restart deployment/op -n ops"),
        ({"annotated": "", "pods": []}, Mark.WRONG, ""),
        (
            {"pods": [pod(AZURE_FEDERATED_TOKEN_FILE="")]},
            Mark.WRONG,
            "kubectl rollout restart deployment/op -n ops",
        ),
    ],
)
def test_the_service_account_says_whom_pods_are(of, mark, command):
    found = running.identity(operator(**of), kubectl)
    assert (found.mark, " ".join(found.commands)) == (mark, command)


def test_pods_without_the_label_are_labelled():
    bare = pod(AZURE_FEDERATED_TOKEN_FILE="")
    found = running.identity(operator(labels={"a": "b"}, pods=[bare]), kubectl)
    assert '{"azure.workload.identity/use":"true"}' in found.commands[0]


STRICT = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
FULL = {
    "metadata": {"name": "few"},
    "status": {"hard": {"pods": "2"}, "used": {"pods": "2"}},
}


@pytest.mark.parametrize(
    ("of", "found", "quotas", "mark"),
    [
        ({}, STRICT, [], Mark.OK),
        ({}, {"metadata": {}}, [], Mark.NOTE),
        ({}, STRICT, [FULL], Mark.NOTE),
        ({"ready": 1}, STRICT, [FULL], Mark.WRONG),
        ({}, NOBODY, [], Mark.UNKNOWN),
        ({}, STRICT, NOBODY, Mark.UNKNOWN),
    ],
)
def test_its_namespace_lets_its_pods_in(of, found, quotas, mark):
    assert running.namespace(operator(**of), found, quotas).mark is mark


def watching(namespace, watched):
    return operator(namespace=namespace, env=[setting("WATCH_NAMESPACES", watched)])


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (watching("a", ""), watching("b", ""), "all namespaces"),
        (watching("a", "x"), watching("b", ""), "x"),
        (watching("a", "x y"), watching("b", "y z"), "y"),
        (watching("a", "x"), watching("b", "y"), None),
        (watching("a", ""), watching("a", ""), None),
    ],
)
def test_two_operators_do_not_watch_the_same(one, other, words):
    found = running.overlapping([one, other])
    assert (found and found.found) == (words and f"those in a and b both watch {words}")


NEEDED = tuple(access.rights(shipped.cluster_rules()))


def test_rights_are_those_of_the_shipped_roles():
    assert Right("patch", "apps", "deployments") in NEEDED
    assert Right("update", "coordination.k8s.io", "leases", "ops", "chatbot-operator") in set(
        access.rights(shipped.own_rules(), "ops")
    )
    assert list(access.rights(shipped.team_rules(), "team"))
    assert list(access.rights(shipped.narrow_cluster_rules()))
    assert list(access.rights(shipped.event_rules(), "default")) == [
        Right("create", "events.k8s.io", "events", "default")
    ]
    assert not set(NEEDED) & set(TOO_MUCH)


def test_every_shipped_right_is_held_by_the_shipped_rules_and_none_too_many():
    rules = shipped.cluster_rules()
    assert all(access.holds(rules, each) for each in NEEDED)
    assert not any(access.holds(rules, each) for each in TOO_MUCH)


@pytest.mark.parametrize(
    ("rule", "right", "held"),
    [
        ({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, TOO_MUCH[0], True),
        (
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]},
            Right("create", "", "pods/exec"),
            False,
        ),
        (
            {"apiGroups": [""], "resources": ["*/exec"], "verbs": ["create"]},
            Right("create", "", "pods/exec"),
            True,
        ),
        (
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"], "resourceNames": ["a"]},
            Right("get", "", "pods"),
            False,
        ),
        (
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"], "resourceNames": ["a"]},
            Right("get", "", "pods", "n", "a"),
            True,
        ),
    ],
)
def test_what_a_rule_gives(rule, right, held):
    assert access.holds([rule], right) is held


def test_a_review_names_the_service_account_and_a_part_of_a_kind():
    body = access.review(Right("create", "", "serviceaccounts/token"), "ops", "op")
    assert body["spec"]["user"] == "system:serviceaccount:ops:op"
    assert body["spec"]["resourceAttributes"]["subresource"] == "token"


@pytest.mark.parametrize(
    ("subject", "bound"),
    [
        ({"kind": "ServiceAccount", "namespace": "ops", "name": "op"}, True),
        ({"kind": "ServiceAccount", "namespace": "other", "name": "op"}, False),
        ({"kind": "Group", "name": "system:serviceaccounts:ops"}, True),
        ({"kind": "User", "name": "system:serviceaccount:ops:op"}, True),
        ({"kind": "User", "name": "op"}, False),
    ],
)
def test_whom_a_binding_speaks_of(subject, bound):
    assert access.bound({"subjects": [subject]}, "ops", "op") is bound


def held(*, without=(), more=()):
    of = {each: each not in without for each in NEEDED}
    return of | {each: each in more for each in TOO_MUCH}


def test_rights_missing_and_too_many():
    lost = Right("delete", "apps", "deployments")
    found = access.check(held(without=[lost]), NEEDED, "reconcile")
    assert (found.mark, found.commands) == (Mark.WRONG, ("reconcile",))
    assert found.found == "it may not delete deployments.apps"
    several = access.check(
        held(without=[r for r in NEEDED if r.resource.startswith("azureopenaichatbots")]),
        NEEDED,
        "",
    )
    assert several.found == (
        "it may not get, list, watch, patch azureopenaichatbots.chatbot-operator.dev;"
        " update azureopenaichatbots.chatbot-operator.dev/finalizers;"
        " patch azureopenaichatbots.chatbot-operator.dev/status"
    )
    wide = access.check(held(more=TOO_MUCH[:1]), NEEDED, "reconcile")
    assert wide.commands == ("reconcile --remove-extra-permissions",)
    assert access.check(held(), NEEDED, "").mark is Mark.OK
    assert access.check(NOBODY, NEEDED, "").mark is Mark.UNKNOWN
    assert access.check(held(without=[lost]), NEEDED, "").commands == ()


def test_where_no_pod_works_nobody_is_blamed_for_the_lease():
    stale = Leading(lease(ago=90), lease(ago=90), NOON)
    around = Around(stale, STRICT, [], held(), NEEDED)
    below = tree._operator(operator(wanted=0, ready=0), around, kubectl)
    assert [each.name for each in below if each.mark is Mark.WRONG] == ["pods"]
    running_one = tree._operator(operator(), around, kubectl)
    assert [each.name for each in running_one if each.mark is Mark.WRONG] == ["lease"]


def bot(name, ready=None, reason="", *, degraded=False):
    conditions = []
    if ready:
        conditions.append({"type": "Ready", "status": ready, "reason": reason, "message": ""})
    if degraded:
        conditions.append({"type": "Degraded", "status": "True", "reason": "X", "message": ""})
    return {"metadata": {"namespace": "n", "name": name}, "status": {"conditions": conditions}}


def test_chatbots_are_counted_by_reason_the_worst_first():
    found = fleet.check(
        [
            bot("a", "True", "Ready"),
            bot("b", "True", "Ready", degraded=True),
            bot("c", "False", "NamespaceNotAllowed"),
            bot("d", "False", "RoleMisconfigured"),
            bot("e", "False", "RoleMisconfigured"),
            bot("f", "Unknown", "RolePropagating"),
            bot("h", "Unknown", "RolePropagating"),
            bot("i", "Unknown", "RolePropagating"),
            bot("g"),
            bot("j", "False", "PodsLeaving"),
        ],
        kubectl,
    )
    assert (found.mark, found.found) == (Mark.WRONG, "2 of 10 Ready")
    assert [(each.name, each.mark) for each in found.below] == [
        ("RoleMisconfigured", Mark.WRONG),
        ("NamespaceNotAllowed", Mark.WRONG),
        ("RolePropagating", Mark.WAITING),
        ("NotLookedAt", Mark.WAITING),
        ("PodsLeaving", Mark.WAITING),
        ("Degraded, though Ready", Mark.NOTE),
    ]
    assert found.below[0].commands == ("kubectl chatbot why d -n n",)
    assert found.below[0].facts == {"chatbots": "n/d n/e"}


def test_no_chatbots_and_chatbots_that_are_not_shown():
    assert fleet.check([], kubectl).mark is Mark.NOTE
    assert fleet.check(NOBODY, kubectl).mark is Mark.UNKNOWN
