"""`why pod/NAME`: what is judged of the cluster, link by link."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from chatbot_operator.cli.checks import Mark
from chatbot_operator.cli.command import Code
from chatbot_operator.cli.pod import judging, judging_pod
from chatbot_operator.cli.pod.meant import meant, restart
from chatbot_operator.cli.pod.observed import (
    CLIENT_ID,
    USE,
    Owner,
    ServiceAccount,
    Unseen,
)
from unit.pod_world import (
    AZURE,
    BARE,
    CLIENT,
    CLUSTER,
    DEPLOYMENT,
    POD,
    annotated,
    container,
    kubectl,
    with_pod,
)


def label(cluster):
    return judging_pod.label(cluster, kubectl)


def account(cluster, known=""):
    return judging_pod.service_account(cluster, meant(cluster), known, kubectl)


def test_whole_links_are_all_right():
    tree = judging.judge(CLUSTER, AZURE, kubectl)
    assert {each.mark for each in tree.all()} == {Mark.OK, Mark.NOTE}
    assert judging.code(tree) is Code.FINE


def test_what_cannot_be_known_is_neither_right_nor_wrong():
    tree = judging.judge(CLUSTER, replace(AZURE, credentials=Unseen("not known")), kubectl)
    assert judging.code(tree) is Code.UNANSWERED


@pytest.mark.parametrize(
    ("changes", "mark", "words"),
    [
        ({}, Mark.OK, "Running, runs as service account web, made by Deployment web"),
        ({"leaving": True}, Mark.NOTE, "Terminating"),
        ({"phase": "Failed"}, Mark.NOTE, "Failed"),
    ],
)
def test_the_pods_life_is_told(changes, mark, words):
    check = judging_pod.pod(with_pod(**changes), Mark.OK, kubectl)
    assert (check.mark, words in check.found) == (mark, True)


@pytest.mark.parametrize(("hooks", "mark"), [(CLUSTER.hooks, Mark.WRONG), ((), Mark.WAITING)])
def test_a_pod_that_could_not_be_made_is_judged_by_its_template(hooks, mark):
    absent = replace(with_pod(containers=(BARE,), absent="denied the request"), hooks=hooks)
    tree = judging.judge(absent, AZURE, kubectl)
    marks = {each.name: each.mark for each in tree.below}
    assert marks["pod"] is mark
    assert marks["injection"] is Mark.WAITING
    assert "denied the request" in tree.below[0].found
    assert judging.code(tree) is Code.FOUND


def test_a_chatbots_pod_is_known_as_such():
    (below,) = judging_pod.pod(with_pod(chatbot="support"), Mark.OK, kubectl).below
    assert below.commands == ("kubectl chatbot why support -n team",)


UNLABELLED = with_pod(labels={}, containers=(BARE,))
ALONE = replace(UNLABELLED, owner=None)


@pytest.mark.parametrize(
    ("cluster", "words"),
    [
        (ALONE, "the pod has no azure.workload.identity/use"),
        (replace(ALONE, pod=replace(POD, labels={USE: "True"})), "“True”"),
        (replace(ALONE, pod=replace(POD, labels={}, annotations={USE: "x"})), "an annotation of"),
        (replace(ALONE, account=ServiceAccount({USE: "true"})), "on service account web"),
        (
            replace(ALONE, owner=Owner("Deployment", "web", {USE: "true"})),
            "on Deployment web itself, not in its template",
        ),
        (UNLABELLED, "this pod is older than that"),
        (
            replace(UNLABELLED, pod=replace(POD, containers=(BARE,)), owner=Owner("Job", "b")),
            "",
        ),
        (
            replace(
                with_pod(containers=(BARE,)), owner=replace(DEPLOYMENT, template_labels={"a": "b"})
            ),
            "the template of Deployment web does not",
        ),
    ],
)
def test_a_label_that_is_not_where_it_should_be_is_found(cluster, words):
    check = label(cluster)
    assert check.mark is (Mark.WRONG if words else Mark.OK)
    assert words in check.found


@pytest.mark.parametrize(
    ("owner", "command", "fix"),
    [
        (
            replace(DEPLOYMENT, template_labels={}),
            "kubectl patch deployment web -n team",
            "made anew",
        ),
        (Owner("Job", "once"), "", "template of Job once"),
        (Owner("Deployment", "web", above="App shop"), "", "Have App shop put it into"),
        (None, "", "the pod's manifest"),
    ],
)
def test_the_label_is_mended_where_the_pod_comes_from(owner, command, fix):
    check = label(replace(UNLABELLED, owner=owner))
    assert fix in check.fix
    assert "".join(check.commands).startswith(command)
    assert bool(check.commands) == bool(command)


@pytest.mark.parametrize(
    ("owner", "command"),
    [
        (Owner("StatefulSet", "db"), "kubectl rollout restart statefulset/db -n team"),
        (Owner("Job", "once"), "kubectl delete pod web-1 -n team"),
        (None, "kubectl delete pod web-1 -n team"),
    ],
)
def test_a_pod_is_made_anew_by_what_made_it(owner, command):
    assert restart(replace(CLUSTER, owner=owner), kubectl) == command


@pytest.mark.parametrize(
    ("cluster", "mark", "words"),
    [
        (CLUSTER, Mark.OK, CLIENT),
        (replace(CLUSTER, account=None), Mark.WRONG, "there is no web in namespace team"),
        (replace(CLUSTER, account=Unseen("not known: why")), Mark.UNKNOWN, "not known: why"),
        (annotated(client_id=f" {CLIENT}"), Mark.WRONG, "white space"),
        (annotated(client_id="/subscriptions/s/x"), Mark.WRONG, "id of a resource"),
        (annotated(client_id="web"), Mark.WRONG, "no client id"),
        (annotated(client_id=CLIENT, tenant_id="<tenant>"), Mark.WRONG, "names no tenant"),
        (annotated(client_id=CLIENT, tenant_id="contoso.example"), Mark.OK, CLIENT),
        (
            annotated(client_id=CLIENT, service_account_token_expiration="60"),
            Mark.WRONG,
            "3600 to 86400 seconds",
        ),
    ],
)
def test_the_service_account_says_whom_the_pod_becomes(cluster, mark, words):
    check = account(cluster)
    assert (check.mark, words in check.found) == (mark, True), check


NAMELESS = replace(
    with_pod(containers=(container(AZURE_CLIENT_ID=None),)), account=ServiceAccount()
)


@pytest.mark.parametrize(
    ("cluster", "words"),
    [
        (NAMELESS, "has no annotation azure.workload.identity/client-id"),
        (
            replace(
                NAMELESS, account=ServiceAccount({}, {"azure.workload.identity/clientId": CLIENT})
            ),
            "azure.workload.identity/clientId, which is another name",
        ),
        (replace(NAMELESS, account=ServiceAccount({CLIENT_ID: CLIENT})), "it is a label"),
        (
            replace(NAMELESS, pod=replace(NAMELESS.pod, annotations={CLIENT_ID: CLIENT})),
            "the pod has it",
        ),
    ],
)
def test_a_client_id_that_lies_elsewhere_is_put_where_it_counts(cluster, words):
    check = account(cluster)
    assert (check.mark, words in check.found) == (Mark.WRONG, True)
    if cluster is NAMELESS:
        assert not check.commands
        assert "why pod/web-1 -n team --identity ID" in check.fix
        check = account(cluster, CLIENT)
    assert check.commands == (
        f"kubectl annotate serviceaccount web -n team {CLIENT_ID}={CLIENT} --overwrite",
        "kubectl rollout restart deployment/web -n team",
    )


def test_a_pod_that_names_its_client_by_itself_needs_no_annotation():
    assert account(replace(CLUSTER, account=ServiceAccount())).mark is Mark.NOTE


def test_the_page_about_it_has_a_row_for_every_check():
    page = (Path(__file__).parents[2] / "docs/why-pod.md").read_text()
    rows = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    assert rows == [each.name for each in judging.judge(CLUSTER, AZURE, kubectl).below]
