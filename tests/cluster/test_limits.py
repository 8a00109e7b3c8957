"""Limits of an account, together: tests/account_fields.py has each alone."""

from __future__ import annotations

from chatbot_operator.ports import DEPLOYMENTS
from cluster_world import chatbot, key
from fields import variable


async def test_a_budget_is_divided_over_the_pods_that_may_run(operator, hand, namespace, offer):
    name = await offer(maxReplicas=2, dailyTokenBudget=1000)
    await hand.create(chatbot(namespace, account=name, replicas=5))
    await operator.settle(key(namespace))
    live = await hand.get(DEPLOYMENTS, namespace)
    assert live["spec"]["replicas"] == 2
    assert variable("DAILY_TOKEN_BUDGET")(live) == "500"
    assert "2 of 5 run" in (await hand.conditions(namespace))["Permitted"]["message"]
