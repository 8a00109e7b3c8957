"""Whether the pods run, and if not, why."""

from __future__ import annotations

import pytest
from chatbot_operator.errors import Fault, Pending, Stuck
from chatbot_operator.manifests import TEMPLATE
from chatbot_operator.ports import Readiness
from chatbot_operator.steps.exposure import service_url
from chatbot_operator.steps.workload import judge
from unit.bodies import chatbot

ANSWER = [Readiness("Starting", "", "")]


def deployment(replicas=2, *, generation=4, conditions=(), **status):
    rolled = {
        "observedGeneration": 4,
        "replicas": replicas,
        "updatedReplicas": replicas,
        "availableReplicas": replicas,
    }
    return {
        "metadata": {"generation": generation},
        "spec": {"replicas": replicas, "template": template()},
        "status": {**rolled, "conditions": list(conditions), **status},
    }


def pod(**state):
    status = {"containerStatuses": [{"image": "chatbot:1", "state": state}]}
    return {**template(), "status": status}


def template(mark="new"):
    return {"metadata": {"annotations": {TEMPLATE: mark}}}


def waits(reason, message="in words"):
    return pod(waiting={"reason": reason, "message": message})


def outcome(made, pods=(), answers=()):
    try:
        return judge(made, list(pods), list(answers))
    except Fault as fault:
        return type(fault), fault.reason


def test_pods_run_when_the_rollout_is_over():
    assert outcome(deployment()) == "2 of 2 pods are ready."
    assert outcome(deployment(availableReplicas=1)) == "1 of 2 pods are ready."


def test_pods_that_answer_run_although_they_are_not_ready():
    assert (
        outcome(deployment(availableReplicas=0), answers=ANSWER)
        == "The pods run; none is ready yet."
    )
    assert outcome(deployment(availableReplicas=0)) == (Pending, "PodsStarting")


@pytest.mark.parametrize("status", [{"updatedReplicas": 1, "replicas": 1}, {"replicas": 3}])
@pytest.mark.parametrize("seen", [3, 4])
def test_another_number_of_pods_of_the_same_template_changes_nothing_for_those_that_serve(
    status, seen
):
    scaling = deployment(availableReplicas=1, observedGeneration=seen)
    scaling["status"] |= status
    assert outcome(scaling, [pod()]) == "1 of 2 pods are ready."
    assert outcome(scaling, [pod(), pod() | template("old")]) == (Pending, "RollingOut")
    refused = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
    scaling["status"]["conditions"] = [refused]
    assert outcome(scaling, [pod()]) == (Stuck, "PodsRefused")


@pytest.mark.parametrize(
    "status",
    [
        {"updatedReplicas": 1},
        {"replicas": 3},
        {"observedGeneration": 3},
    ],
)
def test_a_rollout_under_way_is_no_error(status):
    rolling = deployment()
    rolling["status"] |= status
    assert outcome(rolling, answers=ANSWER) == (Pending, "RollingOut")


def test_a_deployment_that_nobody_has_looked_at_is_rolling_out():
    fresh = deployment()
    del fresh["status"]
    assert outcome(fresh) == (Pending, "RollingOut")


def test_scaled_to_zero_is_said():
    assert outcome(deployment(0)) == (Pending, "ScaledToZero")
    with pytest.raises(Pending) as caught:
        judge(deployment(0), [], [])
    assert caught.value.retry_after >= 600, "an edit is an event; nobody has to look for it"


@pytest.mark.parametrize(
    ("reason", "kind", "shown"),
    [
        ("ErrImagePull", Stuck, "ImagePullFailed"),
        ("ImagePullBackOff", Stuck, "ImagePullFailed"),
        ("InvalidImageName", Stuck, "ImagePullFailed"),
        ("ErrImageNeverPull", Stuck, "ImagePullFailed"),
        ("CreateContainerConfigError", Stuck, "ContainerConfigError"),
        ("CreateContainerError", Stuck, "ContainerConfigError"),
        ("RunContainerError", Stuck, "ContainerConfigError"),
        ("CrashLoopBackOff", Stuck, "CrashLoop"),
        ("ContainerCreating", Pending, "RollingOut"),
    ],
)
def test_a_pod_that_cannot_start_says_why(reason, kind, shown):
    rolling = deployment(updatedReplicas=1, availableReplicas=0)
    assert outcome(rolling, [pod(running={}), waits(reason)]) == (kind, shown)


def test_a_pod_that_cannot_start_does_not_speak_for_those_that_run():
    assert outcome(deployment(), [waits("ImagePullBackOff")]) == "2 of 2 pods are ready."


def test_the_image_is_named_when_the_kubelet_says_nothing():
    with pytest.raises(Stuck, match="ErrImagePull: chatbot:1"):
        judge(deployment(updatedReplicas=1), [waits("ErrImagePull", "")], [])


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ({"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}, "PodsRefused"),
        (
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"},
            "RolloutStalled",
        ),
    ],
)
def test_a_deployment_that_gets_no_pods_says_why(condition, shown):
    stuck = deployment(updatedReplicas=0, conditions=[{**condition, "message": "quota"}])
    with pytest.raises(Stuck, match="quota") as caught:
        judge(stuck, [], [])
    assert caught.value.reason == shown


def test_a_webhook_that_is_away_is_told_from_a_refusal():
    said = (
        'Internal error occurred: failed calling webhook "mutation.azure-workload-identity.io":'
        " failed to call webhook: connection refused"
    )
    failed = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": said}
    with pytest.raises(Stuck, match=r"mutation\.azure-workload-identity\.io") as caught:
        judge(deployment(updatedReplicas=0, conditions=[failed]), [], [])
    assert caught.value.reason == "WebhookUnavailable"


def test_a_failure_that_is_over_is_none():
    over = {"type": "ReplicaFailure", "status": "False", "reason": "FailedCreate"}
    assert outcome(deployment(updatedReplicas=1, conditions=[over])) == (Pending, "RollingOut")


@pytest.mark.parametrize(
    ("kind", "port", "ingress", "address"),
    [
        ("ClusterIP", 80, [], "http://support.team.svc"),
        ("ClusterIP", 8080, [], "http://support.team.svc:8080"),
        ("LoadBalancer", 80, [], ""),
        ("LoadBalancer", 80, [{"ip": "20.1.2.3"}], "http://20.1.2.3"),
        ("LoadBalancer", 81, [{"ip": "20.1.2.3"}], "http://20.1.2.3:81"),
        ("LoadBalancer", 80, [{"hostname": "chat.example"}], "http://chat.example"),
        ("LoadBalancer", 81, [{"ip": "fd00::1"}], "http://[fd00::1]:81"),
    ],
)
def test_a_chatbot_has_an_address(kind, port, ingress, address):
    service = {"status": {"loadBalancer": {"ingress": ingress}}}
    assert service_url(chatbot(service={"type": kind, "port": port}), service) == address


def test_a_pod_that_is_being_replaced_says_nothing_about_the_new_ones():
    old = {**waits("ImagePullBackOff"), **template("old")}
    rolling = deployment(updatedReplicas=1, availableReplicas=0)
    assert outcome(rolling, pods=[old]) == (Pending, "RollingOut")
    assert outcome(rolling, pods=[waits("ImagePullBackOff")]) == (Stuck, "ImagePullFailed")
