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


HTML = """async (text) => {
  const { show } = await import("./markdown.js");
  const node = document.createElement("div");
  show(node, text);
  return node.innerHTML
    .replace(/ (?:tabindex|role|aria-label)="[^"]*"/g, "").replace('<div class="table">', "<div>")
    .replace(/<div class="code"><div>.*?<[/]div><pre><code>(.*?)<[/]code><[/]pre><[/]div>/gs, "FRAME<pre>$1</pre>")
    .replace(/<a [^>]*>[^<]*<[/]a>/g, "LINK");
}"""


def test_what_becomes_of_each_construct(visit):
    page = visit()
    for text, html in [
        ("# A\n\n###### B", "<h2>A</h2><h6>B</h6>"),
        ("A\n===\n\nB\n---", "<h2>A</h2><h3>B</h3>"),
        ("a\nb\n\nc", "<p>a<br>b</p><p>c</p>"),
        ("---", "<hr>"),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"),
        ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("- [ ] a\n- [x] b", '<ul><li class="task">☐ a</li><li class="task">☑ b</li></ul>'),
        ("> a\n>\n> > b", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>"),
        ("***a*** ~~b~~ ``c ` d``", "<p><em><strong>a</strong></em> <del>b</del> <code>c ` d</code></p>"),
        ("&copy; &amp;lt; &#8364; &nosuch; AT&T", "<p>© &amp;lt; € &amp;nosuch; AT&amp;T</p>"),
        ("`&copy;`", "<p><code>&amp;copy;</code></p>"),
        ("a <b>c</b> <br> d", "<p>a &lt;b&gt;c&lt;/b&gt; <br> d</p>"),
        ("<details>\n*a*\n</details>\n\n*b*", '<p class="raw">&lt;details&gt;\n*a*\n&lt;/details&gt;</p><p><em>b</em></p>'),
        ("a <a href='x'> https://example.com/", "<p>a &lt;a href='x'&gt; LINK</p>"),
        ("so \\(a_b \\{ *c* \\}\\) and $x_1 * y_1$", "<p>so \\(a_b \\{ *c* \\}\\) and $x_1 * y_1$</p>"),
        ("$$\na *b* \\\\ c\n$$", '<p class="raw">$$\na *b* \\\\ c\n$$</p>'),
        ("$5 and *$6*", "<p>$5 and <em>$6</em></p>"),
        ("    code\n\n    more", "FRAME<pre>code\n\nmore</pre>"),
        ("[a]: https://example.com/", ""),
        ("", ""),
    ]:  # fmt: skip
        assert page.evaluate(HTML, text) == html, text
    assert page.evaluate(HTML, "|a|b|\n|:-:|--:|\n|1<br>2|`x \\| y`|") == (
        '<div><table><thead><tr><th class="center">a</th><th class="right">b</th></tr></thead>'
        '<tbody><tr><td class="center">1<br>2</td><td class="right"><code>x | y</code></td></tr>'
        "</tbody></table></div>"
    )


def test_what_scrolls_can_be_reached_and_has_a_name(visit, upstream):
    upstream.answers = [Say(("```py\npass\n```\n\n| a |\n|---|\n| b |\n",))]
    page = visit()
    say(page, "Show")
    expect(page.get_by_role("group", name="Code: py")).to_have_attribute("tabindex", "0")
    expect(page.get_by_role("group", name="Table")).to_have_attribute("tabindex", "0")


def test_what_is_nested_too_deep_stays_text(visit):
    page = visit()
    assert page.evaluate(HTML, "> " * 20 + "a").count("<blockquote>") == 8
    assert page.evaluate(HTML, "> " * 20 + "a").count("&gt;") == 12


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_narrowest_screen_needs_no_sideways_scrolling(visit, upstream, scheme):
    upstream.answers = [Say((MARKDOWN + "\n```\n" + "x" * 300 + "\n```\n" + "y" * 300,))]
    page = visit(viewport={"width": 320, "height": 560}, color_scheme=scheme)
    say(page, "z" * 300)
    expect(answers(page)).to_contain_text("yyy")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
