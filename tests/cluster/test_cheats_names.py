"""A tenant who makes others' names one's own: in objects, in references, in joined names."""

from __future__ import annotations

import pytest
from chatbot_operator import naming
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, CONFIG_MAPS, SERVICE_ACCOUNTS
from cheating import CLIENT_ID
from cluster_world import chatbot, key
from sandbox.cluster.api import ApiError


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


async def test_names_that_are_cut_to_the_same_share_nothing(operator, hand, azure, namespace):
    long = f"{namespace}-{'n' * (62 - len(namespace))}"
    await hand.api.post("/api/v1/namespaces", {"metadata": {"name": long}})
    names = [f"{'c' * 60}{end}" for end in ("a", "b")]
    for name in names:
        await hand.create(chatbot(long, name))
        await operator.settle(key(long, name))
    found = await azure.identities(long)
    assert len({each["name"][:100] for each in found}) == 1
    assert {c["subject"] for i in found for c in i["credentials"]} == {
        naming.subject(long, name) for name in names
    }


ASTRAY = [
    "./contoso",
    "x/../contoso",
    "contoso/status",
    "..",
    "Contoso",
    "contoso?x",
    "a%2fb",
    "c\n",
]


@pytest.mark.parametrize("name", ASTRAY)
async def test_an_account_is_named_and_nothing_else(operator, hand, namespace, name):
    with pytest.raises(ApiError, match=r"spec\.openAI\.account"):
        await hand.create(chatbot(namespace, account=name))
    assert await operator.world.kubernetes.get(ACCOUNTS, "", name) is None


@pytest.mark.parametrize("way", ["../../{}/configmaps/{}", "../{}", ".", ".."])
async def test_a_prompt_is_read_from_no_other_namespace(*, operator, hand, victim, namespace, way):
    name = way.format(victim, "support")
    prompt = {"systemPromptFrom": {"configMapKeyRef": {"name": name, "key": "system-prompt"}}}
    with pytest.raises(ApiError, match=r"configMapKeyRef\.name"):
        await hand.create(chatbot(namespace, chat=prompt))
    assert await hand.get(CONFIG_MAPS, victim)
    assert await operator.world.kubernetes.get(CONFIG_MAPS, namespace, name) is None


async def test_a_key_of_a_prompt_says_nothing_to_a_terminal(hand, namespace):
    source = {"configMapKeyRef": {"name": "mine", "key": "a\nReady \x1b[32m"}}
    with pytest.raises(ApiError, match=r"configMapKeyRef\.key"):
        await hand.create(chatbot(namespace, chat={"systemPromptFrom": source}))
