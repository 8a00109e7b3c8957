"""The operator as a process of its own: under exactly the rights that are shipped, no more used."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path

import yaml
from chatbot_operator.election import LEASES
from chatbot_operator.ports import (
    ACCOUNTS,
    CHATBOTS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    EVENTS,
    HTTP_ROUTES,
)
from cluster_world import account, chatbot, path
from sandbox.cluster.api import ApiError

HOME = "chatbot-operator"
SECONDS = 60
PROMPT = "Never say swordfish."
ROOT = Path(__file__).parents[2]


async def until(what, hand, namespace):
    """Wait for `what` to give something, being the kubelet meanwhile."""
    async with asyncio.timeout(SECONDS):
        while not (found := await what()):
            await hand.run_pods(namespace)
            await asyncio.sleep(0.2)
    return found


def ready(hand, namespace):
    async def look():
        condition = (await hand.conditions(namespace)).get("Ready")
        return condition is not None and condition["status"] == "True"

    return look


def told(hand, namespace, reason):
    async def look():
        events = (await hand.api.get(path(EVENTS, namespace)))["items"]
        return any(event["reason"] == reason for event in events)

    return look


def gone(hand, namespace):
    async def look():
        return await hand.get(CHATBOTS, namespace) is None

    return look


async def test_a_life_uses_every_right_that_is_shipped_and_meets_no_refusal(
    *, start, hand, pods, azure, audit, namespace, tmp_path
):
    with contextlib.suppress(ApiError):  # no other test had replicas elect one
        await hand.api.delete(path(LEASES, HOME, HOME))
    mark = audit.mark()
    async with start(POD_NAMESPACE=HOME) as process:
        await hand.create(account(namespace))
        wanted = {"chat": {"systemPrompt": PROMPT}, "autoscaling": {"maxReplicas": 2}}
        host = {"ingress": {"host": "chat.example.com"}}
        pods.say("NotInjected", proven_at=None)
        await hand.create(chatbot(namespace, account=namespace, **wanted, **host))
        await until(told(hand, namespace, "PodRestarted"), hand, namespace)
        pods.say()
        await until(ready(hand, namespace), hand, namespace)
        before = await hand.get(DEPLOYMENTS, namespace)
        await hand.delete(CONFIG_MAPS, namespace)
        await until(lambda: hand.get(CONFIG_MAPS, namespace), hand, namespace)
        route = {"parentRefs": [{"name": "public"}], "hostnames": ["chat.example.com"]}
        await prompt(hand, namespace, "Shorter.")
        source = {"configMapKeyRef": {"name": "prompts", "key": "support"}}
        chat = {"systemPrompt": None, "systemPromptFrom": source}
        await hand.edit(CHATBOTS, namespace, {"spec": {"chat": chat, "httpRoute": route}})

        async def rolled():
            live = await hand.get(DEPLOYMENTS, namespace)
            return live["spec"]["template"] != before["spec"]["template"]

        await until(rolled, hand, namespace)
        await until(lambda: hand.get(HTTP_ROUTES, namespace), hand, namespace)
        before = await hand.get(DEPLOYMENTS, namespace)
        await prompt(hand, namespace, "Shortest.")
        await until(rolled, hand, namespace)

        async def counted():
            live = await hand.get(ACCOUNTS, "", namespace)
            return live["status"]["chatbots"] == 1

        await until(counted, hand, namespace)
        await hand.delete(CHATBOTS, namespace)
        await until(gone(hand, namespace), hand, namespace)
        assert await azure.identities(namespace) == []
        await hand.delete(ACCOUNTS, "", namespace)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(SECONDS):
            assert await process.wait() == 0
    events = audit.since(mark)
    assert [e["requestURI"] for e in events if e["responseStatus"].get("code") == 403] == []
    assert used(events) == granted() - NOT_ASKED_FOR
    said = (tmp_path / "operator.log").read_text()
    assert "Traceback" not in said
    assert "swordfish" not in said
    assert "eyJ" not in said  # how every token begins


async def prompt(hand, namespace, text):
    """Write a team's own ConfigMap, new or changed, that the operator is to hear of."""
    where = path(CONFIG_MAPS, namespace, "prompts")
    if await hand.get(CONFIG_MAPS, namespace, "prompts"):
        await hand.api.patch(where, {"data": {"support": text}})
        return
    metadata = {"name": "prompts", "labels": {"chatbot-operator.dev/watch": ""}}
    body = {"metadata": metadata, "data": {"support": text}}
    await hand.api.post(path(CONFIG_MAPS, namespace), body)


NOT_ASKED_FOR = {
    # Looked up by the admission plugin OwnerReferencesPermissionEnforcement, where it is switched
    # on (OpenShift), for blockOwnerDeletion; never a request of the operator's own.
    ("chatbot-operator.dev", "azureopenaichatbots/finalizers", "update"),
}


def used(events):
    """The rights that the requests took; an apply that creates takes create beside patch."""
    found = set()
    for event in events:
        about = event.get("objectRef")
        if about is None:
            continue
        what = "/".join(filter(None, (about["resource"], about.get("subresource"))))
        group, code = about.get("apiGroup", ""), event["responseStatus"].get("code")
        found.add((group, what, event["verb"]))
        if (event["verb"], code) == ("patch", 201):
            found.add((group, what, "create"))
    return found


def granted():
    """The rights in the shipped manifests, whichever role gives them."""
    manifests = (ROOT / "deploy/kustomize/base/rbac.yaml").read_text()
    return {
        (group, resource, verb)
        for document in yaml.safe_load_all(manifests)
        for rule in document.get("rules", ())
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


async def test_killed_in_the_middle_it_goes_on_where_it_was(start, hand, azure, namespace):
    await hand.create(account(namespace))
    async with start() as process:
        await hand.create(chatbot(namespace, account=namespace))
        async with asyncio.timeout(SECONDS):
            while not await azure.identities(namespace):
                await asyncio.sleep(0.02)
        process.kill()
        await process.wait()
    first = await azure.identity(namespace)
    async with start():
        await until(ready(hand, namespace), hand, namespace)
        assert (await azure.identity(namespace))["principal_id"] == first["principal_id"]
        assert len(await azure.described(namespace)) == 1
        await hand.delete(CHATBOTS, namespace)
        await until(gone(hand, namespace), hand, namespace)
    assert await azure.identities(namespace) == []
    assert await azure.described(namespace) == []
    await hand.delete(ACCOUNTS, "", namespace)
