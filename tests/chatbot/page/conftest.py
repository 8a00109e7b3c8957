"""A browser, and a chatbot for it to visit; an upstream that begins each test anew."""

from __future__ import annotations

import os

import pytest
from chatbot.chromium import MissingError, launch
from playwright.sync_api import expect, sync_playwright

VIOLATIONS = """addEventListener("securitypolicyviolation", (event) =>
  console.error(`${event.violatedDirective} refuses ${event.blockedURI} ${event.sample}`))"""


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        try:
            browser = launch(playwright)
        except MissingError as missing:
            leave = pytest.fail if os.environ.get("CI") else pytest.skip
            leave(str(missing))
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
