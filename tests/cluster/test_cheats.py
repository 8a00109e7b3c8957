"""A tenant who may do anything in the own namespace, to chatbots and their statuses too, and cheats.

What must fail: access to an account that has not been given, access that outlasts its permission,
and any effect on what belongs to somebody else.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from chatbot_operator import naming
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, CONFIG_MAPS, DEPLOYMENTS, SERVICE_ACCOUNTS
from chatbot_operator.reconcile import Key
from cluster_world import ACCOUNT_ID, ASSIGNMENTS, CHILDREN, Operator, account, chatbot, key, path
from sandbox.cluster.api import ApiError

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


@pytest.mark.parametrize("time", ["2099-01-01T00:00:00Z", "always new"])
async def test_a_forged_time_buys_no_time(*, operator, hand, azure, clock, mallory, time):
    def young(status):
        now = clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        for condition in status["conditions"]:
            condition["lastTransitionTime"] = time if time.startswith("2099") else now

    await take_back(operator, hand, clock, mallory)
    await forge(hand, mallory, young)
    await operator.look(key(mallory))
    assert await azure.described(mallory) == []


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


async def test_a_finalizer_taken_off_by_hand_leaves_nothing_behind(
    *, operator, hand, azure, mallory
):
    await operator.look(key(mallory))
    await hand.delete(CHATBOTS, mallory)
    await hand.edit(CHATBOTS, mallory, {"metadata": {"finalizers": None}})
    assert await hand.get(CHATBOTS, mallory) is None
    await operator.look(key(mallory))
    assert await azure.identities(mallory) == []
    assert await azure.described(mallory) == []


async def test_a_chatbot_put_in_place_of_one_that_lost_its_finalizer_begins_anew(
    *, operator, hand, azure, mallory
):
    first = await azure.identity(mallory)
    await operator.look(key(mallory))
    await hand.delete(CHATBOTS, mallory)
    await hand.edit(CHATBOTS, mallory, {"metadata": {"finalizers": None}})
    for resource in CHILDREN:  # as the cluster's garbage collector does
        if await hand.get(resource, mallory):
            await hand.delete(resource, mallory)
    await hand.create(chatbot(mallory, account=mallory))
    await operator.settle(key(mallory))
    assert (await azure.identity(mallory))["principal_id"] != first["principal_id"]
    assert await azure.assignments(first["principal_id"]) == []


async def test_a_finalizer_taken_off_while_no_operator_runs_is_told_to_the_accounts_owners(
    *, operator, hand, azure, mallory
):
    identity = await azure.identity(mallory)
    await hand.delete(CHATBOTS, mallory)
    await hand.edit(CHATBOTS, mallory, {"metadata": {"finalizers": None}})
    restarted = Operator(operator.world, hand)
    await restarted.look(Key(ACCOUNTS, "", mallory))
    found = (await hand.get(ACCOUNTS, "", mallory))["status"]["findings"]
    (told,) = [f for f in found if identity["name"] in f["message"]]
    assert (told["type"], told["severity"]) == ("OrphanedIdentity", "Warning")
    assert "az identity delete" in told["message"]
    (ours,) = await azure.described(mallory)
    await azure.done("DELETE", f"{ASSIGNMENTS}/{ours['name']}")
    await azure.done("DELETE", identity["id"])
    await Operator(operator.world, hand).look(Key(ACCOUNTS, "", mallory))
    found = (await hand.get(ACCOUNTS, "", mallory))["status"]["findings"]
    assert not [f for f in found if identity["name"] in f["message"]]


async def test_access_cannot_be_left_in_azure_where_it_can_be_taken(
    *, operator, hand, azure, mallory
):
    leave = {"metadata": {"annotations": {"chatbot-operator.dev/leave-azure": "true"}}}
    await hand.edit(CHATBOTS, mallory, leave)
    await hand.delete(CHATBOTS, mallory)
    await operator.settle(key(mallory))
    assert await azure.identities(mallory) == []
    assert await azure.described(mallory) == []


async def test_suspending_keeps_no_access(*, operator, hand, azure, clock, mallory):
    await take_back(operator, hand, clock, mallory)
    await hand.edit(CHATBOTS, mallory, {"spec": {"suspend": True}})
    await operator.look(key(mallory))
    assert await azure.described(mallory) == []


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


@pytest.mark.parametrize("resource", [SERVICE_ACCOUNTS, CONFIG_MAPS], ids=lambda r: r.plural)
async def test_an_object_made_before_and_forged_to_be_the_chatbots_says_what_the_operator_says(
    *, operator, hand, azure, victim, namespace, resource
):
    made = await hand.create(chatbot(namespace))
    theirs = await azure.identity(victim)
    owner = {
        "apiVersion": CHATBOTS.api_version,
        "kind": CHATBOTS.kind,
        "name": "support",
        "uid": made["metadata"]["uid"],
        "controller": True,
    }
    body = {
        "apiVersion": "v1",
        "kind": resource.kind,
        "metadata": {
            "name": "support",
            "namespace": namespace,
            "ownerReferences": [owner],
            "annotations": {CLIENT_ID: theirs["client_id"]},
        },
    }
    await hand.create(body)
    await operator.settle(key(namespace))
    mine = await azure.identity(namespace)
    found = await hand.get(SERVICE_ACCOUNTS, namespace)
    assert found["metadata"]["annotations"][CLIENT_ID] == mine["client_id"]
    assert {c["subject"] for c in theirs["credentials"]} == {naming.subject(victim, "support")}, (
        "nobody else's service account may be the victim's identity"
    )


async def test_a_service_account_with_another_client_id_gets_no_credential(
    *, operator, hand, azure, victim, namespace
):
    theirs = await azure.identity(victim)
    body = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": "support",
            "namespace": namespace,
            "annotations": {CLIENT_ID: theirs["client_id"]},
        },
    }
    await hand.create(body)
    await hand.create(chatbot(namespace))
    assert (await operator.refused(key(namespace))).reason == "OwnershipConflict"
    assert await azure.identities(namespace) == []


async def test_names_that_join_to_the_same_share_nothing(*, operator, hand, azure, namespace):
    other = f"{namespace}-a"
    await hand.api.post("/api/v1/namespaces", {"metadata": {"name": other}})
    await hand.create(chatbot(namespace, "a-b"))
    await hand.create(chatbot(other, "b"))
    await operator.settle(key(namespace, "a-b"))
    await operator.settle(key(other, "b"))
    found = [i for i in (await azure.state())["identities"] if f"cb-{namespace}-a-b" in i["name"]]
    assert len({i["principal_id"] for i in found}) == 2
    assert {c["subject"] for i in found for c in i["credentials"]} == {
        naming.subject(namespace, "a-b"),
        naming.subject(other, "b"),
    }


async def test_the_account_of_a_chatbot_cannot_be_changed(*, hand, mallory):
    with pytest.raises(ApiError, match="cannot change"):
        await hand.edit(CHATBOTS, mallory, {"spec": {"openAI": {"account": "contoso"}}})


async def test_an_operator_of_other_namespaces_says_nothing_of_identities_that_are_not_its_own(
    *, operator, hand, azure, mallory
):
    identity = await azure.identity(mallory)
    await hand.delete(CHATBOTS, mallory)
    await hand.edit(CHATBOTS, mallory, {"metadata": {"finalizers": None}})
    installation = replace(operator.world.installation, watched=("elsewhere",))
    narrow = Operator(replace(operator.world, installation=installation), hand)
    await narrow.look(Key(ACCOUNTS, "", mallory))
    found = (await hand.get(ACCOUNTS, "", mallory))["status"].get("findings", [])
    assert [f for f in found if identity["name"] in f["message"]] == []
