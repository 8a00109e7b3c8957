"""A tenant who cheats, one who is cheated, and what both have."""

from __future__ import annotations

import copy

import pytest
from chatbot_operator.ports import ACCOUNTS, CHATBOTS
from cluster_world import chatbot, key, path

GRACE = 301
CLIENT_ID = "azure.workload.identity/client-id"


@pytest.fixture
def mallory(working):
    """The namespace of a team that cheats."""
    return working


@pytest.fixture
async def victim(operator, hand, namespace):
    """A chatbot of somebody else's, in another namespace."""
    name = f"v-{namespace}"
    await hand.api.post("/api/v1/namespaces", {"metadata": {"name": name}})
    await hand.create(chatbot(name))
    await operator.settle(key(name))
    return name


async def forge(hand, namespace, change, name="support"):
    """Write into the status of a chatbot."""
    live = await hand.get(CHATBOTS, namespace, name)
    status = copy.deepcopy(live["status"])
    change(status)
    patch = [{"op": "replace", "path": "/status", "value": status}]
    where = f"{path(CHATBOTS, namespace, name)}/status"
    await hand.api.patch(where, patch, kind="application/json-patch+json")


async def take_back(operator, hand, clock, namespace):
    """Withdraw permission, see it denied, and let the grace pass."""
    await hand.edit(ACCOUNTS, "", {"spec": {"allowedNamespaces": None}}, namespace)
    await operator.look(key(namespace))
    clock.ahead += GRACE


async def holdings(azure, namespace):
    """All that there is in Azure for the chatbots of a namespace, times left out."""
    identity = await azure.identity(namespace)
    return {**identity, "created_on": 0}, await azure.assignments(identity["principal_id"])
