"""Code in answers: its language, its copy, its colours, which only what is finished gets."""

from __future__ import annotations

import re

import pytest
from chatbot.browsing import answers, say
from chatbot.upstream import Say
from playwright.sync_api import expect

PROGRAM = 'def f(a):\n    """Say."""\n    return [a, "<b>", 42]  # done'
FENCED = f"Look:\n\n```python\n{PROGRAM}\n```\n\nThat is all."


def vendored(page):
    """Gather what the page fetches of other people's work from now on."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    return lambda: [url.partition("/vendor/")[2] for url in asked if "/vendor/" in url]


def test_code_is_coloured_when_it_is_finished_and_not_before(visit, upstream):
    upstream.answers = [Say(tuple(re.findall(r"(?s).{1,4}", FENCED)), pause=0.02)]
    page = visit()
    say(page, "Show")
    code = answers(page).locator("pre code")
    expect(code).to_contain_text("return")
    assert code.locator("span").count() == 0
    expect(code.locator(".hljs-keyword")).to_have_text(["def", "return"])
    expect(code.locator(".hljs-number")).to_have_text("42")
    expect(code).to_have_text(PROGRAM)
    expect(answers(page).locator(".code > div > span")).to_have_text("python")


def test_nothing_for_colours_is_fetched_until_there_is_code(visit, upstream):
    upstream.answers = [Say(("No code.",)), Say((FENCED,)), Say((FENCED,))]
    page = visit()
    asked = vendored(page)
    page.reload(wait_until="networkidle")
    say(page, "One")
    expect(answers(page)).to_have_text(["No code."])
    assert asked() == ["marked/marked.esm.js"]
    say(page, "Two")
    expect(answers(page).locator(".hljs-number")).to_have_count(1)
    say(page, "Three")
    expect(answers(page).locator(".hljs-number")).to_have_count(2)
    assert sorted(asked()[1:]) == ["highlight/core.min.js", "highlight/languages/python.min.js"]


COLOURED = [
    ("bash", "if true; then echo hi; fi"),
    ("c", "int main(void) { return 0; }"),
    ("csharp", "public class A { }"),
    ("css", "a { color: red; }"),
    ("diff", "+added\n-gone"),
    ("Dockerfile", "FROM scratch"),
    ("go", "func main() {}"),
    ("toml", "[a]\nb = 1"),
    ("java", "public class A { }"),
    ("js", "const a = 1;"),
    ("json", '{"a": 1}'),
    ("pwsh", "if ($a) { Get-Item }"),
    ("py title=a.py", "def f(): pass"),
    ("rust", "fn main() {}"),
    ("sql", "SELECT 1 FROM a"),
    ("tsx", "const a: number = 1;"),
    ("html", "<script>let a = 1;</script><style>a { color: red }</style>"),
    ("yml", "a: 1"),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_language_is_coloured_legibly_as_the_same_text(visit, upstream, scheme):
    upstream.answers = [Say(("".join(f"```{name}\n{text}\n```\n\n" for name, text in COLOURED),))]
    page = visit(color_scheme=scheme)
    say(page, "Show")
    code = answers(page).locator("pre code")
    expect(code).to_have_text([text for _, text in COLOURED])
    for at, (name, _) in enumerate(COLOURED):
        expect(code.nth(at).locator("span").first, name).to_be_attached()
    dim = page.evaluate(
        """() => {
          const light = (colour) => colour.match(/[0-9.]+/g).slice(0, 3)
            .map((part) => part / 255)
            .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
            .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
          const ground = light(getComputedStyle(document.querySelector(".code")).backgroundColor);
          return [...document.querySelectorAll("pre code, pre span")].filter((node) => {
            const ink = light(getComputedStyle(node).color);
            const [dark, bright] = [ink, ground].sort((a, b) => a - b);
            return (bright + 0.05) / (dark + 0.05) < 4.5;
          }).map((node) => node.className);
        }"""
    )
    assert dim == []


@pytest.mark.parametrize("language", ["", "brainfuck", "constructor", "../../app", "text"])
def test_a_language_that_is_not_known_stays_plain(visit, upstream, language):
    upstream.answers = [Say((f"```{language}\ndef f(): pass\n```\nEnd.",))]
    page = visit()
    asked = vendored(page)
    say(page, "Show")
    expect(answers(page).locator("pre code")).to_have_text("def f(): pass")
    page.wait_for_load_state("networkidle")
    assert asked() == []


def test_code_stays_plain_where_its_colours_cannot_be_fetched(visit, upstream):
    upstream.answers = [Say((FENCED,))]
    page = visit()
    page.route("**/vendor/highlight/**", lambda route: route.abort())
    say(page, "Show")
    expect(answers(page).locator("pre code")).to_have_text(PROGRAM)


def test_code_somebody_selects_from_is_left_as_it_is(visit):
    page = visit()
    kept = page.evaluate(
        """async (text) => {
          const { show } = await import("./markdown.js");
          const node = document.createElement("div");
          document.querySelector("main").append(node);
          show(node, text.slice(0, text.indexOf("# done")), { growing: true });
          getSelection().selectAllChildren(node.querySelector("code"));
          const before = getSelection().toString();
          show(node, text);
          await new Promise((soon) => setTimeout(soon, 1500));
          return [before, getSelection().toString(), node.querySelectorAll("code span").length];
        }""",
        FENCED,
    )
    assert kept[0].startswith("def f(a)")
    assert kept[1].startswith("def f(a)")
    assert kept[2] == 0


def test_code_is_copied_as_it_was_written(visit, upstream):
    upstream.answers = [Say((FENCED,))]
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    say(page, "Show")
    expect(answers(page).locator(".hljs-number")).to_be_visible()
    answers(page).get_by_role("button", name="Copy").click()
    expect(answers(page).get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == PROGRAM
