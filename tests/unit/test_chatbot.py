"""A chatbot, read from its resource."""

from __future__ import annotations

import datetime as dt

import pytest
from chatbot_operator.chatbot import Chatbot, DeletionPolicy, Recorded
from chatbot_operator.pod_settings import PodSettings
from unit.bodies import ACCOUNT_ID, chatbot, chatbot_body

IDENTITY_ID = (
    "/subscriptions/8f0c1c57-4b3b-4a63-9d5c-0d6b5d7f2a11/resourceGroups/ai"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/cb-team-support-aaaaaaaaaa"
)


def test_what_is_not_given_stays_unset():
    parsed = chatbot()
    assert (parsed.temperature, parsed.max_output_tokens) == (None, None)
    assert (parsed.image, parsed.chat.system_prompt, parsed.finalizers) == ("", "", ())
    assert (parsed.chat.prompt_from, parsed.autoscaling) == (None, None)
    assert parsed.pods == PodSettings()
    assert parsed.deleted_at is None
    assert not parsed.suspended
    assert parsed.recorded == Recorded()


def test_everything_that_is_given_is_read():
    parsed = chatbot(
        openai={"temperature": 0, "maxOutputTokens": 800},
        chat={"title": "Help", "systemPrompt": "Be kind."},
        replicas=0,
        image="mine:1",
        service={"type": "LoadBalancer", "port": 8080},
        deletionPolicy="Retain",
        suspend=True,
    )
    assert (parsed.account, parsed.deployment) == ("contoso", "gpt-4o")
    assert (parsed.temperature, parsed.max_output_tokens) == (0, 800)
    assert (parsed.chat.title, parsed.chat.system_prompt) == ("Help", "Be kind.")
    assert (parsed.replicas, parsed.image) == (0, "mine:1")
    assert (parsed.service_type, parsed.service_port) == ("LoadBalancer", 8080)
    assert parsed.deletion_policy is DeletionPolicy.RETAIN
    assert parsed.suspended


def test_a_chatbot_that_is_going_knows_since_when():
    body = chatbot_body()
    body["metadata"] |= {"deletionTimestamp": "2026-01-31T12:00:00Z", "finalizers": ["a", "b"]}
    parsed = Chatbot.parse(body)
    assert parsed.deleted_at == dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
    assert parsed.finalizers == ("a", "b")


def test_what_an_earlier_pass_wrote_down_is_found_again():
    body = chatbot_body()
    body["status"] = {
        "identity": {"id": IDENTITY_ID, "principalId": "p", "clientId": "c"},
        "resolved": {"accountId": ACCOUNT_ID},
        "provenAt": "2026-01-31T12:00:00Z",
        "grantedAt": {"role": "2026-01-31T11:00:00Z", "credential": "2026-01-31T11:30:00Z"},
    }
    assert Chatbot.parse(body).recorded == Recorded(
        account_id=ACCOUNT_ID,
        identity_id=IDENTITY_ID,
        principal_id="p",
        client_id="c",
        proven_at="2026-01-31T12:00:00Z",
        role_since="2026-01-31T11:00:00Z",
        credential_since="2026-01-31T11:30:00Z",
    )
    del body["status"]
    assert Chatbot.parse(body).recorded == Recorded()


def recorded_of(*, account_id="", identity_id=""):
    body = chatbot_body()
    body["status"] = {"identity": {"id": identity_id}, "resolved": {"accountId": account_id}}
    return Chatbot.parse(body).recorded


@pytest.mark.parametrize("change", [str, str.lower, str.upper])
def test_azure_may_spell_a_recorded_id_in_any_case(change):
    recorded = recorded_of(account_id=change(ACCOUNT_ID), identity_id=change(IDENTITY_ID))
    assert (recorded.account_id, recorded.identity_id) == (change(ACCOUNT_ID), change(IDENTITY_ID))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: "/a",
        lambda good: good + "/",
        lambda good: good + "\n",
        lambda good: good + "/../../x",
        lambda good: good + "?api-version=1",
        lambda good: "https://elsewhere" + good,
        lambda good: good.replace("/providers/", "/../providers/"),
        lambda good: good.replace("/resourceGroups/ai/", "/resourceGroups//"),
        lambda good: good.replace("/resourceGroups/ai/", "/resourceGroups/a%2Fi/"),
        lambda good: good.replace("/resourceGroups/ai", ""),
        lambda good: good.replace("8f0c1c57-4b3b-4a63-9d5c-0d6b5d7f2a11", "mine"),
        lambda good: good.replace("accounts/", "other/").replace("Identities/", "Other/"),
        lambda good: good.rpartition("/")[0] + "/ä",
    ],
)
def test_a_recorded_id_that_is_none_counts_as_not_recorded(spoil):
    recorded = recorded_of(account_id=spoil(ACCOUNT_ID), identity_id=spoil(IDENTITY_ID))
    assert recorded == Recorded()


def test_a_recorded_id_of_another_kind_counts_as_not_recorded():
    assert recorded_of(account_id=IDENTITY_ID, identity_id=ACCOUNT_ID) == Recorded()
