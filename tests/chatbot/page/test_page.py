"""The page, in a real browser."""

from __future__ import annotations

import time

from chatbot.browsing import answers, say
from chatbot.upstream import NO_ROLE, Say
from playwright.sync_api import expect


def test_a_conversation_goes_on_and_survives_a_reload(visit, upstream):
    page = visit()
    say(page, "I am Ada.")
    expect(answers(page)).to_have_text(["Hello."])
    page.reload()
    expect(page.locator(".user")).to_have_text(["You: I am Ada."])
    say(page, "Who am I?")
    expect(answers(page)).to_have_text(["Hello.", "Hello."])
    assert [m["content"] for m in upstream.chats[-1]["messages"]] == [
        "I am Ada.",
        "Hello.",
        "Who am I?",
    ]


def test_two_browsers_never_see_each_other(visit, upstream):
    ada, bob = visit(), visit()
    say(ada, "My secret is 42.")
    expect(answers(ada)).to_have_text(["Hello."])
    bob.reload()
    expect(bob.locator("#messages > li")).to_have_count(0)
    say(bob, "What is the secret?")
    expect(answers(bob)).to_have_text(["Hello."])
    assert [m["content"] for m in upstream.chats[-1]["messages"]] == ["What is the secret?"]


def test_a_new_chat_forgets_and_the_last_one_can_be_brought_back(visit, upstream):
    page = visit()
    say(page, "One")
    expect(answers(page)).to_have_text(["Hello."])
    page.get_by_role("button", name="New chat").click()
    expect(page.get_by_role("heading", name="What is on your mind?")).to_be_visible()
    page.get_by_role("button", name="Bring back").click()
    expect(page.locator(".user")).to_have_text(["You: One"])
    page.get_by_role("button", name="New chat").click()
    say(page, "Two")
    expect(answers(page)).to_have_text(["Hello."])
    assert [m["content"] for m in upstream.chats[-1]["messages"]] == ["Two"]


def test_escape_stops_the_answer_here_and_upstream(visit, upstream):
    upstream.answers = [Say(("word ",) * 1000, pause=0.05)]
    page = visit()
    say(page, "Talk")
    expect(answers(page)).to_contain_text("word")
    page.keyboard.press("Escape")
    expect(page.get_by_text("You stopped this answer.")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    deadline = time.monotonic() + 60
    while upstream.streaming:
        assert time.monotonic() < deadline
        page.wait_for_timeout(10)
    assert upstream.aborted == 1
    page.reload()
    expect(answers(page)).to_contain_text("word")


def test_an_answer_that_was_growing_survives_a_reload(visit, upstream):
    upstream.answers = [Say(("word ",) * 1000, pause=0.05)]
    page = visit()
    say(page, "Talk")
    expect(answers(page)).to_contain_text("word")
    page.reload()
    expect(answers(page)).to_contain_text("word")
    expect(page.locator(".error")).to_contain_text("closed before")
    page.get_by_role("button", name="Retry").click()
    expect(answers(page)).to_have_text(["Hello."])


def test_an_error_is_shown_in_words_and_can_be_retried(visit, upstream):
    upstream.answers = [NO_ROLE]
    page = visit()
    say(page, "Hi")
    expect(page.locator(".error")).to_contain_text("up to ten minutes")
    page.get_by_role("button", name="Retry").click()
    expect(answers(page)).to_have_text(["Hello."])
    expect(page.locator(".error")).to_have_count(0)
    assert [m["content"] for m in upstream.chats[-1]["messages"]] == ["Hi"]


def test_a_chatbot_that_went_away_is_told_in_words(visit, chatbot):
    page = visit()
    page.route("**/api/chat", lambda route: route.fulfill(status=502, body="Bad gateway"))
    say(page, "Hi")
    expect(page.locator(".error")).to_contain_text("could not be reached")


def test_shift_enter_is_a_new_line_and_composing_sends_nothing(visit, upstream):
    page = visit()
    field = page.get_by_label("Message")
    field.press_sequentially("one")
    page.keyboard.press("Shift+Enter")
    field.press_sequentially("two")
    field.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    expect(field).to_have_value("one\ntwo")
    page.keyboard.press("Enter")
    expect(answers(page)).to_have_text(["Hello."])
    assert upstream.chats[0]["messages"][0]["content"] == "one\ntwo"


def test_the_finished_answer_is_announced_once(visit, upstream):
    page = visit()
    say(page, "Hi")
    expect(page.get_by_role("status")).to_have_text("Hello.")


def test_a_team_greets_its_visitors_and_helps_them_to_begin(browser, launch, upstream):
    chatbot = launch(
        OPS_PORT=None,
        CHAT_WELCOME="<b>Welcome</b> to Contoso",
        CHAT_STARTERS='["What can you do?", "<i>Hours</i>"]',
        CHAT_DISCLAIMER="Do not enter secrets.",
    )
    context = browser.new_context()
    page = context.new_page()
    page.goto(chatbot.page)
    expect(page.get_by_role("heading", level=2)).to_have_text("<b>Welcome</b> to Contoso")
    expect(page.get_by_text("Do not enter secrets.")).to_be_visible()
    expect(page.get_by_role("button", name="<i>Hours</i>")).to_be_visible()
    page.get_by_role("button", name="What can you do?").click()
    expect(page.locator(".user")).to_contain_text("What can you do?")
    expect(answers(page)).not_to_be_empty()
    context.close()
