"""Talking: sending, stopping, failing honestly, following along."""

from __future__ import annotations

from chatbot.browsing import answers, say, until
from chatbot.upstream import NO_ROLE, THROTTLED, Refuse, Say
from playwright.sync_api import expect


def test_escape_stops_the_answer_here_and_upstream(visit, upstream):
    upstream.answers = [Say(("word ",) * 1000, pause=0.05)]
    page = visit()
    say(page, "Talk")
    expect(answers(page)).to_contain_text("word")
    page.keyboard.press("Escape")
    expect(page.locator(".assistant").get_by_text("You stopped this answer.")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    until(page, lambda: not upstream.streaming, seconds=60)
    assert upstream.aborted == 1
    page.reload()
    expect(answers(page)).to_contain_text("word")


def test_an_error_is_shown_in_words_and_can_be_retried(visit, upstream):
    upstream.answers = [NO_ROLE]
    page = visit()
    say(page, "Hi")
    expect(page.locator(".error")).to_contain_text("up to ten minutes")
    page.get_by_role("button", name="Retry").click()
    expect(answers(page)).to_have_text(["Hello."])
    expect(page.locator(".error")).to_have_count(0)
    assert [m["content"] for m in upstream.chats[-1]["messages"]] == ["Hi"]


def test_a_busy_model_is_tried_again_after_a_countdown(visit, upstream):
    upstream.answers = [Refuse(429, THROTTLED.body, {"Retry-After": "3"})]
    page = visit()
    say(page, "Hi")
    retry = page.locator(".error").get_by_role("button")
    expect(retry).to_have_text("Retry in 2 s")
    expect(retry).to_be_disabled()
    expect(retry).to_have_text("Retry", timeout=10_000)
    retry.click()
    expect(answers(page)).to_have_text(["Hello."])


def test_an_answer_that_broke_off_is_kept_beside_the_next_one(visit, upstream):
    upstream.answers = [Say(("half ",), finish=None)]
    page = visit()
    say(page, "Hi")
    expect(page.locator(".error")).to_be_visible()
    expect(answers(page)).to_have_text(["half"])
    page.get_by_role("button", name="Retry").click()
    expect(answers(page)).to_have_text(["Hello."])
    expect(page.get_by_role("group", name="Versions")).to_have_text("2/2")
    assert [m["content"] for m in upstream.chats[-1]["messages"]] == ["Hi"]


def test_a_chatbot_that_went_away_is_told_in_words(visit, chatbot):
    page = visit()
    page.route("**/api/chat", lambda route: route.fulfill(status=502, body="Bad gateway"))
    say(page, "Hi")
    expect(page.locator(".error")).to_contain_text("could not be reached")


def test_a_proxy_that_wants_a_new_sign_in_is_told_in_words(visit, upstream):
    page = visit()
    page.route(
        "**/api/chat",
        lambda route: route.fulfill(status=302, headers={"location": "https://login.example/"}),
    )
    say(page, "Hi")
    expect(page.locator(".error")).to_contain_text("Your sign-in has ended. Reload the page")


def test_a_chatbot_that_is_not_there_at_first_can_be_asked_again(browser, chatbot):
    context = browser.new_context()
    page = context.new_page()
    page.route("**/api/config", lambda route: route.abort())
    page.goto(chatbot.page)
    expect(page.get_by_text("The chatbot could not be reached.")).to_be_visible()
    say(page, "Is anybody there?")
    expect(page.get_by_label("Message", exact=True)).to_have_value("Is anybody there?")
    page.unroute_all()
    page.get_by_role("button", name="Retry").click()
    expect(answers(page)).to_have_text(["Hello."])
    context.close()


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
    upstream.answers = [Say(("word ",) * 20, pause=0.02)]
    page = visit()
    page.evaluate(
        """() => {
          window.announced = [];
          new MutationObserver(() => announced.push(document.getElementById("spoken").textContent))
            .observe(document.getElementById("spoken"), { childList: true, characterData: true });
        }"""
    )
    say(page, "Hi")
    expect(page.get_by_role("status")).to_have_text("word " * 19 + "word")
    announced = page.evaluate("announced")
    assert [" ".join(each.split()) for each in announced] == [
        "The answer is on its way.",
        "word " * 19 + "word",
    ]


def test_the_page_follows_only_a_reader_who_is_at_the_end(visit, upstream):
    upstream.answers = [Say(("A line.\n\n",) * 200, pause=0.02)]
    page = visit(viewport={"width": 900, "height": 500})
    say(page, "Talk")
    latest = page.get_by_role("button", name="Jump to latest")
    until(page, "scrollY > 200")
    expect(latest).to_be_hidden()
    page.mouse.move(450, 200)
    page.mouse.wheel(0, -400)
    expect(latest).to_be_visible()
    place = page.evaluate("scrollY")
    height = page.evaluate("document.documentElement.scrollHeight")
    until(page, f"document.documentElement.scrollHeight > {height + 200}")
    assert page.evaluate("scrollY") == place
    latest.click()
    expect(latest).to_be_hidden()
    height = page.evaluate("document.documentElement.scrollHeight")
    until(page, f"document.documentElement.scrollHeight > {height + 100}")
    assert page.evaluate("document.documentElement.scrollHeight - innerHeight - scrollY") < 64


def test_an_answer_is_copied_as_markdown(visit, upstream):
    upstream.answers = [Say(("Some **bold** words",))]
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    say(page, "Hi")
    page.get_by_role("button", name="Copy answer").click()
    expect(page.locator(".assistant").get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "Some **bold** words"
    page.get_by_role("button", name="Copied").click()
    expect(page.get_by_role("button", name="Copy answer")).to_be_visible()
