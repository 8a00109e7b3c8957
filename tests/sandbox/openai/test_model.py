"""What the built-in model says."""

from __future__ import annotations

import pytest
from sandbox.azure.openai.model import Message, answer


def talk(*said: str, system: str | None = None) -> str:
    told = [Message("system", system)] if system else []
    turns = [m for text in said for m in (Message("user", text), Message("assistant", "ok"))]
    return answer([*told, *turns[:-1]], "gpt-4o")


def test_it_greets_who_gives_a_name_and_knows_the_name_later():
    assert "Nice to meet you, **Ada**!" in talk("Hello! My name is Ada.")
    assert talk("My name is Ada.", "Show me code", "What is my name?") == "Your name is **Ada**."
    assert talk("My name is Ada.", "What’s my name?") == "Your name is **Ada**."
    assert talk("My name is Ada.", "hello") == "Hello again, **Ada**!"


def test_it_admits_what_it_was_not_told():
    assert talk("What is my name?") == "You have not told me your name yet."


def test_the_latest_statement_counts():
    assert "Grace" in talk("My name is Ada.", "My name is Grace.", "what is my name")


@pytest.mark.parametrize(
    ("told", "asked", "expected"),
    [
        ("Remember that the launch code is 1234.", "What is the launch code?", "The launch code is **1234**."),
        ("please remember: my dog is Rex", "Who is my dog?", "Your dog is **Rex**."),
        ("My favourite colour is blue!", "What is my favourite colour", "Your favourite colour is **blue**."),
    ],
)  # fmt: skip
def test_it_remembers_what_it_was_told(told, asked, expected):
    assert "remember" in talk(told)
    assert talk(told, "hello", asked) == expected


def test_it_quotes_the_first_and_the_last_message():
    assert talk("One\nand more", "Two", "What did I ask first?").endswith("> One\n> and more")
    assert talk("One", "Two", "What was my last question?").endswith("> Two")
    assert talk("What did I ask first?") == "This is the first thing you have asked me."


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("What is 17*23?", "**391**"),
        ("what's 1 / 3", "**0.333333**"),
        ("2 plus 2 =", "**4**"),
        ("calculate 0.5 times -4", "**-2**"),
        ("999999999999999 x 999999999999999", "**999999999999998000000000000001**"),
        ("What is 1 divided by 0?", "Nothing can be divided by zero."),
        ("what is 0/0", "Nothing can be divided by zero."),
    ],
)
def test_it_calculates(asked, expected):
    assert expected in talk(asked)


def test_it_introduces_itself_by_the_first_line_of_its_instructions():
    assert "> You are a pirate." in talk("Who are you?", system="You are a pirate.\nBe brief.")
    assert "brief" not in talk("Who are you?", system="You are a pirate.\nBe brief.")
    assert "*You are a pirate.*" in talk("Tell me about ships", system="You are a pirate.")


def test_it_names_the_model_it_plays():
    assert "**gpt-4o**" in talk("Which model are you?")


def test_it_writes_code_tables_and_long_answers():
    assert "```python\n" in talk("Show me some code")
    assert "|---|" in talk("Make a table")
    assert len(talk("Give me a long answer")) > 2_000


def test_it_is_deterministic_and_answers_anything():
    for text in ("", "   ", "?", "…", "is is is", "remember", "My", "x" * 500_000, "!" * 500_000):
        assert talk(text) == talk(text) != ""
    assert answer([], "gpt-4o")
