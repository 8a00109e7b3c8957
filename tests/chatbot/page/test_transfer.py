"""Conversations as files: saved, read back, and refused when they do not hold together."""

from __future__ import annotations

import json

import pytest
from chatbot.browsing import answers, listed, say
from chatbot.upstream import Say
from playwright.sync_api import expect


def saved(page, *buttons):
    expect(page.locator("#stop")).to_be_hidden()  # what still grows is not all there is to save
    with page.expect_download() as download:
        for role, name in buttons:
            page.get_by_role(role, name=name).click()
    return download.value.suggested_filename, download.value.path().read_text("utf-8")


def bring(page, text):
    page.get_by_role("button", name="Settings").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Import…").click()
    chooser.value.set_files(
        {"name": "file.json", "mimeType": "application/json", "buffer": text.encode()}
    )


def test_one_conversation_is_saved_for_people(visit, upstream):
    upstream.answers = [Say(("# Bread\n\nNeeds *yeast*.",))]
    page = visit()
    say(page, "What of bread / and wine?")
    expect(answers(page)).to_contain_text("yeast")
    name, text = saved(page, ("button", "Conversation options"), ("menuitem", "Export as Markdown"))
    assert name == "What-of-bread-and-wine.md"
    assert text == (
        "# What of bread / and wine?\n\n## You\n\nWhat of bread / and wine?\n\n"
        "## Answer\n\n# Bread\n\nNeeds *yeast*.\n"
    )


def test_all_conversations_come_back_in_another_browser(visit, upstream):
    upstream.answers = [Say(("one",)), Say(("another",)), Say(("two",))]
    page = visit()
    say(page, "First")
    expect(answers(page)).to_have_text(["one"])
    page.get_by_role("button", name="Answer again").click()
    expect(answers(page)).to_have_text(["another"])
    page.keyboard.press("Control+Shift+O")
    say(page, "Second")
    expect(answers(page)).to_have_text(["two"])
    name, text = saved(page, ("button", "Settings"), ("button", "Export all as JSON"))
    assert name == "conversations.json"
    other = visit()
    bring(other, text)
    expect(other.get_by_text("2 conversations were imported.")).to_be_visible()
    expect(listed(other)).to_have_text(["Second", "First"])
    listed(other).last.click()
    expect(answers(other)).to_have_text(["another"])
    expect(other.get_by_role("group", name="Versions")).to_have_text("2/2")
    again = saved(other, ("button", "Settings"), ("button", "Export all as JSON"))[1]
    assert json.loads(again) == json.loads(text)
    bring(other, text)
    expect(other.get_by_text("0 conversations were imported. 2 were here already.")).to_be_visible()
    expect(listed(other)).to_have_count(2)


def test_all_conversations_are_saved_for_people(visit, upstream):
    page = visit()
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Export all as Markdown").click()
    expect(page.get_by_text("There are no conversations to export.")).to_be_visible()
    for text in ("One", "Two"):
        say(page, text)
        expect(answers(page)).to_have_text(["Hello."])
        page.keyboard.press("Control+Shift+O")
    name, text = saved(page, ("button", "Settings"), ("button", "Export all as Markdown"))
    assert name == "conversations.md"
    assert text.index("# Two") < text.index("# One")


def file(**changes):
    message = {"id": "m1", "parent": None, "role": "user", "content": "Hi", "at": 1}
    answer = {"id": "m2", "parent": "m1", "role": "assistant", "content": "Ho", "at": 2}
    conversation = {
        "id": "c1",
        "title": "Hi",
        "named": False,
        "created": 1,
        "changed": 2,
        "messages": [message, answer],
        "tip": "m2",
    }
    return json.dumps(
        {
            "format": "chatbot-conversations",
            "version": 1,
            "conversations": [conversation | changes],
        }
    )


def broken(name, value, *, of=1):
    messages = json.loads(file())["conversations"][0]["messages"]
    messages[of][name] = value
    return file(messages=messages)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("not json", "it is not JSON"),
        ("null", "holds no conversations"),
        ('{"format": "something else"}', "holds no conversations"),
        ('{"format": "chatbot-conversations", "version": 2}', "a version"),
        ('{"format": "chatbot-conversations", "version": 1}', "damaged"),
        (file(messages=[]), "damaged"),
        (file(tip="elsewhere"), "damaged"),
        (file(tip=None), "damaged"),
        (file(id="__proto__"), "damaged"),
        (file(id="../x"), "damaged"),
        (file(changed=1e300), "damaged"),
        (file(title={"toString": "x"}), "damaged"),
        (broken("role", "system"), "damaged"),
        (broken("role", "user"), "damaged"),
        (broken("parent", "m2"), "damaged"),
        (broken("parent", "m9"), "damaged"),
        (broken("id", "m1"), "damaged"),
        (broken("content", None), "damaged"),
        (broken("usage", {"promptTokens": -1, "completionTokens": 1, "window": 1}), "damaged"),
        (broken("error", "x"), "damaged"),
    ],
)
def test_what_does_not_hold_together_is_refused_as_a_whole(visit, text, why):
    page = visit()
    bring(page, text)
    expect(page.locator("#toast")).to_contain_text(why)
    expect(listed(page)).to_have_count(0)


def test_of_a_file_only_what_is_known_is_taken(visit, upstream):
    page = visit()
    hostile = broken("content", "<img src=x onerror=alert(1)>").replace(
        '"named": false', '"named": false, "__proto__": {"temporary": true}, "extra": 1'
    )
    bring(page, hostile)
    expect(page.get_by_text("1 conversation was imported.")).to_be_visible()
    listed(page).click()
    expect(answers(page)).to_have_text(["<img src=x onerror=alert(1)>"])
    text = saved(page, ("button", "Settings"), ("button", "Export all as JSON"))[1]
    assert "extra" not in text
    assert "__proto__" not in text


def test_a_title_of_a_file_is_a_title_and_no_more(visit, upstream):
    page = visit()
    say(page, "First")
    expect(answers(page)).to_have_text(["Hello."])
    _, text = saved(page, ("button", "Settings"), ("button", "Export all as JSON"))
    file = json.loads(text)
    file["conversations"][0] |= {"id": "other", "title": "<img src=x onerror=alert(1)>\u202e\u0000"}
    hostile = json.dumps(file).replace("{", '{"__proto__": {"temporary": true}, ', 1)
    bring(page, hostile.replace('"messages": [{', '"messages": [{"__proto__": {"growing": true}, '))
    expect(page.get_by_text("1 conversation was imported.")).to_be_visible()
    expect(listed(page)).to_have_text(["First", "<img src=x onerror=alert(1)>"])
    listed(page).last.click()
    expect(answers(page)).to_have_text(["Hello."])
    expect(page.locator("#temporary")).to_be_hidden()
    assert page.evaluate("({}).temporary") is None


def test_a_deep_file_is_refused_in_words(visit):
    page = visit()
    deep = "[" * 200_000 + "]" * 200_000
    bring(page, f'{{"format": "chatbot-conversations", "version": 1, "conversations": {deep}}}')
    expect(page.get_by_text("This file is damaged or was changed")).to_be_visible()
