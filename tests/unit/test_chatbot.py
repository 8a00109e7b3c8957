"""A chatbot, read from its resource."""

from __future__ import annotations

from chatbot_operator.chatbot import Chatbot, DeletionPolicy, Recorded
from unit.bodies import chatbot, chatbot_body


def test_what_is_not_given_stays_unset():
    parsed = chatbot()
    assert (parsed.temperature, parsed.max_output_tokens) == (None, None)
    assert (parsed.image, parsed.system_prompt, parsed.finalizers) == ("", "", ())
    assert not parsed.deleting
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
    assert (parsed.title, parsed.system_prompt) == ("Help", "Be kind.")
    assert (parsed.replicas, parsed.image) == (0, "mine:1")
    assert (parsed.service_type, parsed.service_port) == ("LoadBalancer", 8080)
    assert parsed.deletion_policy is DeletionPolicy.RETAIN
    assert parsed.suspended


def test_a_chatbot_that_is_going_is_known_by_its_deletion_timestamp():
    body = chatbot_body()
    body["metadata"] |= {"deletionTimestamp": "2026-01-31T12:00:00Z", "finalizers": ["a", "b"]}
    parsed = Chatbot.parse(body)
    assert parsed.deleting
    assert parsed.finalizers == ("a", "b")


def test_what_an_earlier_pass_wrote_down_is_found_again():
    body = chatbot_body()
    body["status"] = {
        "identity": {"id": "/i", "principalId": "p"},
        "resolved": {"accountId": "/a"},
        "provenAt": "2026-01-31T12:00:00Z",
    }
    assert Chatbot.parse(body).recorded == Recorded("/a", "/i", "p", "2026-01-31T12:00:00Z")
    del body["status"]
    assert Chatbot.parse(body).recorded == Recorded()
