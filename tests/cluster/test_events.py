"""What happened is told as events: every write to Azure, every repair, every turn, and no more."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from azure_bodies import reads
from chatbot_operator.manifests import INTENT
from chatbot_operator.ports import (
    ACCOUNTS,
    CHATBOTS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    EVENTS,
    INGRESSES,
    SERVICES,
    Note,
)
from chatbot_operator.reconcile import Key
from chatbot_operator.reconcile.events import BURST
from cluster_world import ASSIGNMENTS, CHILDREN, Operator, account, chatbot, key, path
from sandbox.bootstrap import ACCOUNT_ID

INGRESS = {"host": "chat.example.com"}
MADE = [*CHILDREN, INGRESSES]
"""What the chatbots of these tests have."""


@pytest.fixture
def told(hand):
    """The events of a namespace: reason and words, in their order; names those seen before."""

    async def told(namespace, *, seen=()):
        found = (await hand.api.get(path(EVENTS, namespace)))["items"]
        ours = [e for e in found if e["reportingController"] == "chatbot-operator.dev/operator"]
        ours.sort(key=lambda event: event["eventTime"])
        return [e for e in ours if e["metadata"]["uid"] not in {s["metadata"]["uid"] for s in seen}]

    return told


@pytest.fixture
async def settled(operator, hand, namespace):
    await hand.create(chatbot(namespace, ingress=INGRESS))
    await operator.settle(key(namespace))
    return namespace


def reasons(events):
    return [event["reason"] for event in events]


async def test_every_write_to_azure_is_told_with_its_request_id(
    operator, hand, azure, namespace, told
):
    ledger = await azure.mark()
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    made = await told(namespace)
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    writes = await azure.writes(ledger)
    assert len(writes) == 5
    events = await told(namespace)
    for write in writes:
        (about,) = [e for e in events if write["requestId"] in e["note"]]
        assert write["path"].lower() in about["note"].lower()
        assert about["regarding"]["name"] == "support"
        assert about["type"] == "Normal"
    assert sorted(reasons(made)) == [
        "CredentialWritten",
        "IdentityCreated",
        "Ready",
        "RoleAssigned",
    ]
    after = await told(namespace, seen=made)
    assert reasons(after) == ["PodsLeaving", "RoleWithdrawn", "IdentityDeleted"]


async def test_at_rest_nothing_is_told(operator, settled, told):
    before = await told(settled)
    for _ in range(3):
        await operator.look(key(settled))
    assert await told(settled) == before


async def well(**_):
    """Nothing is wrong."""


async def beyond_its_needs(*, hand, azure, namespace):
    """The identity may do more than the chatbot needs."""
    identity = await azure.identity(namespace)
    await azure.done("PUT", f"{ASSIGNMENTS}/{uuid4()}", reads(identity["principal_id"]))


async def stalled(*, hand, azure, namespace):
    """Somebody has to act."""
    await hand.edit(CHATBOTS, namespace, {"spec": {"openAI": {"deployment": "nowhere"}}})


@pytest.mark.parametrize(
    ("how", "last"),
    [(well, "Ready"), (beyond_its_needs, "ExtraAssignment"), (stalled, "DeploymentNotFound")],
)
async def test_what_was_told_is_not_told_again_after_a_restart(
    *, operator, hand, azure, settled, clock, told, how, last
):
    await how(hand=hand, azure=azure, namespace=settled)
    account = Key(ACCOUNTS, "", "contoso")
    for _ in range(2):
        clock.ahead += 2 * operator.world.installation.resync
        await operator.look(key(settled))
    before, of_the_account = await told(settled), await told("default")
    assert last in reasons(before)
    for ahead in (0, 2 * operator.world.installation.resync):
        clock.ahead += ahead
        restarted = Operator(operator.world, hand)
        for _ in range(2):
            await restarted.look(account)
            await restarted.look(key(settled))
    assert await told(settled) == before
    assert await told("default") == of_the_account


@pytest.mark.parametrize("resource", MADE, ids=lambda r: r.plural)
async def test_an_object_that_was_deleted_by_hand_is_told(operator, hand, settled, told, resource):
    before = await told(settled)
    await hand.delete(resource, settled)
    await operator.settle(key(settled))
    repairs = [e for e in await told(settled, seen=before) if e["reason"] == "PutBack"]
    (repair,) = repairs
    assert repair["note"] == f"{resource.kind} support was gone; made it again."


@pytest.mark.parametrize(
    ("resource", "patch", "where"),
    [
        (CONFIG_MAPS, {"data": {"system-prompt": "Be rude."}}, "data.system-prompt"),
        (SERVICES, {"spec": {"selector": {"x": "y", "app.kubernetes.io/name": "z"}}}, "spec.selec"),
        (DEPLOYMENTS, {"spec": {"replicas": 3}}, "spec.replicas"),
        (SERVICES, {"metadata": {"annotations": {INTENT: None}}}, "metadata.annotations"),
    ],
    ids=lambda value: getattr(value, "plural", None),
)
async def test_an_object_that_was_edited_by_hand_is_told_with_what_was(
    *, operator, hand, settled, told, resource, patch, where
):
    before = await told(settled)
    await hand.edit(resource, settled, patch)
    await operator.settle(key(settled))
    (repair,) = [e for e in await told(settled, seen=before) if e["reason"] == "PutRight"]
    assert repair["note"].startswith(f"{resource.kind} support was edited; put right: {where}")


async def test_what_the_chatbot_itself_asks_for_is_no_repair(operator, hand, settled, told):
    before = await told(settled)
    wanted = {"chat": {"title": "Another"}, "replicas": 2, "ingress": None}
    for spec in (wanted, {"ingress": INGRESS}):
        await hand.edit(CHATBOTS, settled, {"spec": spec})
        await operator.settle(key(settled))
    assert not {"PutBack", "PutRight"} & set(reasons(await told(settled, seen=before)))


@pytest.mark.parametrize("what", ["credential", "assignment", "identity"])
async def test_what_was_deleted_by_hand_in_azure_is_told_with_its_request_id(
    *, operator, hand, azure, settled, clock, told, what
):
    before, identity = await told(settled), await azure.identity(settled)
    (assignment,) = await azure.described(settled)
    at = {
        "credential": identity["credentials"][0]["id"],
        "assignment": f"{ASSIGNMENTS}/{assignment['name']}",
        "identity": identity["id"],
    }
    await azure.done("DELETE", at[what])
    ledger = await azure.mark()
    clock.ahead += 2 * operator.world.installation.resync
    await operator.settle(key(settled))
    events = await told(settled, seen=before)
    put = next(w for w in await azure.writes(ledger) if w["method"] == "PUT")
    (about,) = [e for e in events if put["requestId"] in e["note"]]
    assert "gone" in about["note"]


async def test_a_turn_is_told_once_and_the_way_back_as_well(operator, hand, namespace, told):
    await hand.create(chatbot(namespace, openAI={"deployment": "nowhere"}))
    for _ in range(3):
        await operator.refused(key(namespace))
    (stall,) = await told(namespace)
    assert (stall["type"], stall["reason"]) == ("Warning", "DeploymentNotFound")
    assert "nowhere" in stall["note"]
    await hand.edit(CHATBOTS, namespace, {"spec": {"openAI": {"deployment": "gpt-4o"}}})
    await operator.settle(key(namespace))
    assert reasons(await told(namespace, seen=[stall]))[-1] == "Ready"


async def test_what_turns_of_an_account_is_told_in_the_namespace_default(
    operator, hand, namespace, told
):
    await hand.create(account(namespace, ACCOUNT_ID.replace("contoso", "nobody")))
    for _ in range(2):
        await operator.look(Key(ACCOUNTS, "", namespace))
    about = [e for e in await told("default") if e["regarding"]["name"] == namespace]
    (turn,) = [e for e in about if e["reason"] == "AzureAccessDenied"]
    assert turn["type"] == "Warning"
    await hand.delete(ACCOUNTS, "", namespace)


async def test_a_fight_over_an_object_does_not_flood_its_events(operator, hand, settled, told):
    for number in range(BURST + 5):
        await hand.edit(CONFIG_MAPS, settled, {"data": {"system-prompt": f"{number}"}})
        await operator.look(key(settled))
    assert len(await told(settled)) == BURST


async def test_a_lock_that_holds_a_deletion_up_is_told_once_by_name(
    operator, hand, azure, settled, told
):
    before, lock = await told(settled), f"/subscriptions/s/resourceGroups/{settled}/locks/keep"
    message = f"The following scope(s) are locked: '{lock}'. Please remove the lock and try again."
    await azure.fault(
        action="respond",
        status=409,
        code="ScopeLocked",
        message=message,
        method="DELETE",
        path="userAssignedIdentities",
    )
    await hand.delete(CHATBOTS, settled)
    fault = await operator.refused(key(settled))
    await operator.look(key(settled))
    assert fault.reason == "ResourceLocked"
    (stall,) = [e for e in await told(settled, seen=before) if e["type"] == "Warning"]
    assert stall["reason"] == "ResourceLocked"
    assert lock in stall["note"]
    conditions = await hand.conditions(settled)
    assert conditions["Stalled"]["message"].startswith("Being deleted. A lock on the resource")
    await azure.heal()
    await operator.settle(key(settled))
    assert await hand.get(CHATBOTS, settled) is None


async def test_a_namespace_that_is_going_takes_no_events_and_that_stops_nothing(
    operator, hand, azure, settled
):
    await hand.api.delete(f"/api/v1/namespaces/{settled}")
    async with asyncio.timeout(30):
        while "deletionTimestamp" not in (await hand.get(CHATBOTS, settled))["metadata"]:
            await asyncio.sleep(0.1)
    await operator.settle(key(settled))
    assert await hand.get(CHATBOTS, settled) is None
    assert await azure.identities(settled) == []


async def test_the_api_server_takes_an_event_however_long_its_words_are(world, hand, settled, told):
    before, live = await told(settled), await hand.get(CHATBOTS, settled)
    words = f"{'ä' * 2000} (request 0a1b)"
    await world.kubernetes.event(live, Note("R" * 200, words, "A" * 200), at=world.now())
    (event,) = await told(settled, seen=before)
    assert 1000 < len(event["note"].encode()) <= 1024
    assert event["note"].endswith("ä (request 0a1b)")
