"""A tenant who may do anything in the own namespace, to chatbots and their statuses too, and cheats.

What must fail: access to an account that has not been given, access that outlasts its permission,
and any effect on what belongs to somebody else. Here by what a status says.
"""

from __future__ import annotations

import copy

import pytest
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, DEPLOYMENTS, SERVICE_ACCOUNTS
from chatbot_operator.reconcile import Key
from cheating import CLIENT_ID, GRACE, forge, holdings, take_back
from cluster_world import ACCOUNT_ID, ASSIGNMENTS, Operator, account, chatbot, key


def stolen(theirs):
    """Make a status say that the identity of somebody else is this chatbot's."""

    def change(status):
        status["identity"] = copy.deepcopy(theirs["status"]["identity"])
        status["resolved"] = copy.deepcopy(theirs["status"]["resolved"])

    return change


def vanished(status):
    status.pop("identity", None)
    status.pop("grantedAt", None)
    status["conditions"] = []


def elsewhere(status):
    status["resolved"]["accountId"] = ACCOUNT_ID.replace("contoso", "fabrikam")
    status["identity"]["id"] = f"{status['identity']['id'][:-5]}aaaaa"
    status["identity"]["principalId"] = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
async def test_a_status_with_somebody_elses_identity_gives_nothing_of_it_and_changes_nothing(
    *, operator, hand, azure, mallory, victim, restarted
):
    before = await holdings(azure, victim)
    mine = await azure.identity(mallory)
    await forge(hand, mallory, stolen(await hand.get(CHATBOTS, victim)))
    if restarted:
        operator = Operator(operator.world, hand)
    await operator.settle(key(mallory))
    account_ = await hand.get(SERVICE_ACCOUNTS, mallory)
    assert account_["metadata"]["annotations"][CLIENT_ID] == mine["client_id"]
    assert await holdings(azure, victim) == before
    await hand.delete(CHATBOTS, mallory)
    await operator.settle(key(mallory))
    assert await holdings(azure, victim) == before
    assert await azure.identities(mallory) == []
    assert await azure.described(mallory) == []


@pytest.mark.parametrize("change", [vanished, elsewhere, "stolen"], ids=str)
async def test_no_status_hides_from_a_withdrawal_what_there_is(
    *, operator, hand, azure, clock, mallory, victim, change
):
    if change == "stolen":
        change = stolen(await hand.get(CHATBOTS, victim))
    before = await holdings(azure, victim)
    principal = (await azure.identity(mallory))["principal_id"]
    await take_back(operator, hand, clock, mallory)
    await forge(hand, mallory, change)
    await operator.look(key(mallory))
    assert await azure.assignments(principal) == []
    assert (await hand.get(DEPLOYMENTS, mallory))["spec"]["replicas"] == 0
    assert await holdings(azure, victim) == before


@pytest.mark.parametrize("change", [vanished, elsewhere], ids=lambda c: c.__name__)
async def test_no_status_hides_from_a_deletion_what_there_is(
    *, operator, hand, azure, mallory, change
):
    await forge(hand, mallory, change)
    await hand.delete(CHATBOTS, mallory)
    await Operator(operator.world, hand).settle(key(mallory))
    assert await azure.identities(mallory) == []
    assert await azure.described(mallory) == []


TIMES = [
    "2099-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+23:59",
    "2026-01-31T12:00:00+99:99",
    "2026-01-31T12:00:00ZTwhatever",
]
"""Times that the API server takes for such."""


@pytest.mark.parametrize("time", [*TIMES, ""], ids=[*TIMES, "always new"])
async def test_a_forged_time_buys_no_time(*, operator, hand, azure, clock, mallory, time):
    def young(status):
        for condition in status["conditions"]:
            now = clock().strftime("%Y-%m-%dT%H:%M:%SZ")
            condition["lastTransitionTime"] = time or now

    await take_back(operator, hand, clock, mallory)
    await forge(hand, mallory, young)
    await operator.look(key(mallory))
    assert await azure.described(mallory) == []


@pytest.mark.parametrize("time", TIMES)
async def test_a_forged_time_keeps_nothing_from_being_put_right(
    *, operator, hand, azure, mallory, time
):
    def timed(status):
        status["provenAt"] = time
        status["grantedAt"] = {"role": time, "credential": time}
        for condition in status["conditions"]:
            condition["lastTransitionTime"] = time

    await forge(hand, mallory, timed)
    (ours,) = await azure.described(mallory)
    await azure.done("DELETE", f"{ASSIGNMENTS}/{ours['name']}")
    await Operator(operator.world, hand).settle(key(mallory))
    assert len(await azure.described(mallory)) == 1
    assert (await hand.conditions(mallory))["Ready"]["status"] == "True"


async def test_a_forged_permission_gives_none(*, operator, hand, azure, namespace):
    await hand.create(account(namespace, allowedNamespaces={"names": ["others"]}))
    await operator.look(Key(ACCOUNTS, "", namespace))
    await hand.create(chatbot(namespace, account=namespace))
    await operator.refused(key(namespace))

    def permitted(status):
        for condition in status["conditions"]:
            condition |= {"status": "True", "reason": "Allowed"}
        status["provenAt"] = "2026-01-31T12:00:00Z"

    mark = await azure.mark()
    await forge(hand, namespace, permitted)
    assert (await operator.refused(key(namespace))).reason == "NamespaceNotAllowed"
    assert not await azure.writes(mark)
    assert await hand.children(namespace) == {}
    await hand.delete(ACCOUNTS, "", namespace)


async def test_a_confirmation_on_the_own_chatbot_shortens_nobodys_grace(
    *, operator, hand, azure, mallory
):
    confirm = {"metadata": {"annotations": {"chatbot-operator.dev/confirm-withdrawal": "true"}}}
    await hand.edit(CHATBOTS, mallory, confirm)
    await hand.edit(ACCOUNTS, "", {"spec": {"allowedNamespaces": None}}, mallory)
    for _ in range(3):
        await operator.look(key(mallory))
    assert len(await azure.described(mallory)) == 1


async def test_a_namespace_that_lost_its_label_loses_its_access(
    *, operator, hand, azure, clock, kubectl, namespace
):
    kubectl("label", "namespace", namespace, "team=payments")
    allowed = {"selector": {"matchLabels": {"team": "payments"}}}
    await hand.create(account(namespace, allowedNamespaces=allowed))
    await operator.look(Key(ACCOUNTS, "", namespace))
    await hand.create(chatbot(namespace, account=namespace))
    await operator.settle(key(namespace))
    kubectl("label", "namespace", namespace, "team-")
    await operator.look(key(namespace))
    clock.ahead += GRACE
    await operator.look(key(namespace))
    assert await azure.described(namespace) == []
    await hand.delete(ACCOUNTS, "", namespace)
