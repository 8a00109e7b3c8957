"""Lists repair what watches missed, on the real API server."""

from __future__ import annotations

import asyncio

import httpx2
from chatbot_operator import ports
from chatbot_operator.ports import ACCOUNTS, CHATBOTS
from chatbot_operator.resync import compare
from chatbot_operator.told import Told
from cluster_world import account, chatbot
from sandbox.processes import free_port


def known(namespace, keys):
    """What of the queue's keys is about this test."""
    return [
        (key.resource, key.name)
        for key in keys
        if key.namespace == namespace or (key.resource == ACCOUNTS and key.name == namespace)
    ]


async def test_what_watches_missed_is_told_by_the_next_list(world, hand, namespace, monkeypatch):
    monkeypatch.setattr("chatbot_operator.kube.client.PAGE", 2)
    asked = []

    async def enqueue(key, **_how):
        asked.append(key)

    told = Told(enqueue)
    await hand.create(account(namespace))
    for name in ("kept", "edited", "lost"):
        await hand.create(chatbot(namespace, name, account=namespace))
    await compare(world.kubernetes, told)
    assert len(told.users.of(namespace)) == 3
    asked.clear()
    await hand.delete(CHATBOTS, namespace, "lost")
    await hand.edit(CHATBOTS, namespace, {"spec": {"replicas": 2}}, "edited")
    await hand.create(chatbot(namespace, "new", account=namespace))
    await compare(world.kubernetes, told)
    assert sorted(name for kind, name in known(namespace, asked) if kind == CHATBOTS) == [
        "edited",
        "lost",
        "new",
    ]
    assert [key.name for key in told.users.of(namespace)] == ["edited", "kept", "new"]
    asked.clear()
    await compare(world.kubernetes, told)
    assert known(namespace, asked) == []
    await hand.delete(ACCOUNTS, "", namespace)
    await compare(world.kubernetes, told)
    assert [name for _, name in known(namespace, asked)] == ["edited", "kept", "new"]


async def test_the_process_lists_after_its_start_and_now_and_then(start, hand, audit, namespace):
    mark, port = audit.mark(), free_port()
    async with start(RESYNC_SECONDS="3", PROBE_PORT=str(port)):
        await hand.create(chatbot(namespace))
        async with asyncio.timeout(30), httpx2.AsyncClient() as http:
            while len(lists(audit, mark)) < 4:
                await asyncio.sleep(0.2)
            answer = await http.get(f"http://127.0.0.1:{port}/healthz")
    assert answer.status_code == 200
    assert answer.json()["leading"] is True
    assert answer.json()["silenceSeconds"] < 10


def lists(audit, mark):
    """The pages of chatbots and accounts that were listed, but those that kopf's watches begin."""
    plurals = (ports.CHATBOTS.plural, ports.ACCOUNTS.plural)
    return [
        e["requestURI"]
        for e in audit.since(mark)
        if e["verb"] == "list" and e["objectRef"]["resource"] in plurals
        if "limit=500" in e["requestURI"]
    ]
