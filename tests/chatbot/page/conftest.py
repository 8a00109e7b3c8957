"""A browser, and a chatbot for it to visit; an upstream that begins each test anew."""

from __future__ import annotations

import shutil

import pytest
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


VIOLATIONS = """addEventListener("securitypolicyviolation", (event) =>
  console.error(`${event.violatedDirective} refuses ${event.blockedURI} ${event.sample}`))"""


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
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
    """Open the page in a browser profile of its own; in the end nobody else was asked, or tried."""
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
        page.add_init_script(VIOLATIONS)
        page.goto(chatbot.page)
        expect(page).to_have_title("Ask Ada")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith(chatbot.page)] == []
