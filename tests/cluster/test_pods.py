"""Pods that are not made, or made without workload identity: said in words, mended if possible."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from chatbot_operator.ports import PODS
from chatbot_operator.steps.injection import RESTARTS
from cluster_world import chatbot, key, path

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
