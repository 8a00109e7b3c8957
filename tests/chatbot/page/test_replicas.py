"""Three replicas behind a balancer that knows nobody, in a real browser."""

from __future__ import annotations

import time

import pytest
from chatbot.browsing import answers, reload, say
from chatbot.round_robin import RoundRobin
from chatbot.upstream import Say
from playwright.sync_api import expect

AT_ONCE = 5.0
"""Seconds; the answers that are left here would go on for a minute."""


@pytest.fixture
def chatbot(launch, upstream):
    balancer = RoundRobin([launch(OPS_PORT=None).page for _ in range(3)])
    balancer.start()
    yield balancer
    balancer.stop()


def chats(chatbot):
    """How often each replica was asked for an answer."""
    return [sum(line.startswith("POST /api/chat ") for line in asked) for asked in chatbot.asked]


def ended(upstream, page):
    begun = time.monotonic()
    while upstream.streaming:
        assert time.monotonic() < begun + AT_ONCE
        page.wait_for_timeout(10)


def test_a_conversation_goes_on_at_whichever_replica_comes_next(visit, upstream, chatbot):
    page = visit()
    said = []
    while not all(chats(chatbot)):
        said += [f"I am Ada, and this is my message {len(said)}.", "Hello."]
        say(page, said[-2])
        expect(answers(page)).to_have_text(said[1::2])
        assert len(said) < 30, "a replica is never asked"

    reload(page)
    expect(answers(page)).to_have_text(said[1::2])
    upstream.answers = [Say(("Ada.",))]
    say(page, "Who am I?")
    expect(answers(page)).to_have_text([*said[1::2], "Ada."])
    assert [m["content"] for m in upstream.chats[-1]["messages"]] == [*said, "Who am I?"]

    upstream.answers = [Say(("You are Ada.",))]
    again = page.get_by_role("button", name="Answer again")
    expect(again).to_have_count(len(said) // 2 + 1)  # the last one has it once it has ended
    again.last.click()
    expect(answers(page).last).to_have_text("You are Ada.")
    assert upstream.chats[-1]["messages"] == upstream.chats[-2]["messages"]
    assert sum(chats(chatbot)) == len(said) / 2 + 2
    assert all(any(".js" in line for line in asked) for asked in chatbot.asked)


def test_stop_ends_the_call_through_the_balancer(visit, upstream, chatbot):
    upstream.answers = [Say(("word ",) * 1000, pause=0.05)]
    page = visit()
    say(page, "Talk")
    expect(answers(page)).to_contain_text("word")
    page.keyboard.press("Escape")
    ended(upstream, page)
    assert upstream.aborted == 1


def test_a_closed_tab_ends_the_call_through_the_balancer(visit, upstream, chatbot):
    upstream.answers = [Say(("word ",) * 1000, pause=0.05)]
    page, other = visit(), visit()
    say(page, "Talk")
    expect(answers(page)).to_contain_text("word")
    page.close()
    ended(upstream, other)
    assert upstream.aborted == 1
