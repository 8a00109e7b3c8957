"""Pods that are not made, or made without workload identity: said in words, mended if possible."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from chatbot_operator.ports import DEPLOYMENTS, PODS
from chatbot_operator.steps.injection import RESTARTS
from cluster_world import PATIENCE, chatbot, key, path

HOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"


@pytest.fixture
async def webhook_away(hand, namespace):
    """A webhook that every pod of the namespace needs, and that nobody answers for."""
    where = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"]}
    hook = {
        "name": "mutation.azure-workload-identity.io",
        "clientConfig": {"url": "https://127.0.0.1:1/mutate-v1-pod"},
        "rules": [rule | {"resources": ["pods"]}],
        "namespaceSelector": where,
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    await hand.api.post(HOOKS, {"metadata": {"name": namespace}, "webhooks": [hook]})
    yield
    with contextlib.suppress(Exception):
        await hand.api.delete(f"{HOOKS}/{namespace}")


async def test_a_webhook_that_is_away_is_named_and_its_return_mends_it(
    operator, hand, namespace, webhook_away
):
    await hand.create(chatbot(namespace))
    fault = await operator.refused(key(namespace))
    assert fault.reason == "WebhookUnavailable"
    ready = (await hand.conditions(namespace))["Ready"]
    assert (ready["status"], ready["reason"]) == ("False", "WebhookUnavailable")
    assert "mutation.azure-workload-identity.io" in ready["message"]
    await hand.api.delete(f"{HOOKS}/{namespace}")
    await again(operator, namespace)
    assert (await hand.conditions(namespace))["Ready"]["status"] == "True"


async def again(operator, namespace):
    """Come to rest although the ReplicaSet is slow to try again."""
    for _ in range(50):
        look = await operator.look(key(namespace))
        if not look.fault or look.fault.reason in {"PodsStarting", "RollingOut", "Proving"}:
            break
        await asyncio.sleep(0.5)
    await operator.settle(key(namespace))


async def test_pods_that_a_quota_refuses_are_said_in_words(operator, hand, namespace):
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    await hand.api.post(f"/api/v1/namespaces/{namespace}/resourcequotas", quota)
    await hand.create(chatbot(namespace))
    fault = await operator.refused(key(namespace))
    assert fault.reason == "PodsRefused"
    assert "exceeded quota: none" in (await hand.conditions(namespace))["Ready"]["message"]


async def pods_of(hand, namespace):
    found = (await hand.api.get(path(PODS, namespace)))["items"]
    return {p["metadata"]["uid"] for p in found if "deletionTimestamp" not in p["metadata"]}


async def test_pods_without_workload_identity_are_restarted_within_a_budget(
    operator, hand, pods, settled
):
    pods.say("NotInjected", proven_at=None)
    seen = await pods_of(hand, settled)
    for _ in range(40):
        await operator.look(key(settled))
        await hand.run_pods(settled)
        seen |= await pods_of(hand, settled)
        await asyncio.sleep(0.1)
    assert len(seen) == 1 + RESTARTS
    assert (await hand.conditions(settled))["Ready"]["reason"] == "NotInjected"
    pods.say()
    await operator.settle(key(settled))
    assert (await hand.conditions(settled))["Ready"]["status"] == "True"


@pytest.mark.parametrize(
    ("waiting", "reason"),
    [
        ("ImagePullBackOff", "ImagePullFailed"),
        ("CreateContainerConfigError", "ContainerConfigError"),
        ("CrashLoopBackOff", "CrashLoop"),
    ],
)
async def test_a_container_that_does_not_run_is_told_in_the_kubelets_words(
    operator, hand, namespace, waiting, reason
):
    await hand.create(chatbot(namespace))
    await until_said(reason, operator, hand, namespace, kubelet(hand, namespace, waiting))
    ready = (await hand.conditions(namespace))["Ready"]
    assert (ready["status"], ready["reason"]) == ("False", reason)
    assert "The kubelet says so." in ready["message"]


async def test_a_rollout_that_takes_too_long_is_told(operator, hand, namespace):
    async def give_up():
        late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
        status = {"status": {"conditions": [{**late, "message": "Too late."}]}}
        await hand.api.patch(f"{path(DEPLOYMENTS, namespace, 'support')}/status", status)

    await hand.create(chatbot(namespace))
    await until_said("RolloutStalled", operator, hand, namespace, give_up)
    assert (await hand.conditions(namespace))["Stalled"]["reason"] == "RolloutStalled"


def kubelet(hand, namespace, waiting):
    """Does to pods what a kubelet does that cannot start their container."""

    async def report():
        for pod in (await hand.api.get(path(PODS, namespace)))["items"]:
            (container,) = pod["spec"]["containers"]
            state = {"waiting": {"reason": waiting, "message": "The kubelet says so."}}
            own = {"name": container["name"], "image": container["image"], "imageID": ""}
            status = {"containerStatuses": [{**own, "ready": False, "restartCount": 0}]}
            status["containerStatuses"][0]["state"] = state
            where = f"{path(PODS, namespace, pod['metadata']['name'])}/status"
            await hand.api.patch(where, {"status": status})

    return report


async def until_said(reason, operator, hand, namespace, happen):
    """Look, and let it happen, until that is why the pass ends."""
    async with asyncio.timeout(PATIENCE):
        while (fault := (await operator.look(key(namespace))).fault) is None or (
            fault.reason != reason
        ):
            if await hand.get(DEPLOYMENTS, namespace):
                await happen()
            await asyncio.sleep(0.1)
