"""Everything without a mouse: the focus is always somewhere, and seen; what happens is announced once."""

from __future__ import annotations

import pytest
from chatbot.browsing import answers, listed, until
from chatbot.upstream import NO_ROLE, Say
from playwright.sync_api import expect

FOCUS = """() => {
  const focused = document.activeElement;
  const around = focused.closest("#composer, .editor") ?? focused;
  const style = getComputedStyle(around);
  const ringed = getComputedStyle(focused).outlineStyle !== "none" || style.boxShadow !== "none";
  const { bottom, right, width } = focused.getBoundingClientRect();
  return focused !== document.body && focused.checkVisibility() && focused.matches(":focus-visible")
    && ringed && width > 0 && bottom > 0 && right > 0;
}"""
WATCH = """addEventListener("DOMContentLoaded", () => {
  window.announced = [];
  for (const id of ["spoken", "toast"]) {
    const node = document.getElementById(id);
    new MutationObserver(() => node.textContent && announced.push(node.textContent))
      .observe(node, { childList: true, characterData: true });
  }
})"""


class Hands:
    """Ten fingers on a keyboard, and eyes that look for the focus after every key."""

    def __init__(self, page) -> None:
        self.page = page

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
            until(self.page, FOCUS, seconds=5)

    def write(self, text):
        self.page.keyboard.type(text)

    def on(self, name, key="Tab"):
        """Come to what has this name by Tab alone, or backwards."""
        for _ in range(60):
            if self.name() == name:
                return
            self.page.keyboard.press(key)
            if self.page.evaluate("document.activeElement !== document.body"):  # the page's end
                until(self.page, FOCUS, seconds=5)
        pytest.fail(f"Tab does not lead to {name}, but to {self.name()}")

    def name(self):
        return self.page.evaluate(
            """() => document.activeElement.getAttribute("aria-label")
              ?? document.activeElement.textContent"""
        )

    def to(self, name):
        self.on(name)
        self.press("Enter")


@pytest.fixture
def hands(visit):
    def take(**options):
        page = visit(**options)
        page.get_by_label("Message", exact=True).wait_for()
        expect(page.get_by_role("button", name="Temporary chat")).to_be_enabled()
        return Hands(page)

    return take


def ended(page, count=1):
    expect(page.get_by_role("button", name="Answer again")).to_have_count(count)


def test_a_whole_story_is_told_by_keys(hands, upstream):
    upstream.answers = [Say(("word ",) * 1000, pause=0.05)]
    fingers = hands()
    page = fingers.page
    fingers.write("First")
    fingers.press("Enter")
    expect(answers(page)).to_contain_text("word")
    fingers.to("Stop")
    expect(page.locator(".assistant").get_by_text("You stopped this answer.")).to_be_visible()
    fingers.on("Answer again", "Shift+Tab")
    fingers.press("Enter")
    expect(page.get_by_role("group", name="Versions")).to_have_text("2/2")
    ended(page)
    fingers.on("Previous version", "Shift+Tab")
    fingers.press("Enter")
    expect(page.get_by_role("group", name="Versions")).to_have_text("1/2")
    assert fingers.name() == "Next version"
    fingers.press("Enter")
    fingers.on("Edit message", "Shift+Tab")
    fingers.press("Enter", "Escape")
    assert fingers.name() == "Edit message"
    fingers.press("Enter")
    fingers.write(" again")
    fingers.press("Enter")
    expect(page.locator(".user")).to_contain_text("First again")
    ended(page)
    fingers.press("Control+Shift+O")
    expect(answers(page)).to_have_count(0)
    fingers.write("Second")
    fingers.press("Enter")
    ended(page)
    fingers.press("Control+k")
    fingers.write("again")
    expect(listed(page)).to_have_count(1)
    fingers.press("ArrowDown")
    page.wait_for_timeout(200)
    fingers.press("Enter")
    expect(page.locator(".user")).to_contain_text("First again")
    fingers.press("Control+/")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    fingers.press("Escape")
    with page.expect_download() as download:
        fingers.to("Settings")
        fingers.to("Export all as Markdown")
    assert "First again" in download.value.path().read_text("utf-8")


def test_naming_and_deleting_keep_the_focus(hands, upstream):
    fingers = hands()
    page = fingers.page
    fingers.write("One")
    fingers.press("Enter")
    ended(page)
    for options in ("Options for “One”", "Conversation options"):
        fingers.to(options)
        fingers.press("Enter")
        fingers.write("Two" if "One" in options else "Three")
        fingers.press("Enter")
        page.wait_for_timeout(200)
        assert page.evaluate(FOCUS)
        assert "ptions" in fingers.name()
    expect(listed(page)).to_have_text(["Three"])
    fingers.to("Options for “Three”")
    fingers.press("ArrowUp", "Enter")
    expect(listed(page)).to_have_count(0)
    assert fingers.name() == "Undo"
    fingers.press("Enter")
    expect(listed(page)).to_have_text(["Three"])
    ended(page)
    page.wait_for_timeout(200)
    assert page.evaluate(FOCUS)


@pytest.mark.parametrize("touch", [False, True], ids=["mouse", "touch"])
def test_the_drawer_gives_the_focus_back(hands, upstream, touch):
    fingers = hands(viewport={"width": 320, "height": 640}, has_touch=touch, is_mobile=touch)
    page = fingers.page
    page.get_by_label("Message", exact=True).focus()
    fingers.write("One")
    fingers.press("Enter")
    ended(page)
    fingers.to("Show conversations")
    fingers.to("One")
    expect(page.get_by_role("button", name="Hide conversations")).to_be_hidden()
    page.wait_for_timeout(200)
    assert page.evaluate(FOCUS)


def test_a_button_that_goes_away_leaves_the_focus_behind(hands, upstream):
    upstream.answers = [Say(("word ",) * 20, pause=0.1)]
    fingers = hands()
    page = fingers.page
    fingers.write("One")
    fingers.to("Send")
    expect(answers(page)).to_contain_text("word")
    page.wait_for_timeout(200)
    assert page.evaluate(FOCUS)
    fingers.on("Stop")
    ended(page)
    page.wait_for_timeout(200)
    assert page.evaluate(FOCUS)


def test_what_happens_is_announced_once(browser, chatbot, upstream):
    upstream.answers = [NO_ROLE]
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(chatbot.page)
    fingers = Hands(page)
    expect(page.get_by_role("button", name="Temporary chat")).to_be_enabled()
    fingers.write("One")
    fingers.press("Enter")
    expect(page.locator(".error")).to_be_visible()
    told = page.locator(".error p").inner_text()
    until(page, lambda: page.evaluate("announced")[-1:] == [told])
    fingers.to("Retry")
    ended(page)
    fingers.to("Conversation options")
    fingers.press("ArrowUp", "Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    fingers.press("Enter")
    ended(page)
    page.wait_for_timeout(300)
    way = "The answer is on its way."
    assert page.evaluate("announced.map((each) => each.replace(/UndoDismiss$|Undo$/, ''))") == [
        way, told, way, "Hello.", "Deleted “One”.", "“One” is back.",
    ]  # fmt: skip
    context.close()


def test_forced_colours_leave_nothing_unseen(visit, upstream):
    page = visit(forced_colors="active", viewport={"width": 320, "height": 640})
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    edges = page.evaluate(
        """() => [...document.querySelectorAll("#composer, #send")].map((each) => {
          const { borderStyle, borderWidth } = getComputedStyle(each);
          return borderStyle !== "none" && borderWidth !== "0px";
        })"""
    )
    assert edges == [True, True]
