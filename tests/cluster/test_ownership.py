"""What is not the chatbot's: said in words, never changed, never deleted."""

from __future__ import annotations

import uuid

import pytest
from chatbot_operator import naming
from chatbot_operator.ports import CHATBOTS, SERVICE_ACCOUNTS
from cluster_world import (
    ACCOUNT_ID,
    ASSIGNMENTS,
    CHILDREN,
    Operator,
    chatbot,
    identity_path,
    key,
    path,
)
from sandbox.azure import settings as fixed

LABELS = {"app": "theirs"}
POD = {
    "metadata": {"labels": LABELS},
    "spec": {"containers": [{"name": "theirs", "image": "theirs"}]},
}
BODIES = {
    "NetworkPolicy": {"spec": {"podSelector": {"matchLabels": LABELS}}},
    "ServiceAccount": {},
    "ConfigMap": {"data": {"theirs": "yes"}},
    "Service": {"spec": {"selector": LABELS, "ports": [{"port": 99}]}},
    "Deployment": {"spec": {"replicas": 0, "selector": {"matchLabels": LABELS}, "template": POD}},
}


@pytest.mark.parametrize("resource", CHILDREN, ids=lambda r: r.plural)
async def test_an_object_of_the_same_name_stays_as_it_is(
    operator, hand, azure, namespace, resource
):
    body = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": "support", "namespace": namespace},
    }
    await hand.api.post(path(resource, namespace), {**body, **BODIES[resource.kind]})
    before = await hand.get(resource, namespace)
    await hand.create(chatbot(namespace))
    fault = await operator.refused(key(namespace))
    assert fault.reason == "OwnershipConflict"
    assert f"{resource.kind} support exists" in fault.message
    conditions = await hand.conditions(namespace)
    assert (conditions["Ready"]["status"], conditions["Ready"]["reason"]) == (
        "False",
        "OwnershipConflict",
    )
    assert conditions["Stalled"]["status"] == "True"
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    after = await hand.get(resource, namespace)
    for live in (before, after):
        live.pop("status", None)
        for noisy in ("resourceVersion", "managedFields", "annotations"):
            live["metadata"].pop(noisy, None)
    assert after == before
    assert await azure.identities(namespace) == []
    assert set(await hand.children(namespace)) == {resource.kind}


async def test_a_conflict_ends_when_the_other_object_goes(operator, hand, namespace):
    body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "support"}}
    await hand.api.post(path(SERVICE_ACCOUNTS, namespace), body)
    await hand.create(chatbot(namespace))
    await operator.refused(key(namespace))
    await hand.delete(SERVICE_ACCOUNTS, namespace)
    await operator.settle(key(namespace))
    assert (await hand.conditions(namespace))["Ready"]["status"] == "True"


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({}, "OwnershipConflict"),
        ({"team": "payments"}, "OwnershipConflict"),
        ({"chatbot-operator-owner": "another-cluster"}, "OwnershipConflict"),
        ("earlier", "OwnedByEarlierLife"),
    ],
    ids=["untagged", "tagged", "another cluster's", "earlier life"],
)
async def test_an_identity_of_the_same_name_stays_as_it_is(
    *, operator, hand, azure, namespace, tags, reason
):
    installation = operator.world.installation
    if tags == "earlier":
        tags = naming.Owner(installation.cluster, namespace, "support", str(uuid.uuid4())).tags
    at = identity_path(installation, namespace)
    await azure.done("PUT", at, {"location": fixed.LOCATION, "tags": tags})
    before = await azure.identity(namespace)
    await hand.create(chatbot(namespace))
    fault = await operator.refused(key(namespace))
    assert fault.reason == reason
    assert await azure.described(namespace) == []
    assert await hand.children(namespace) == {}
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert await azure.identity(namespace) == before


async def test_an_earlier_life_is_taken_over_by_the_tag_that_the_message_names(
    operator, hand, azure, namespace
):
    await hand.create(chatbot(namespace, deletionPolicy="Retain"))
    await operator.settle(key(namespace))
    kept = await azure.identity(namespace)
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    made = await hand.create(chatbot(namespace))
    uid = made["metadata"]["uid"]
    fault = await operator.refused(key(namespace))
    assert fault.reason == "OwnedByEarlierLife"
    assert f"chatbot-operator-uid to {uid}" in fault.message
    at = identity_path(operator.world.installation, namespace)
    await azure.done("PATCH", at, {"tags": {**kept["tags"], "chatbot-operator-uid": uid}})
    await operator.settle(key(namespace))
    mine = await azure.identity(namespace)
    assert mine["client_id"] == kept["client_id"]
    assert "chatbot-operator-retained" not in mine["tags"]
    assert (await hand.conditions(namespace))["Ready"]["status"] == "True"


async def grant(azure, principal, scope=ACCOUNT_ID):
    """The role that the chatbot needs, given by the owner."""
    name = str(uuid.uuid4())
    role = naming.role_definition_id(scope)
    properties = {
        "roleDefinitionId": role,
        "principalId": principal,
        "principalType": "ServicePrincipal",
    }
    where = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
    await azure.done("PUT", where, {"properties": properties})
    return name


@pytest.mark.parametrize(
    "scope", [ACCOUNT_ID, ACCOUNT_ID.rpartition("/providers")[0]], ids=["account", "group"]
)
async def test_an_equal_assignment_of_somebody_else_is_used_and_kept(
    operator, hand, azure, namespace, scope
):
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    identity = await azure.identity(namespace)
    (ours,) = await azure.described(namespace)
    await azure.done("DELETE", f"{ASSIGNMENTS}/{ours['name']}")
    theirs = await grant(azure, identity["principal_id"], scope)
    mark = await azure.mark()
    await Operator(operator.world, hand).settle(key(namespace))
    assert not await azure.writes(mark)
    assert (await hand.conditions(namespace))["RoleAssigned"]["status"] == "True"
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert [a["name"] for a in await azure.assignments(identity["principal_id"])] == [theirs]
    where = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{theirs}"
    await azure.done("DELETE", where)


async def test_an_assignment_with_our_name_but_another_description_is_used_and_kept(
    operator, hand, azure, namespace
):
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    (ours,) = await azure.described(namespace)
    where = f"{ASSIGNMENTS}/{ours['name']}"
    properties = {
        "roleDefinitionId": ours["role_definition_id"],
        "principalId": ours["principal_id"],
        "principalType": "ServicePrincipal",
        "description": "by hand",
    }
    await azure.done("PUT", where, {"properties": properties})
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    (kept,) = await azure.assignments(ours["principal_id"])
    assert kept["description"] == "by hand"
    await azure.done("DELETE", where)


async def test_a_new_chatbot_of_an_old_name_is_not_undone_by_the_old_ones_end(
    operator, hand, azure, namespace
):
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    first = await azure.identity(namespace)
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    second = await azure.identity(namespace)
    assert second["principal_id"] != first["principal_id"]
    (assignment,) = await azure.described(namespace)
    assert assignment["principal_id"] == second["principal_id"]
