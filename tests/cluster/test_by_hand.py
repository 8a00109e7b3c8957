"""What somebody does by hand to any object of a chatbot is undone at once: a watch tells of it."""

from __future__ import annotations

import asyncio

import pytest
from chatbot_operator.manifests import differences
from chatbot_operator.ports import (
    ACCOUNTS,
    AUTOSCALERS,
    CHATBOTS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    HTTP_ROUTES,
    INGRESSES,
    NETWORK_POLICIES,
    SERVICE_ACCOUNTS,
    SERVICES,
)
from chatbot_operator.watches import CHILDREN
from cluster_world import account, chatbot
from gateway import accept

AT_ONCE = 10
"""Seconds within which a watch leads to a repair; every planned look is further off."""
SECONDS = 60
SELDOM = {"RESYNC_SECONDS": "3600", "PROOF_RECHECK_SECONDS": "3600"}
HOST = "chat.example.com"
EVERYTHING = {
    "chat": {"systemPrompt": "Be kind."},
    "ingress": {"host": HOST},
    "httpRoute": {"parentRefs": [{"name": "public"}], "hostnames": [HOST]},
    "autoscaling": {"minReplicas": 1, "maxReplicas": 2},
}
EDITS = {
    SERVICE_ACCOUNTS: {"metadata": {"annotations": {"azure.workload.identity/client-id": "x"}}},
    CONFIG_MAPS: {"data": {"system-prompt": "Be rude."}},
    DEPLOYMENTS: {"metadata": {"labels": {"app.kubernetes.io/name": "x"}}},
    SERVICES: {"spec": {"selector": {"app.kubernetes.io/name": "x"}}},
    INGRESSES: {"spec": {"rules": [{"host": "evil.example"}]}},
    HTTP_ROUTES: {"spec": {"hostnames": ["evil.example"]}},
    NETWORK_POLICIES: {"spec": {"ingress": [{}]}},
    AUTOSCALERS: {"spec": {"maxReplicas": 50}},
    DISRUPTION_BUDGETS: {"spec": {"maxUnavailable": 0}},
}


def essence(live):
    """An object without what the API server counts and its controllers write."""
    kept = {k: live["metadata"][k] for k in ("labels", "annotations")}
    return {**{k: v for k, v in live.items() if k != "status"}, "metadata": kept}


@pytest.fixture
async def at_rest(start, hand, audit, namespace):
    """A chatbot with everything it can have, and a process that looks at it only when told."""
    await hand.create(account(namespace))
    async with start(**SELDOM):
        await hand.create(chatbot(namespace, account=namespace, **EVERYTHING))
        await rest(hand, audit, namespace)
        yield namespace
        await hand.delete(CHATBOTS, namespace)
        async with asyncio.timeout(SECONDS):
            while await hand.get(CHATBOTS, namespace):
                await asyncio.sleep(0.2)
    await hand.delete(ACCOUNTS, "", namespace)


async def rest(hand, audit, namespace):
    """Be kubelet and Gateway until the chatbot is ready, and no pass follows; the next is far off.

    A repair is told by a watch itself, and the pass that it leads to would hide what another watch
    does not tell.
    """
    async with asyncio.timeout(SECONDS):
        while (await hand.conditions(namespace)).get("Ready", {}).get("status") != "True":
            await hand.run_pods(namespace)
            if await hand.get(HTTP_ROUTES, namespace):
                await accept(hand, namespace)
            await asyncio.sleep(0.2)
        passes = True
        while passes:
            mark = audit.mark()
            await asyncio.sleep(1)
            passes = any(e["verb"] == "get" for e in audit.since(mark))


def test_the_edits_are_of_every_kind_that_is_watched():
    assert EDITS.keys() == set(CHILDREN)


async def test_an_edit_of_any_object_is_undone_at_once(hand, audit, at_rest):
    for resource, edit in EDITS.items():
        before = await hand.get(resource, at_rest)
        edited = await hand.edit(resource, at_rest, edit)
        assert differences(edited, essence(before)) != []
        async with asyncio.timeout(AT_ONCE):
            while differences(await hand.get(resource, at_rest), essence(before)):
                await asyncio.sleep(0.1)
        await rest(hand, audit, at_rest)


async def test_any_object_that_is_deleted_is_made_again_at_once(hand, audit, at_rest):
    for resource in EDITS:
        before = await hand.get(resource, at_rest)
        await hand.delete(resource, at_rest)
        async with asyncio.timeout(AT_ONCE):
            while not is_made_again(await hand.get(resource, at_rest), before):
                await asyncio.sleep(0.1)
        await rest(hand, audit, at_rest)


def is_made_again(live, before):
    return live is not None and live["metadata"]["uid"] != before["metadata"]["uid"]
