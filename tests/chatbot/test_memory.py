"""What is sent of a conversation: whole turns, as many as the model is measured to take."""

from __future__ import annotations

import pytest
from chatbot_app.conversation import FRAME, Message, Prompt, size
from chatbot_app.memory import FEWEST, MOST, UNKNOWN_WINDOW, Measure, Memory, halved, trim
from hypothesis import given
from hypothesis import strategies as st

MESSAGES = st.lists(st.builds(Message, st.sampled_from(["user", "assistant"]), st.text(max_size=9)))


def user(text: str) -> Message:
    return Message("user", text)


def assistant(text: str) -> Message:
    return Message("assistant", text)


def total(messages) -> int:
    return sum(map(size, messages))


def test_the_oldest_turns_are_left_out_when_there_is_no_more_room():
    messages = (user("old"), assistant("x" * 90), user("new"), assistant("y"), user("now"))
    prompt = trim(messages, total(messages[2:]))
    assert prompt == Prompt(messages[2:], left_out=2)


def test_bytes_are_counted_not_characters():
    messages = (user("é" * 10), assistant("b"), user("c"))
    assert trim(messages, 22 + 3 * FRAME).left_out == 0
    assert trim(messages, 21 + 3 * FRAME).left_out == 2


def test_the_last_message_is_sent_however_long_it_is():
    assert trim((user("a"), assistant("b"), user("x" * 100)), 10).left_out == 2


def test_no_more_turns_are_remembered_than_wanted():
    messages = (user("a"), assistant("b"), user("c"), assistant("d"), user("e"))
    assert trim(messages, 999, turns=2).messages == messages[2:]
    assert trim(messages, 999, turns=1).messages == messages[4:]
    assert trim(messages, 999, turns=9).left_out == 0


@given(MESSAGES, st.text(), st.integers(0, 150))
def test_what_is_sent_begins_with_a_visitor_and_ends_with_the_last_message(messages, last, room):
    posted = (*messages, user(last))
    prompt = trim(posted, room)
    assert prompt.messages == posted[prompt.left_out :]
    assert prompt.messages[0].role == "user"
    assert prompt.size <= room or prompt.messages == posted[-1:]
    earlier = [i for i, m in enumerate(posted[: prompt.left_out]) if m.role == "user"]
    if earlier:
        assert total(posted[earlier[-1] :]) > room


@given(MESSAGES, st.text())
def test_half_of_a_prompt_is_its_newest_turns_and_counts_all_that_is_left_out(messages, last):
    posted = (*messages, user(last))
    prompt = trim(posted, 10**6)
    fewer = halved(prompt)
    if fewer is None:
        assert prompt.messages == posted[-1:]
        return
    assert fewer.messages == posted[fewer.left_out :]
    assert fewer.size <= prompt.size / 2 or fewer.messages == posted[-1:]


@pytest.mark.parametrize(
    ("known", "room"),
    [
        ({}, 2 * UNKNOWN_WINDOW),
        ({"turns": 4}, 2 * UNKNOWN_WINDOW),
        ({"most": 1000}, 2_000),
        ({"most": 100_000}, 200_000),
        ({"window": 128_000}, 2 * (128_000 - 4_096 - 6_400)),
        ({"window": 128_000, "answer": 16_000}, 2 * (128_000 - 16_000 - 6_400)),
        ({"window": 8_000}, 2 * (8_000 - 2_000 - 400)),
        ({"window": 8_000, "most": 1000}, 2_000),
        ({"window": 1_000, "answer": 2_000}, 0),
    ],
)
def test_a_memory_leaves_room_for_the_answer(known, room):
    assert Memory(**known).room(Measure(2.0), system="") == room


def test_instructions_take_their_room_out_of_the_window():
    bare = Memory(window=8_000).room(Measure(), system="")
    assert Memory(window=8_000).room(Measure(), system="é" * 50) == bare - 100


def test_a_measure_moves_towards_what_the_model_reports():
    measure = Measure()
    for _ in range(30):
        measure = measure.taught(4_200, 1_000)
    assert measure.bytes_per_token == pytest.approx(4.2, abs=0.01)
    once = measure.taught(1_800, 1_000).bytes_per_token
    assert 1.8 < once < 4.2


@pytest.mark.parametrize(("sent", "tokens", "limit"), [(10**6, 200, MOST), (100, 10**6, FEWEST)])
def test_no_report_moves_a_measure_out_of_its_bounds(sent, tokens, limit):
    measure = Measure()
    for _ in range(100):
        measure = measure.taught(sent, tokens)
    assert measure.bytes_per_token == pytest.approx(limit)


def test_a_short_prompt_teaches_nothing():
    assert Measure().taught(2, 12) == Measure()
    assert Measure().taught(0, 0) == Measure()


def test_an_overflow_halves_the_measure_down_to_its_floor():
    assert Measure(4.0).overflowed() == Measure(2.0)
    assert Measure(2.0).overflowed() == Measure(FEWEST)
