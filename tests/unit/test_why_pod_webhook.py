"""`why pod/NAME`: what is judged of the webhook, and of what it made of the pod."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chatbot_operator.cli.checks import Mark
from chatbot_operator.cli.pod import judging_webhook
from chatbot_operator.cli.pod.meant import meant
from chatbot_operator.cli.pod.observed import SKIP, Container, Unseen, Variable
from unit.pod_world import (
    BARE,
    CLIENT,
    CLUSTER,
    DEPLOYMENT,
    HOOK,
    OTHER,
    POD,
    annotated,
    container,
    kubectl,
    with_pod,
)


def webhook(cluster):
    return judging_webhook.webhook(cluster, kubectl)


def injection(cluster, before=Mark.OK):
    return judging_webhook.injection(cluster, meant(cluster), before, kubectl)


@pytest.mark.parametrize(
    ("hooks", "mark", "words"),
    [
        ((HOOK,), Mark.OK, "failurePolicy Fail"),
        ((), Mark.WRONG, "no workload identity webhook"),
        (Unseen("not known: you may not"), Mark.UNKNOWN, "you may not"),
        ((replace(HOOK, endpoints=0),), Mark.WRONG, "kube-system/wi is ready"),
        ((replace(HOOK, endpoints=0, service=None),), Mark.OK, "azure-wi-webhook"),
        ((replace(HOOK, endpoints=Unseen("not known")),), Mark.OK, "whether it runs is not known"),
        ((replace(HOOK, endpoints=0), HOOK), Mark.OK, "failurePolicy Fail"),
        (
            (replace(HOOK, objects={"matchLabels": {"other": "x"}}),),
            Mark.WRONG,
            "objectSelector wants other=x",
        ),
    ],
)
def test_the_webhook_is_there_works_and_is_asked(hooks, mark, words):
    check = webhook(replace(CLUSTER, hooks=hooks))
    assert (check.mark, words in check.found) == (mark, True), check


@pytest.mark.parametrize(
    ("expression", "labels", "missed", "command"),
    [
        ({"operator": "In", "values": ["a", "b"]}, {}, "k in (a, b)", ""),
        ({"operator": "In", "values": ["a"]}, {"k": "a"}, "", ""),
        ({"operator": "NotIn", "values": ["a"]}, {"k": "a"}, "k notin (a)", "k-"),
        ({"operator": "NotIn", "values": ["a"]}, {}, "", ""),
        ({"operator": "Exists"}, {}, "k", ""),
        ({"operator": "DoesNotExist"}, {"k": ""}, "!k", "k-"),
    ],
)
def test_a_namespace_is_matched_as_the_api_server_does(expression, labels, missed, command):
    hook = replace(HOOK, namespaces={"matchExpressions": [{"key": "k", **expression}]})
    check = webhook(replace(CLUSTER, hooks=(hook,), namespace=labels))
    assert check.mark is (Mark.WRONG if missed else Mark.OK)
    assert not missed or f"wants {missed} on namespace team" in check.found
    assert check.commands == ((f"kubectl label namespace team {command}",) if command else ())


def test_a_label_that_the_pod_lacks_is_not_the_webhooks_trouble():
    assert webhook(with_pod(labels={})).mark is Mark.OK


def test_a_label_that_a_namespace_lacks_is_spelled_out():
    hook = replace(HOOK, namespaces={"matchLabels": {"wi": "on"}})
    assert webhook(replace(CLUSTER, hooks=(hook,))).commands == (
        "kubectl label namespace team wi=on",
    )
    unseen = replace(CLUSTER, hooks=(hook,), namespace=Unseen("not known"))
    assert webhook(unseen).mark is Mark.OK


@pytest.mark.parametrize(
    ("containers", "mark", "words"),
    [
        ((container(),), Mark.OK, f"is client {CLIENT}"),
        ((BARE,), Mark.WRONG, "AZURE_FEDERATED_TOKEN_FILE is not there"),
        ((container(AZURE_CLIENT_ID=None),), Mark.WRONG, "AZURE_CLIENT_ID is not there"),
        ((container(AZURE_FEDERATED_TOKEN_FILE="/x"),), Mark.WRONG, "no token is mounted at /x"),
        ((container(AZURE_CLIENT_ID=OTHER),), Mark.WRONG, f"service account says {CLIENT} now"),
    ],
)
def test_each_container_has_what_the_webhook_gives(containers, mark, words):
    check = injection(with_pod(containers=containers))
    assert check.below[0].mark is mark
    assert words in check.below[0].found
    assert (check.mark is Mark.WRONG) == (mark is Mark.WRONG)


def test_a_secret_that_comes_before_the_token_is_noted():
    check = injection(with_pod(containers=(container(AZURE_CLIENT_SECRET="hush"),)))
    assert check.mark is Mark.OK
    assert [each.mark for each in check.below] == [Mark.OK, Mark.NOTE]
    assert "also has AZURE_CLIENT_SECRET" in check.below[1].found
    assert "before the pod's token" in check.below[1].cause
    assert "hush" not in str(check.document())


def test_a_container_that_was_put_in_later_is_no_trouble():
    check = injection(with_pod(containers=(container(), replace(BARE, name="proxy"))))
    assert check.mark is Mark.OK
    assert (check.below[1].mark, "put in after" in check.below[1].found) == (Mark.NOTE, True)


def test_what_follows_from_a_broken_link_waits_for_it():
    check = injection(with_pod(containers=(BARE,)), Mark.WRONG)
    assert {each.mark for each in check.all()} == {Mark.WAITING}
    assert not check.commands


def test_what_a_template_sets_by_hand_is_left_alone():
    owner = replace(DEPLOYMENT, variables={"web": frozenset({"AZURE_CLIENT_ID"})})
    cluster = replace(with_pod(containers=(container(AZURE_CLIENT_ID=OTHER),)), owner=owner)
    check = injection(cluster)
    assert meant(cluster).client_id == OTHER
    assert check.mark is Mark.OK
    assert f"sets AZURE_CLIENT_ID to {OTHER} by itself" in check.below[0].found


def test_a_value_from_a_secret_is_not_read():
    held = Container(
        "web",
        {**container().variables, "AZURE_CLIENT_ID": Variable(None, "Secret ids")},
        container().mounts,
    )
    assert "comes from Secret ids" in injection(with_pod(containers=(held,))).below[0].found


def test_skipped_containers_need_nothing_unless_all_are():
    notes = {SKIP: "side; gone"}
    two = with_pod(containers=(container(), replace(BARE, name="side")), annotations=notes)
    assert injection(two).mark is Mark.OK
    assert [each.mark for each in injection(two).below] == [Mark.OK, Mark.NOTE, Mark.NOTE]
    assert injection(with_pod(annotations={SKIP: "web"})).mark is Mark.WRONG


def test_the_newest_annotation_is_what_the_pod_is_meant_to_be():
    assert meant(annotated(client_id=OTHER)).client_id == OTHER
    assert meant(replace(CLUSTER, account=None)).client_id == CLIENT
    assert POD.token_of(BARE) is None
