"""Limits of an account, changed under a chatbot that runs."""

from __future__ import annotations

import pytest
from chatbot_operator.ports import ACCOUNTS, DEPLOYMENTS, SERVICES
from chatbot_operator.reconcile import Key
from cluster_world import chatbot, key


def container(live):
    (one,) = live["spec"]["template"]["spec"]["containers"]
    return one


def budget(live):
    given = {e["name"]: e.get("value") for e in container(live)["env"]}
    return given.get("DAILY_TOKEN_BUDGET")


@pytest.mark.parametrize(
    ("limits", "find", "before", "after"),
    [
        ({"maxReplicas": 2}, lambda live: live["spec"]["replicas"], 3, 2),
        ({"dailyTokenBudget": 3000}, budget, None, "1000"),
    ],
    ids=["maxReplicas", "dailyTokenBudget"],
)
async def test_a_new_limit_reaches_what_runs_and_goes_again(
    *, operator, hand, namespace, offer, limits, find, before, after
):
    name = await offer()
    await hand.create(chatbot(namespace, account=name, replicas=3))
    await operator.settle(key(namespace))
    assert find(await hand.get(DEPLOYMENTS, namespace)) == before
    for change, expected in ((limits, after), (dict.fromkeys(limits), before)):
        await hand.edit(ACCOUNTS, "", {"spec": change}, name)
        await operator.settle(Key(ACCOUNTS, "", name))
        await operator.settle(key(namespace))
        assert find(await hand.get(DEPLOYMENTS, namespace)) == expected


@pytest.mark.parametrize(
    ("spec", "limits", "reason"),
    [
        (
            {"image": "contoso.azurecr.io/mine:1"},
            {"imageRepositories": ["contoso.azurecr.io/mine"]},
            "ImageNotAllowed",
        ),
        (
            {"service": {"type": "LoadBalancer"}},
            {"serviceTypes": ["ClusterIP", "LoadBalancer"], "allowAnonymous": True},
            "ServiceTypeNotAllowed",
        ),
    ],
    ids=["image", "service type"],
)
async def test_what_is_allowed_later_is_made_and_what_is_not_any_more_is_refused(
    *, operator, hand, namespace, offer, spec, limits, reason
):
    name = await offer()
    await hand.create(chatbot(namespace, account=name, **spec))
    assert (await operator.refused(key(namespace))).reason == reason
    assert await hand.children(namespace) == {}
    await hand.edit(ACCOUNTS, "", {"spec": limits}, name)
    await operator.settle(Key(ACCOUNTS, "", name))
    while await hand.get(DEPLOYMENTS, namespace) is None:
        await operator.look(key(namespace))
    await hand.edit(ACCOUNTS, "", {"spec": dict.fromkeys(limits)}, name)
    await operator.settle(Key(ACCOUNTS, "", name))
    assert (await operator.refused(key(namespace))).reason == reason


async def test_what_the_account_allows_reaches_the_objects(operator, hand, namespace, offer):
    name = await offer(
        imageRepositories=["contoso.azurecr.io"],
        serviceTypes=["LoadBalancer"],
        allowAnonymous=True,
        maxReplicas=2,
        dailyTokenBudget=1000,
    )
    spec = {"image": "contoso.azurecr.io/mine:1", "service": {"type": "LoadBalancer"}}
    await hand.create(chatbot(namespace, account=name, replicas=5, **spec))
    while await hand.get(SERVICES, namespace) is None:
        await operator.look(key(namespace))
    await hand.give_address(namespace)
    await operator.settle(key(namespace))
    children = await hand.children(namespace)
    assert children["Service"]["spec"]["type"] == "LoadBalancer"
    deployment = children["Deployment"]["spec"]
    assert deployment["replicas"] == 2
    (container,) = deployment["template"]["spec"]["containers"]
    assert container["image"] == "contoso.azurecr.io/mine:1"
    assert {"name": "DAILY_TOKEN_BUDGET", "value": "500"} in container["env"]
    assert "2 of 5 run" in (await hand.conditions(namespace))["Permitted"]["message"]
