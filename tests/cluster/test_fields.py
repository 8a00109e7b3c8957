"""What a team changes in its chatbot reaches what it is about, and leaves it again."""

from __future__ import annotations

import pytest
from chatbot_operator.ports import ACCOUNTS, CHATBOTS
from chatbot_operator.reconcile import Key
from cluster_world import account, chatbot, key
from fields import REACHES

GENEROUS = {"imageRepositories": ["*"], "serviceTypes": ["ClusterIP", "LoadBalancer"]}


@pytest.fixture
async def generous(operator, hand, namespace):
    """An account that allows everything."""
    await hand.create(account(namespace, allowAnonymous=True, **GENEROUS))
    await operator.look(Key(ACCOUNTS, "", namespace))
    yield namespace
    await hand.delete(ACCOUNTS, "", namespace)


@pytest.mark.parametrize("field", REACHES)
async def test_a_field_reaches_its_object(operator, hand, namespace, generous, field):
    reach = REACHES[field]
    await hand.create(chatbot(namespace, account=generous))
    await operator.settle(key(namespace))
    await hand.edit(CHATBOTS, namespace, {"spec": reach.change})
    for _ in range(3):
        await operator.look(key(namespace))
    assert reach.find(await hand.get(reach.where, namespace)) == reach.expected
    live = await hand.get(CHATBOTS, namespace)
    assert live["status"]["observedGeneration"] == live["metadata"]["generation"]
