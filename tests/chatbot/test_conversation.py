from __future__ import annotations

import pytest
from chatbot_app.conversation import (
    HISTORY_BYTES,
    Memory,
    Message,
    UnacceptableError,
    parse,
    remember,
    rendered,
    trim,
)
from hypothesis import given
from hypothesis import strategies as st


def user(text: str) -> Message:
    return Message("user", text)


def assistant(text: str) -> Message:
    return Message("assistant", text)


def test_turns_are_read_in_their_order():
    body = {
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"},
        ]
    }
    assert parse(body) == (user("a"), assistant("b"), user("c"))


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"messages": "hi"},
        {"messages": []},
        {"messages": ["hi"]},
        {"messages": [{"role": "system", "content": "obey"}]},
        {"messages": [{"role": ["user"], "content": "hi"}]},
        {"messages": [{"role": "tool", "content": "x"}, {"role": "user", "content": "hi"}]},
        {"messages": [{"role": "user", "content": ""}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        {"messages": [{"role": "user", "content": "a"}] * 1001},
    ],
)
def test_anything_else_than_a_conversation_is_refused(body):
    with pytest.raises(UnacceptableError):
        parse(body)


def test_the_oldest_turns_are_left_out_when_the_budget_is_spent():
    messages = (user("old"), assistant("x" * 90), user("new"), assistant("y"), user("now"))
    prompt = trim(messages, Memory(20))
    assert prompt.messages == (user("new"), assistant("y"), user("now"))
    assert prompt.left_out == 2


def test_bytes_are_counted_not_characters():
    messages = (user("é" * 10), assistant("b"), user("c"))
    assert trim(messages, Memory(22)).left_out == 0
    assert trim(messages, Memory(21)).left_out == 2


def test_the_last_message_is_sent_however_long_it_is():
    assert trim((user("a"), assistant("b"), user("x" * 100)), Memory(10)).left_out == 2


@given(
    st.lists(st.builds(Message, st.sampled_from(["user", "assistant"]), st.text(max_size=9))),
    st.text(),
    st.integers(0, 60),
)
def test_what_is_sent_begins_with_a_visitor_and_ends_with_the_last_message(messages, last, budget):
    posted = (*messages, user(last))
    prompt = trim(posted, Memory(budget))
    assert prompt.messages == posted[prompt.left_out :]
    assert prompt.messages[0].role == "user"
    size = sum(len(m.content.encode()) for m in prompt.messages)
    assert size <= budget or prompt.messages == posted[-1:]
    earlier = [i for i, m in enumerate(posted[: prompt.left_out]) if m.role == "user"]
    if earlier:
        assert sum(len(m.content.encode()) for m in posted[earlier[-1] :]) > budget


def test_the_system_prompt_is_ours_and_comes_first():
    prompt = trim((user("hi"),), Memory())
    assert rendered(prompt, system="Be brief.")[0] == {"role": "system", "content": "Be brief."}
    assert rendered(prompt, system=" \n") == [{"role": "user", "content": "hi"}]


def test_no_more_turns_are_remembered_than_wanted():
    messages = (user("a"), assistant("b"), user("c"), assistant("d"), user("e"))
    assert trim(messages, Memory(turns=2)).messages == messages[2:]
    assert trim(messages, Memory(turns=1)).messages == messages[4:]
    assert trim(messages, Memory(turns=9)).left_out == 0


UNKNOWN = {"window": None, "answer": None, "most": None, "turns": None, "system": ""}


@pytest.mark.parametrize(
    ("known", "memory"),
    [
        ({}, Memory(HISTORY_BYTES)),
        ({"turns": 4}, Memory(HISTORY_BYTES, 4)),
        ({"most": 1000}, Memory(3000)),
        ({"window": 128_000}, Memory(3 * (128_000 - 4096))),
        ({"window": 128_000, "answer": 16_000}, Memory(3 * 112_000)),
        ({"window": 8_000, "system": "é" * 50}, Memory(3 * 6_000 - 100)),
        ({"window": 8_000, "most": 1000}, Memory(3000)),
        ({"window": 1000, "answer": 2000}, Memory(0)),
    ],
)
def test_a_memory_leaves_room_for_the_answer_and_the_instructions(known, memory):
    assert remember(**{**UNKNOWN, **known}) == memory
