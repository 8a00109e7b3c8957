"""Admission that undoes what the operator applies, by a real webhook."""

from __future__ import annotations

import base64
import contextlib
import json
import socket

import pytest
from aiohttp import web
from chatbot_operator.ports import CHATBOTS, DEPLOYMENTS, SERVICES
from chatbot_operator.steps.children import ATTEMPTS
from cluster_world import Operator, chatbot, key
from sandbox.cluster.https import serving

HOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
SELECTOR = [{"op": "replace", "path": "/spec/selector/app.kubernetes.io~1name", "value": "theirs"}]


async def mutate(request):
    review = await request.json()
    patch = base64.b64encode(json.dumps(SELECTOR).encode()).decode()
    answer = {"uid": review["request"]["uid"], "allowed": True}
    answer |= {"patchType": "JSONPatch", "patch": patch}
    return web.json_response({**review, "response": answer})


@pytest.fixture
async def webhook(hand, authority, namespace):
    """A webhook that gives every Service of the namespace another selector; call it to end it."""
    bound = socket.create_server(("127.0.0.1", 0))
    app = web.Application()
    app.router.add_post("/", mutate)
    bundle = base64.b64encode(authority.certificate.read_bytes()).decode()
    url = f"https://127.0.0.1:{bound.getsockname()[1]}/"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["services"]}
    hook = {
        "name": "selector.example.com",
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


def applies(audit, mark, namespace):
    """How often the Service was written."""
    return sum(e["objectRef"]["resource"] == "services" for e in audit.writes(mark, namespace))


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
    theirs = {"spec": {"selector": {"app.kubernetes.io/name": "other"}}}
    await hand.edit(SERVICES, namespace, theirs)
    await operator.settle(key(namespace))
    assert (await hand.conditions(namespace))["Ready"]["status"] == "True"


async def test_resources_in_any_spelling_are_no_difference(operator, hand, audit, namespace):
    resources = {"requests": {"cpu": "1000m"}, "limits": {"memory": "1024Mi"}}
    await hand.create(chatbot(namespace, pods={"resources": resources}))
    await operator.settle(key(namespace))
    live = (await hand.get(DEPLOYMENTS, namespace))["spec"]["template"]["spec"]["containers"][0]
    assert live["resources"] == {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}
    mark = audit.mark()
    await Operator(operator.world, hand).settle(key(namespace))
    assert audit.writes(mark, namespace) == []
