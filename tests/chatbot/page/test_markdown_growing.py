"""An answer while it grows: what stays, what a half is taken for, and that the end is the same."""

from __future__ import annotations

import random

import pytest
from chatbot.browsing import answers, say
from chatbot.upstream import Say
from playwright.sync_api import expect

SNIPPETS = [
    "# Head",
    "Title\n===",
    "para\ngraph with **bold** and `code` and [link](https://example.com/a)",
    "a #tag\n#tag\n#",
    "- a\n- b\n\n  more\n- c",
    "1. one\n\n2. two\n   - three\n\n     four",
    "- [ ] open\n- [x] done",
    "> quote\nlazy\n> > deeper\n> - list",
    "```py\nif a:\n\n    b\n```",
    "~~~\n```\n~~~",
    "- item\n  ```js\n  let a = 1;\n  ```\n  after",
    "| a | b |\n|---|:-:|\n| 1 | 2 |\n| 3 |",
    "text\n| a | b |\n| - | - |\n| 1 | 2 |",
    "| no | table |\n| - |",
    "***\n***bold***",
    "<div>\nraw\n</div>",
    "<!-- a\n\ncomment -->",
    "$$\na_b \\\\ *c*\n$$",
    "see [x][ref] and ![p](https://example.com/p.png)",
    "[ref]: https://example.com/ref",
    "    indented\n\n    code",
    "*a **b _c_ d** e*",
    "line  \nbreak<br>again",
]

GROW = """async ([text, step]) => {
  const { show } = await import("./markdown.js");
  const growing = document.createElement("div");
  const read = document.createElement("div");
  for (let end = step; end < text.length; end += step) {
    show(growing, text.slice(0, end), { growing: true });
    show(read, text.slice(0, end));
    const fresh = document.createElement("div");
    show(fresh, text.slice(0, end));
    if (read.innerHTML !== fresh.innerHTML) return [text.slice(0, end), read.innerHTML, fresh.innerHTML];
  }
  show(growing, text);
  const fresh = document.createElement("div");
  show(fresh, text);
  return growing.innerHTML === fresh.innerHTML ? null : [text, growing.innerHTML, fresh.innerHTML];
}"""


def test_however_an_answer_arrives_it_looks_the_same(visit):
    page = visit()
    chance = random.Random(94)  # noqa: S311 - the same texts each time
    for _ in range(40):
        snippets = chance.choices(SNIPPETS, k=6)
        text = "".join(each + chance.choice(["\n", "\n\n", "\n\n\n"]) for each in snippets)
        assert page.evaluate(GROW, [text, chance.randint(1, 4)]) is None


def half(page, text):
    """Show a half of an answer, as it looks while more is to come; return its HTML."""
    return page.evaluate(
        """async (text) => {
          const { show } = await import("./markdown.js");
          const node = document.createElement("div");
          show(node, text, { growing: true });
          return node.innerHTML.replace(/<div><span>.*?<[/]div>| (?:tabindex|role|aria-label|class)="[^"]*"/g, "");
        }""",
        text,
    )


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("```py\na = 1", "<div><pre><code>a = 1</code></pre></div>"),
        ("- x\n  ```\n  a", "<ul><li>x<div><pre><code>a</code></pre></div></li></ul>"),
        ("| a | b", "<div><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody></tbody></table></div>"),
        ("| a | b |\n|--", "<div><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody></tbody></table></div>"),
        ("so:\n| a |", "<p>so:</p><div><table><thead><tr><th>a</th></tr></thead><tbody></tbody></table></div>"),
        ("|", "<p>|</p>"),
        ("either a | b", "<p>either a | b</p>"),
    ],
)  # fmt: skip
def test_a_half_is_taken_for_what_it_will_be(visit, text, html):
    assert half(visit(), text) == html


def test_what_only_looked_like_a_table_is_text_in_the_end(visit, upstream):
    upstream.answers = [Say(("| no table", " here |\nbut text"))]
    page = visit()
    say(page, "Show")
    expect(answers(page).locator("p")).to_have_text("| no table here |but text")


def test_a_selection_in_what_is_there_survives_what_comes(visit, upstream):
    text = "First **paragraph**.\n\n- one\n- two\n\n```\ncode\n```\n\n" + "More words. " * 40
    upstream.answers = [Say(tuple(text[at : at + 4] for at in range(0, len(text), 4)), pause=0.01)]
    page = visit()
    say(page, "Talk")
    expect(answers(page)).to_contain_text("More")
    page.evaluate(
        """() => {
          const answer = document.querySelector(".answer");
          window.kept = [...answer.children].slice(0, 3);
          getSelection().setBaseAndExtent(
            answer.querySelector("strong").firstChild, 2,
            answer.lastElementChild.firstChild, 3);
        }"""
    )
    selected = page.evaluate("getSelection().toString()")
    assert selected.startswith("ragraph")
    expect(page.get_by_role("button", name="Send")).to_be_visible(timeout=30_000)
    assert page.evaluate("getSelection().toString()") == selected
    assert page.evaluate(
        "window.kept.every((node, at) => node === document.querySelector('.answer').children[at])"
    )


def test_the_first_items_of_a_growing_list_stay(visit):
    page = visit()
    assert page.evaluate(
        """async () => {
          const { show } = await import("./markdown.js");
          const node = document.createElement("div");
          show(node, "- **one**\\n- two\\n- thr", { growing: true });
          const [first, second] = node.querySelectorAll("li");
          show(node, "- **one**\\n- two\\n- three\\n  - four", { growing: false });
          const now = [...node.querySelectorAll("li")];
          return now[0] === first && now[1] === second && now.length === 4;
        }"""
    )


def test_what_takes_long_is_shown_less_often_but_in_the_end(visit):
    page = visit()
    shown = page.evaluate(
        """async () => {
          const { show } = await import("./markdown.js");
          const node = document.createElement("div");
          const text = "word *em* `code`\\n\\n".repeat(3000);
          show(node, text, { growing: true });
          show(node, text + "one", { growing: true });
          const atOnce = node.lastChild.textContent;
          await new Promise((soon) => { const look = () => node.lastChild.textContent === "one" ? soon() : setTimeout(look, 5); look(); });
          show(node, text + "one more", { growing: true });
          show(node, text + "one more and the last");
          return [atOnce, node.lastChild.textContent];
        }"""
    )
    assert shown == ["word em code", "one more and the last"]


def test_nothing_that_is_complete_is_touched(visit):
    page = visit()
    touched, selected = page.evaluate(
        """async () => {
          const { show } = await import("./markdown.js");
          const node = document.createElement("div");
          document.querySelector("main").append(node);
          const text = "A *b*.\\n\\n- c\\n- d\\n\\n| e |\\n|---|\\n| f |\\n\\nThe last";
          show(node, text, { growing: true });
          const last = node.lastChild;
          getSelection().setBaseAndExtent(last.firstChild, 4, last.firstChild, 8);
          const touched = [];
          const seen = new MutationObserver((records) => touched.push(...records));
          seen.observe(node, { subtree: true, childList: true, characterData: true, attributes: true });
          show(node, text + " words grow.");
          touched.push(...seen.takeRecords());
          return [touched.filter(({ target }) => !last.contains(target)).length, getSelection().toString()];
        }"""
    )
    assert touched == 0
    assert selected == "last"


def test_colours_stay_while_more_comes(visit):
    page = visit()
    assert page.evaluate(
        """async () => {
          const { show } = await import("./markdown.js");
          const node = document.createElement("div");
          document.querySelector("main").append(node);
          let text = "- a\\n\\n  ```py\\n  pass\\n  ```\\n\\n  b";
          show(node, text);
          const soon = (after) => new Promise((done) => setTimeout(done, after));
          while (!node.querySelector("code span")) await soon(10);
          const [span] = node.querySelectorAll("code span");
          for (const word of " c d e f".split(" ")) {
            text += word;
            show(node, text, { growing: true });
            await soon(50);
          }
          return node.querySelector("code span") === span && node.innerText.endsWith("bcdef");
        }"""
    )
