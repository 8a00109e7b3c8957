"""Memory at work: what a model is sent follows from what it reported before."""

from __future__ import annotations

import pytest
from chatbot.talking import HI, events, post
from chatbot.upstream import TOO_LONG, Say

TURNS = 60


def history(turns=TURNS):
    """A conversation of turns of 300 bytes and a question."""
    turn = [
        {"role": "user", "content": "x" * 138},
        {"role": "assistant", "content": "y" * 138},
    ]
    return {"messages": turn * turns + HI["messages"]}


def done(response):
    return dict(events(response.text))["done"]


@pytest.fixture
def chatbot(launch):
    return launch(OPS_PORT=None, CONTEXT_WINDOW="4000", MAX_OUTPUT_TOKENS="800")


def test_the_window_is_told_beside_what_was_used(chatbot):
    assert dict(events(post(chatbot).text))["usage"]["window"] == 4000


def test_what_is_sent_and_left_out_is_told_and_adds_up(chatbot, upstream):
    told = done(post(chatbot, history()))
    sent = upstream.chats[-1]["messages"]
    assert told == {"finish": "stop", "leftOut": 2 * TURNS + 1 - len(sent), "sent": len(sent)}
    # 4000 - 800 for the answer - 200 in reserve, at 3 bytes a token, are 30 turns of 300 bytes
    assert len(sent) == 2 * 29 + 1
    assert sent[-1] == HI["messages"][0]


def test_a_model_whose_tokens_are_short_is_sent_less_and_one_of_long_tokens_more(chatbot, upstream):
    def asked(tokens_per_byte):
        def say(body):
            size = sum(len(m["content"]) + 12 for m in body["messages"])
            return Say(("Yes.",), prompt_tokens=round(size * tokens_per_byte))

        upstream.otherwise = say
        return [done(post(chatbot, history()))["sent"] for _ in range(12)]

    shrinking = asked(1 / 1.8)
    assert shrinking == sorted(shrinking, reverse=True)
    assert shrinking[-1] < 0.7 * shrinking[0]
    assert asked(1 / 4.2)[-1] > 1.2 * shrinking[0]


def test_what_is_too_long_is_halved_once_and_that_is_told(chatbot, upstream):
    upstream.answers = [TOO_LONG]
    told = done(post(chatbot, history()))
    first, second = (len(chat["messages"]) for chat in upstream.chats)
    assert 0.4 * first < second <= 0.5 * first
    assert told == {"finish": "stop", "leftOut": 2 * TURNS + 1 - second, "sent": second}


def test_what_is_too_long_still_is_told_in_words(chatbot, upstream):
    upstream.answers = [TOO_LONG, TOO_LONG]
    error, end = events(post(chatbot, history()).text)
    assert error[1]["reason"] == "ContextTooLong"
    assert end[1]["finish"] == "error"
    assert len(upstream.chats) == 2


def test_the_next_conversation_is_not_sent_what_was_too_long(chatbot, upstream):
    upstream.answers = [TOO_LONG]
    post(chatbot, history())
    post(chatbot, history())
    first, second, third = (len(chat["messages"]) for chat in upstream.chats)
    assert second <= third <= 0.6 * first


def test_one_long_message_is_asked_once(chatbot, upstream):
    upstream.answers = [TOO_LONG]
    error, _ = events(post(chatbot).text)
    assert "shorten" in error[1]["message"]
    assert len(upstream.chats) == 1


def test_the_system_prompt_is_never_left_out(launch, upstream, tmp_path):
    prompt = tmp_path / "prompt"
    prompt.write_text("Be brief. " * 100)
    chatbot = launch(OPS_PORT=None, CONTEXT_WINDOW="1000", SYSTEM_PROMPT_FILE=str(prompt))
    post(chatbot, history())
    assert [m["role"] for m in upstream.chats[-1]["messages"]][:2] == ["system", "user"]
