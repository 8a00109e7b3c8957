"""A fleet that comes at once, against an Azure that throttles."""

from __future__ import annotations

import asyncio

import pytest
from cluster_world import chatbot, key

FLEET = 30
WORKERS = 16


@pytest.fixture
async def strict(azure, operator):
    """An Azure that throttles as the real one does, once the operator has started."""
    await azure.http.patch("/_emulator/settings", json={"throttling": True})
    yield azure
    await azure.http.patch("/_emulator/settings", json={"throttling": False})


async def test_thirty_chatbots_that_come_at_once_meet_no_throttling(
    operator, hand, strict, namespace
):
    names = [f"bot-{number}" for number in range(FLEET)]
    await asyncio.gather(*(hand.create(chatbot(namespace, name)) for name in names))
    mark, free = await strict.mark(), asyncio.Semaphore(WORKERS)

    async def settle(name):
        async with free:
            await operator.settle(key(namespace, name))

    await asyncio.gather(*map(settle, names))
    entries = [e for e in await strict.ledger(mark) if e["plane"] == "arm"]
    assert [e["path"] for e in entries if e["status"] == 429] == []
    credentials = [e["time"] for e in entries if e["method"] == "PUT" and "/federated" in e["path"]]
    assert len(credentials) == FLEET
    assert max(credentials) - min(credentials) >= (FLEET - 2) / 2
