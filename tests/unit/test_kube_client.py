"""The Kubernetes client, against a real socket that plays the API server."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

import pytest
from aiohttp import web
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.kube.client import Cluster
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, CONFIG_MAPS, EVENTS, PODS
from kubernetes.aio.client import Configuration

MANIFEST = {"metadata": {"namespace": "team", "name": "support"}, "data": {"x": "Zürich 🙂 \x01"}}


@dataclass
class Api:
    """Answers every request in the same way, and keeps what it was sent."""

    status: int = 200
    answer: bytes = b"{}"
    asked: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.raw_path}")
        self.kinds.append(request.headers.get("content-type", ""))
        self.bodies.append(await request.read())
        return web.Response(status=self.status, body=self.answer, content_type="application/json")


@asynccontextmanager
async def cluster(api, **how):
    runner = web.ServerRunner(web.Server(api))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    configuration = type.__call__(Configuration)
    configuration.host = "http://{}:{}".format(*runner.addresses[0])
    try:
        async with Cluster(configuration, **how) as one:
            yield one
    finally:
        await runner.cleanup()


def refusal(status, **body):
    return Api(status, json.dumps(body).encode())


async def test_an_apply_sends_words_as_utf_8_and_says_so():
    api = Api()
    async with cluster(api) as one:
        await one.apply(CONFIG_MAPS, MANIFEST, onto="u")
    assert api.asked == [
        "PATCH /api/v1/namespaces/team/configmaps/support?fieldManager=chatbot-operator&force=true"
    ]
    assert api.kinds == ["application/apply-patch+yaml; charset=utf-8"]
    assert "Zürich 🙂".encode() in api.bodies[0]
    metadata = {**MANIFEST["metadata"], "uid": "u"}
    assert json.loads(api.bodies[0]) == {**MANIFEST, "metadata": metadata}


async def test_an_apply_onto_nothing_names_a_version_that_nothing_has():
    api = Api()
    async with cluster(api) as one:
        await one.apply(CONFIG_MAPS, MANIFEST, onto=None)
    assert json.loads(api.bodies[0])["metadata"] == {
        **MANIFEST["metadata"],
        "resourceVersion": "1",
    }


async def test_a_status_replaces_the_one_of_the_object_that_was_read():
    api, status = Api(), {"pods": "1/1", "message": "Zürich 🙂"}
    async with cluster(api) as one:
        await one.replace_status(CHATBOTS, "team", "support", uid="u", status=status)
        await one.replace_status(ACCOUNTS, "", "contoso", uid="v", status=status)
    root = "PATCH /apis/chatbot-operator.dev/v1alpha1"
    assert api.asked == [
        f"{root}/namespaces/team/azureopenaichatbots/support/status",
        f"{root}/azureopenaiaccounts/contoso/status",
    ]
    assert api.kinds == ["application/json-patch+json"] * 2
    assert [json.loads(body) for body in api.bodies] == [
        [
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "add", "path": "/status", "value": status},
        ]
        for uid in ("u", "v")
    ]


async def test_another_object_under_the_name_does_not_get_the_status():
    async with cluster(refusal(422, reason="Invalid", message="test failed")) as one:
        with pytest.raises(KubernetesRefusal, match="test failed"):
            await one.replace_status(CHATBOTS, "team", "support", uid="u", status={})


async def test_what_is_not_there_is_none():
    async with cluster(refusal(404, reason="NotFound")) as one:
        assert await one.get(CHATBOTS, "team", "support") is None
        gone = await one.set_finalizers(CHATBOTS, "team", "support", version="1", finalizers=[])
        assert gone is None
        await one.delete(CHATBOTS, "team", "support", uid="u")


async def test_another_object_under_the_name_is_not_deleted():
    api = refusal(409, reason="Conflict")
    async with cluster(api) as one:
        await one.delete(CONFIG_MAPS, "team", "support", uid="u")
    sent = json.loads(api.bodies[0])
    assert sent["preconditions"] == {"uid": "u"}
    assert sent["propagationPolicy"] == "Foreground"


async def test_finalizers_are_replaced_only_in_the_version_that_was_read():
    api = Api()
    async with cluster(api) as one:
        await one.set_finalizers(CHATBOTS, "team", "support", version="7", finalizers=["f"])
    assert json.loads(api.bodies[0]) == {"metadata": {"resourceVersion": "7", "finalizers": ["f"]}}
    assert api.kinds == ["application/merge-patch+json"]


async def test_pods_are_picked_by_all_labels():
    api = Api(answer=b'{"items": [{"metadata": {}}]}')
    async with cluster(api) as one:
        found = await one.select(PODS, "team", {"a/b": "1", "c": "2"})
    assert found == [{"metadata": {}}]
    assert [unquote(line) for line in api.asked] == [
        "GET /api/v1/namespaces/team/pods?labelSelector=a/b=1,c=2"
    ]


async def test_what_is_picked_by_fields_is_asked_for_by_them():
    api = Api(answer=b'{"items": []}')
    async with cluster(api) as one:
        await one.select(EVENTS, "team", {}, fields={"type": "Warning"})
    assert [unquote(line) for line in api.asked] == [
        "GET /apis/events.k8s.io/v1/namespaces/team/events?labelSelector=&fieldSelector=type=Warning"
    ]


async def test_a_refusal_keeps_status_reason_and_words():
    async with cluster(refusal(422, reason="Invalid", message="too long")) as one:
        with pytest.raises(KubernetesRefusal) as caught:
            await one.apply(CONFIG_MAPS, MANIFEST, onto=None)
    told = caught.value
    assert (told.status, told.reason, told.message) == (422, "Invalid", "too long")
    assert told.operation == "PATCH /api/v1/namespaces/team/configmaps/support"


@pytest.mark.parametrize(
    "answer", [b"<html>Bad Gateway</html>", b'"Bad Gateway"', b"[]", b"", b"\xff"]
)
@pytest.mark.parametrize("status", [502, 200])
async def test_an_answer_that_is_no_object_is_a_refusal(answer, status):
    async with cluster(Api(status, answer)) as one:
        with pytest.raises(KubernetesRefusal) as caught:
            await one.get(CHATBOTS, "team", "support")
    assert caught.value.status == status


async def test_a_server_that_is_not_there_is_a_refusal_without_a_status():
    async with cluster(Api()) as one:
        pass
    async with Cluster(one._client.configuration) as unreachable:
        with pytest.raises(KubernetesRefusal) as caught:
            await unreachable.get(CHATBOTS, "team", "support")
    assert caught.value.status == 0


class OverError(Exception):
    """The time of whoever asks is over."""


@pytest.mark.parametrize("connected", [False, True])
async def test_nothing_leaves_whose_time_ended_while_it_waited_for_a_connection(connected):
    api, questions = Api(), 0
    last = 3 if connected else 1

    def before():
        nonlocal questions
        questions += 1
        if questions > last:
            raise OverError

    async with cluster(api, before=before) as one:
        if connected:
            await one.get(PODS, "team", "first")
        with pytest.raises(OverError):
            await one.get(PODS, "team", "second")
    assert len(api.asked) == int(connected)
