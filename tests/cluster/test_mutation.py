"""Admission that undoes what the operator applies, by a real webhook."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket

import pytest
from aiohttp import web
from chatbot_operator.ports import CHATBOTS, DEPLOYMENTS, SERVICES
from chatbot_operator.steps.children import ATTEMPTS
from cluster_world import PATIENCE, Operator, chatbot, key
from sandbox.cluster.https import serving

HOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
SELECTOR = ("services", "/spec/selector/app.kubernetes.io~1name", "theirs")
MIRROR = ("deployments", "/spec/template/spec/containers/0/image", "mirror.example/chatbot")
MORE = ("horizontalpodautoscalers", "/spec/maxReplicas", 3)
DOORS = ("networkpolicies", "/spec/ingress", [{}])


@pytest.fixture
def undoes():
    """The kind of which the webhook changes every object, where, and into what."""
    return SELECTOR


@pytest.fixture
async def webhook(hand, authority, namespace, undoes):
    """A webhook that changes every object of a kind in the namespace; call it to end it."""
    plural, where, value = undoes
    patch = [{"op": "replace", "path": where, "value": value}]

    async def mutate(request):
        review = await request.json()
        answer = {"uid": review["request"]["uid"], "allowed": True, "patchType": "JSONPatch"}
        answer["patch"] = base64.b64encode(json.dumps(patch).encode()).decode()
        return web.json_response({**review, "response": answer})

    bound = socket.create_server(("127.0.0.1", 0))
    app = web.Application()
    app.router.add_post("/", mutate)
    bundle = base64.b64encode(authority.certificate.read_bytes()).decode()
    url = f"https://127.0.0.1:{bound.getsockname()[1]}/"
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "resources": [plural]}
    hook = {
        "name": "undoing.example.com",
        "clientConfig": {"url": url, "caBundle": bundle},
        "rules": [rule | {"operations": ["CREATE", "UPDATE"]}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }

    async def end():
        await hand.api.delete(f"{HOOKS}/{namespace}")

    async with serving(app, bound, authority.issue("mutating")):
        await hand.api.post(HOOKS, {"metadata": {"name": namespace}, "webhooks": [hook]})
        yield end
        with contextlib.suppress(Exception):
            await end()


def applies(audit, mark, namespace, plural="services"):
    """How often objects of a kind were written."""
    return sum(e["objectRef"]["resource"] == plural for e in audit.writes(mark, namespace))


async def test_what_admission_undoes_is_not_written_for_ever(
    *, operator, hand, audit, namespace, webhook
):
    mark = audit.mark()
    await hand.create(chatbot(namespace))
    fault = await operator.refused(key(namespace))
    assert fault.reason == "MutatedByAdmission"
    assert "Service support: spec.selector.app.kubernetes.io/name" in fault.message
    ready = (await hand.conditions(namespace))["Ready"]
    assert (ready["status"], ready["reason"]) == ("False", "MutatedByAdmission")
    assert applies(audit, mark, namespace) == ATTEMPTS
    for _ in range(3):
        again = await operator.look(key(namespace))
        assert again.fault.reason == "MutatedByAdmission"
    assert applies(audit, mark, namespace) == ATTEMPTS


@pytest.mark.parametrize("undoes", [MIRROR, MORE], ids=lambda what: what[0])
async def test_what_works_all_the_same_is_only_degraded(
    *, operator, hand, audit, namespace, webhook, undoes
):
    mark, plural = audit.mark(), undoes[0]
    await hand.create(chatbot(namespace, autoscaling={"minReplicas": 1, "maxReplicas": 2}))
    await operator.settle(key(namespace))
    conditions = await hand.conditions(namespace)
    assert conditions["Ready"]["status"] == "True"
    assert conditions["Degraded"]["reason"] == "MutatedByAdmission"
    assert "Stalled" not in conditions
    field = undoes[1].rpartition("/")[2]
    assert field in conditions["Degraded"]["message"]
    written = applies(audit, mark, namespace, plural)
    mark = audit.mark()
    for _ in range(3):
        await operator.look(key(namespace))
    assert written >= ATTEMPTS
    assert audit.writes(mark, namespace) == []
    await webhook()
    await hand.edit(CHATBOTS, namespace, {"spec": {"pods": {"labels": {"team": "a"}}}})
    await hand.edit(CHATBOTS, namespace, {"spec": {"autoscaling": {"maxReplicas": 4}}})
    await operator.settle(key(namespace))
    assert "Degraded" not in await hand.conditions(namespace)


@pytest.mark.parametrize("undoes", [DOORS], ids=lambda what: what[0])
async def test_what_no_proof_would_show_keeps_the_chatbot_from_being_made(
    *, operator, hand, namespace, webhook
):
    await hand.create(chatbot(namespace))
    assert (await operator.refused(key(namespace))).reason == "MutatedByAdmission"
    assert await hand.get(DEPLOYMENTS, namespace) is None


async def test_it_is_tried_again_when_the_chatbot_changes(
    *, operator, hand, audit, namespace, webhook
):
    await hand.create(chatbot(namespace))
    await operator.refused(key(namespace))
    await webhook()
    mark = audit.mark()
    await operator.look(key(namespace))
    assert applies(audit, mark, namespace) == 0
    await hand.edit(CHATBOTS, namespace, {"spec": {"service": {"port": 81}}})
    await operator.settle(key(namespace))
    assert (await hand.conditions(namespace))["Ready"]["status"] == "True"


async def test_it_is_tried_again_when_the_object_changes(*, operator, hand, namespace, webhook):
    await hand.create(chatbot(namespace))
    await operator.refused(key(namespace))
    await webhook()
    theirs = {"app.kubernetes.io/name": "other"}
    async with asyncio.timeout(PATIENCE):  # the API server hears of the webhook's end in its time
        while not theirs.items() <= (await selector(hand, namespace)).items():
            await hand.edit(SERVICES, namespace, {"spec": {"selector": theirs}})
    await operator.settle(key(namespace))
    assert (await hand.conditions(namespace))["Ready"]["status"] == "True"


async def selector(hand, namespace):
    return (await hand.get(SERVICES, namespace))["spec"]["selector"]


async def test_resources_in_any_spelling_are_no_difference(operator, hand, audit, namespace):
    resources = {"requests": {"cpu": "1000m"}, "limits": {"memory": "1024Mi"}}
    await hand.create(chatbot(namespace, pods={"resources": resources}))
    await operator.settle(key(namespace))
    live = (await hand.get(DEPLOYMENTS, namespace))["spec"]["template"]["spec"]["containers"][0]
    assert live["resources"] == {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}
    mark = audit.mark()
    await Operator(operator.world, hand).settle(key(namespace))
    assert audit.writes(mark, namespace) == []
