from __future__ import annotations

import pytest
from chatbot_app.conversation import (
    Message,
    Prompt,
    UnacceptableError,
    parse,
    rendered,
)


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


def test_the_system_prompt_is_ours_and_comes_first():
    prompt = Prompt((user("hi"),), left_out=0)
    assert rendered(prompt, system="Be brief.")[0] == {"role": "system", "content": "Be brief."}
    assert rendered(prompt, system=" \n") == [{"role": "user", "content": "hi"}]
