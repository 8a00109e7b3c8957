"""What holds for every view of the page, whoever uses it and on whatever screen."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from chatbot.views import ADA, VIEWS, demo, showroom
from playwright.sync_api import expect

WIDE = {"viewport": {"width": 1280, "height": 800}}
NARROW = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SMALL = """() => [...document.querySelectorAll("button, input, textarea, #list a, label:has(input)")]
  .filter((each) => each.checkVisibility() && !each.closest("[inert]"))
  .filter((each) => !each.matches("label input")) /* the label is what is touched */
  .map((each) => [each.outerHTML.slice(0, 90), each.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < 44 || height < 44)"""
# A phone zooms out of what is too wide, and `innerWidth` grows with it: `clientWidth` does not.
OVERFLOWING = """() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth <= clientWidth ? [] : [...document.querySelectorAll("body *")]
    .filter((each) => each.getBoundingClientRect().right > clientWidth + 1)
    .map((each) => each.outerHTML.slice(0, 90));
}"""
CUT = """() => [...document.querySelectorAll("button, h2, label, p, .bubble")]
  .filter((each) => each.checkVisibility() && !each.matches(".unseen"))
  .filter((each) => getComputedStyle(each).overflow !== "visible")
  .filter((each) => each.scrollWidth > each.clientWidth + 1)
  .map((each) => each.outerHTML.slice(0, 90))"""


@pytest.fixture(scope="module")
def shown(authority, tmp_path_factory):
    with showroom(authority, tmp_path_factory.mktemp("showroom")) as opened:
        yield opened


@pytest.fixture
def come(browser, shown):
    """Come to a view, as Ada, in a browser of these options."""
    contexts = []

    def come_to(view, **options):
        shown.upstream.forget()
        context = browser.new_context(extra_http_headers=ADA, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(shown.chatbot.page)
        expect(page).to_have_title("Contoso Help")
        VIEWS[view](page, shown.upstream)
        return page

    yield come_to
    for context in contexts:
        context.close()


def violations(page):
    # A menu lies above the page, in none of its landmarks.
    apart = {"region": {"enabled": False}}
    options = {"runOnly": RULES, "rules": apart, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options)
    return [
        (violation["id"], node["html"][:120], node["failureSummary"][:300])
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]


def complaints(page):
    """Let axe look at a page in light and dark."""
    told = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        told += [(scheme, *each) for each in violations(page)]
    return told


@pytest.mark.parametrize("view", VIEWS)
def test_a_wide_view_is_for_everybody_and_holds_letters_of_twice_the_size(come, view):
    page = come(view, **WIDE)
    assert complaints(page) == []
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate(CUT) == []


@pytest.mark.parametrize("view", VIEWS)
def test_a_narrow_view_is_for_everybody_and_for_fingers_and_still(come, view):
    page = come(view, **NARROW, reduced_motion="reduce")
    assert page.evaluate("document.getAnimations().length") == 0
    assert complaints(page) == []
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate(SMALL) == []


@pytest.mark.parametrize("options", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_demo_says_so_to_everybody(browser, tmp_path, options):
    with demo(tmp_path) as process:
        page = browser.new_context(**options).new_page()
        page.goto(process.page)
        expect(page.locator("#demo")).to_be_visible()
        expect(page.get_by_text("a small program answers here")).to_be_visible()
        assert complaints(page) == []
        assert page.evaluate(OVERFLOWING) == []
        page.context.close()


def test_a_chatbot_with_a_model_is_no_demo(come):
    expect(come("welcome", **WIDE).locator("#demo")).to_be_hidden()
