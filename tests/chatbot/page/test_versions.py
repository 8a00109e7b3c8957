"""Versions: questions that are changed, answers anew."""

from __future__ import annotations

from chatbot.browsing import answers, reload, say
from chatbot.upstream import Say
from playwright.sync_api import expect


def posted(upstream):
    return [m["content"] for m in upstream.chats[-1]["messages"]]


def turn(page, way):
    page.get_by_role("button", name=f"{way} version").click()


def test_an_answer_anew_is_a_version_of_the_last(visit, upstream):
    upstream.answers = [Say(("one",)), Say(("two",)), Say(("three",))]
    page = visit()
    say(page, "Count")
    expect(answers(page)).to_have_text(["one"])
    expect(page.get_by_role("group", name="Versions")).to_have_count(0)
    for number, words in (("2/2", "two"), ("3/3", "three")):
        page.get_by_role("button", name="Answer again").click()
        expect(answers(page)).to_have_text([words])
        expect(page.get_by_role("group", name="Versions")).to_have_text(number)
        assert posted(upstream) == ["Count"]
    expect(page.get_by_role("button", name="Next version")).to_be_disabled()
    turn(page, "Previous")
    expect(answers(page)).to_have_text(["two"])
    expect(page.get_by_role("button", name="Previous version")).to_be_focused()
    page.keyboard.press("Enter")
    expect(answers(page)).to_have_text(["one"])
    expect(page.get_by_role("button", name="Next version")).to_be_focused()
    reload(page)
    expect(answers(page)).to_have_text(["one"])
    expect(page.get_by_role("group", name="Versions")).to_have_text("1/3")
    say(page, "Go on")
    expect(answers(page)).to_have_text(["one", "Hello."])
    assert posted(upstream) == ["Count", "one", "Go on"]


def test_a_question_that_is_changed_begins_another_branch(visit, upstream):
    upstream.answers = [Say(("first",)), Say(("second",)), Say(("changed",))]
    page = visit()
    say(page, "One")
    expect(answers(page)).to_have_text(["first"])
    say(page, "Two")
    expect(answers(page)).to_have_text(["first", "second"])
    page.locator(".user").first.hover()
    page.get_by_role("button", name="Edit message").first.click()
    editor = page.get_by_label("Edited message")
    expect(editor).to_be_focused()
    editor.fill("Uno")
    editor.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    page.keyboard.press("Enter")
    expect(answers(page)).to_have_text(["changed"])
    assert posted(upstream) == ["Uno"]
    expect(page.locator(".user")).to_have_text(["You: Uno2/2"])
    turn(page, "Previous")
    expect(answers(page)).to_have_text(["first", "second"])
    expect(page.locator(".user")).to_have_text(["You: One1/2", "You: Two"])


def test_a_change_is_given_up_with_escape(visit, upstream):
    page = visit()
    say(page, "One")
    expect(answers(page)).to_have_text(["Hello."])
    page.locator(".user").hover()
    page.get_by_role("button", name="Edit message").click()
    page.get_by_label("Edited message").fill("Something else")
    page.keyboard.press("Escape")
    expect(page.locator(".user")).to_have_text(["You: One"])
    expect(page.get_by_role("button", name="Edit message")).to_be_focused()
    assert len(upstream.chats) == 1


def test_a_change_while_an_answer_grows_stops_it_first(visit, upstream):
    upstream.answers = [Say(("word ",) * 1000, pause=0.05), Say(("anew",))]
    page = visit()
    say(page, "One")
    expect(answers(page)).to_contain_text("word")
    page.locator(".user").hover()
    page.get_by_role("button", name="Edit message").click()
    page.get_by_label("Edited message").fill("Two")
    page.keyboard.press("Enter")
    expect(answers(page)).to_have_text(["anew"])
    turn(page, "Previous")
    expect(answers(page)).to_contain_text("word")
    expect(page.locator(".assistant").get_by_text("You stopped this answer.")).to_be_visible()
