"""The page around the conversation: sidebar, keys, looks, sizes, memory, storage."""

from __future__ import annotations

import json

import pytest
from chatbot.browsing import answers, listed, reload, say
from chatbot.upstream import Say
from playwright.sync_api import expect

PHONE = {"width": 320, "height": 640}


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


def test_a_demo_is_called_one(visit):
    page = visit()
    badge = page.get_by_text("Demo", exact=True)
    expect(badge).to_be_hidden()
    page.route(
        "**/api/config",
        lambda route: route.fulfill(json={"title": "Ask Ada", "starters": [], "demo": True}),
    )
    page.reload()
    expect(badge).to_be_visible()


def test_what_is_remembered_and_what_was_left_out_is_told(browser, launch, upstream):
    chatbot = launch(OPS_PORT=None, CONTEXT_WINDOW="4000", MAX_OUTPUT_TOKENS="800")
    upstream.otherwise = lambda _: Say(("word " * 500,))
    context = browser.new_context()
    page = context.new_page()
    page.goto(chatbot.page)
    for turn in range(5):
        say(page, f"Question {turn} " + "x" * 1000)
        expect(page.get_by_role("button", name="Answer again")).to_have_count(turn + 1)
    expect(page.get_by_text("Memory: 13 of 4,000 tokens")).to_be_visible()
    mark = page.get_by_text("The messages above no longer fit")
    expect(mark).to_be_visible()
    sent = upstream.chats[-1]["messages"]
    order = page.locator("#messages > li").evaluate_all("all => all.map((each) => each.className)")
    assert len(order) - 1 - order.index("mark") == len(sent) + 1
    assert order.index("mark") > 0
    context.close()


def test_a_drawer_holds_the_focus_and_gives_it_back(visit, upstream):
    page = visit(viewport=PHONE)
    say(page, "One")
    expect(answers(page)).to_have_text(["Hello."])
    opener = page.get_by_role("button", name="Show conversations")
    opener.click()
    closer = page.get_by_role("button", name="Hide conversations")
    expect(closer).to_be_focused()
    for _ in range(20):
        page.keyboard.press("Tab")
        inside = "document.activeElement === document.body || side.contains(document.activeElement)"
        assert page.evaluate(inside)
    closer.focus()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    expect(closer).to_be_hidden()
    opener.click()
    listed(page).click()
    expect(closer).to_be_hidden()
    opener.click()
    page.mouse.click(295, 300)
    expect(closer).to_be_hidden()


def test_everything_on_a_phone_is_big_enough_to_touch(visit, upstream):
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    say(page, "One")
    expect(page.get_by_role("button", name="Answer again")).to_be_visible()
    page.get_by_role("button", name="Answer again").click()
    expect(page.get_by_role("group", name="Versions")).to_be_visible()
    page.get_by_role("button", name="Show conversations").click()
    page.get_by_role("button", name="Options for “One”").click()
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, input, textarea, #list a")]
          .filter((each) => each.checkVisibility())
          .map((each) => [each.outerHTML.slice(0, 90), each.getBoundingClientRect()])
          .filter(([, { width, height }]) => width < 44 || height < 44)"""
    )
    assert small == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_first_key_leads_past_everything_to_the_message(visit, upstream):
    page = visit()
    say(page, "One")
    expect(answers(page)).to_have_text(["Hello."])
    page.get_by_role("button", name="New chat").focus()
    page.keyboard.press("Shift+Tab")
    skip = page.get_by_role("link", name="Skip to the message field")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    expect(answers(page)).to_have_text(["Hello."])


def test_the_sidebar_stays_closed_if_it_was_closed(visit):
    page = visit()
    page.get_by_role("button", name="Hide conversations").click()
    expect(page.get_by_role("button", name="New chat")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Show conversations")).to_be_visible()
    expect(page.get_by_label("Search conversations")).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(page.get_by_label("Search conversations")).to_be_focused()


def test_the_sheet_of_keys_opens_by_keys(visit, upstream):
    page = visit()
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    page.keyboard.press("?")
    expect(sheet).to_have_count(0)
    expect(page.get_by_label("Message", exact=True)).to_have_value("?")
    page.get_by_role("button", name="New chat").focus()
    page.keyboard.press("?")
    expect(sheet).to_be_visible()
    page.get_by_label("Open this sheet with the ? key alone").uncheck()
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    page.keyboard.press("?")
    page.wait_for_timeout(100)
    expect(sheet).to_have_count(0)
    page.keyboard.press("Control+/")
    expect(sheet).to_be_visible()


def test_escape_closes_what_is_open_before_it_stops_an_answer(visit, upstream):
    upstream.answers = [Say(("word ",) * 1000, pause=0.05)]
    page = visit()
    say(page, "Talk")
    expect(answers(page)).to_contain_text("word")
    page.get_by_role("button", name="Conversation options").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(page.get_by_role("button", name="Conversation options")).to_be_focused()
    page.keyboard.press("Control+/")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Send")).to_be_visible()


def test_the_menu_is_moved_through_by_arrows(visit, upstream):
    page = visit()
    say(page, "One")
    expect(answers(page)).to_have_text(["Hello."])
    page.get_by_role("button", name="Conversation options").press("Enter")
    items = page.get_by_role("menuitem")
    expect(items.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(items.last).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(items.first).to_be_focused()


@pytest.mark.parametrize(("scheme", "chosen"), [("light", "Dark"), ("dark", "Light")])
def test_a_look_that_was_chosen_stays(visit, scheme, chosen):
    page = visit(color_scheme=scheme)

    def bright():
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return int(colour.split("(")[1].split(",")[0]) > 127

    assert bright() == (scheme == "light")
    page.get_by_role("button", name="Settings").click()
    page.get_by_label(chosen).check()
    assert bright() == (chosen == "Light")
    page.route(
        "**/*.js",
        lambda route: route.abort() if "app.js" in route.request.url else route.continue_(),
    )
    page.reload()
    assert bright() == (chosen == "Light")  # before anything else has come
    page.unroute_all()
    page.reload()
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Automatic").check()
    assert bright() == (scheme == "light")


def test_nothing_moves_for_those_who_want_it_still(visit, upstream):
    upstream.answers = [Say(("word ",) * 1000, pause=0.05)]
    page = visit(reduced_motion="reduce", viewport=PHONE)
    say(page, "Talk")
    expect(answers(page)).to_contain_text("word")
    page.get_by_role("button", name="Show conversations").click()
    assert page.evaluate("document.getAnimations().length") == 0


REFUSING = "Object.defineProperty(window, 'indexedDB', { get() { throw new Error('refused'); } })"


def test_a_browser_that_stores_nothing_still_chats_and_says_so(browser, chatbot, upstream):
    context = browser.new_context()
    context.add_init_script(REFUSING)
    page = context.new_page()
    page.goto(chatbot.page)
    expect(page.get_by_text("This browser does not let the page store")).to_be_visible()
    say(page, "One")
    expect(answers(page)).to_have_text(["Hello."])
    say(page, "Two")
    expect(answers(page)).to_have_count(2)
    expect(listed(page)).to_have_text(["One"])
    page.get_by_role("button", name="New chat").click()
    listed(page).click()
    expect(answers(page)).to_have_count(2)
    context.close()


NEWER = """async (names) => {
  for (const name of names) await new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 2);
    request.onsuccess = () => resolve(request.result.close());
    request.onerror = reject;
  });
}"""


def test_what_a_newer_page_has_stored_is_left_to_it_and_said(visit, upstream):
    page = visit()
    say(page, "One")
    expect(answers(page)).to_have_text(["Hello."])
    names = [each["name"] for each in page.evaluate("indexedDB.databases()")]
    page.evaluate(NEWER, names)
    words = page.get_by_text("A newer version of this page keeps your conversations.")
    expect(words).to_be_visible()
    say(page, "Two")
    expect(answers(page)).to_have_count(2)
    reload(page)
    expect(words).to_be_visible()
    expect(page.get_by_role("heading", name="What is on your mind?")).to_be_visible()
    expect(page.get_by_text("This conversation is no longer here.")).to_have_count(0)
    kept = """async ([name]) => new Promise((resolve) => {
      indexedDB.open(name).onsuccess = ({ target: { result } }) => {
        result.transaction("headings").objectStore("headings").count().onsuccess =
          ({ target }) => resolve(target.result);
      };
    })"""
    assert page.evaluate(kept, names) == 1


def test_a_full_disk_ends_storing_not_chatting(visit, chatbot, upstream):
    page = visit()
    network = page.context.new_cdp_session(page)
    origin = chatbot.page.rstrip("/")
    network.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 1})
    say(page, "One")
    expect(page.get_by_text("This browser's storage is full")).to_be_visible()
    expect(answers(page)).to_have_text(["Hello."])
    say(page, "Two")
    expect(answers(page)).to_have_text(["Hello.", "Hello."])
    assert [m["content"] for m in upstream.chats[-1]["messages"]] == ["One", "Hello.", "Two"]
    network.send("Storage.overrideQuotaForOrigin", {"origin": origin})
    say(page, "Three")
    expect(answers(page)).to_have_count(3)
    expect(page.get_by_text("This browser's storage is full")).to_be_hidden()
    reload(page)
    expect(answers(page)).to_have_count(3)


def becoming(page):
    """Visit the page as somebody: their name, and what tells them apart."""
    address = page.url

    def be(user, visitor=None):
        def answer(route):
            config = route.fetch().json() | {"user": user, "visitor": visitor or f"id of {user}"}
            route.fulfill(body=json.dumps(config), content_type="application/json")

        page.unroute_all()
        page.route("**/api/config", answer)
        page.goto("about:blank")
        page.goto(address)

    return be


def test_two_visitors_of_one_browser_have_conversations_of_their_own(visit, upstream):
    page = visit()
    be = becoming(page)
    be("ada")
    say(page, "I am Ada")
    expect(listed(page)).to_have_text(["I am Ada"])
    be("bob")
    expect(page.get_by_text("Your conversations will be listed here.")).to_be_visible()
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_text("Signed in as bob")).to_be_visible()
    be("ada")
    expect(listed(page)).to_have_text(["I am Ada"])


def test_a_visitor_may_change_their_name_and_two_may_have_the_same(visit, upstream):
    page = visit()
    be = becoming(page)
    be("Ada", "1")
    say(page, "I am Ada")
    expect(listed(page)).to_have_text(["I am Ada"])
    be("Countess of Lovelace", "1")
    expect(listed(page)).to_have_text(["I am Ada"])
    be("Ada", "2")
    expect(page.get_by_text("Your conversations will be listed here.")).to_be_visible()


def test_conversations_that_were_kept_under_a_name_are_taken_over_once(visit, upstream):
    page = visit()
    be = becoming(page)
    be("ada", visitor="ada")  # as the page named its store before
    say(page, "I am Ada")
    expect(answers(page)).to_have_text(["Hello."])
    be("ada", visitor="1")
    expect(listed(page)).to_have_text(["I am Ada"])
    reload(page)
    expect(listed(page)).to_have_text(["I am Ada"])
    names = page.evaluate("async () => (await indexedDB.databases()).map(({ name }) => name)")
    assert not any(name.endswith(":ada") for name in names)
    be("ada", visitor="2")
    expect(page.get_by_text("Your conversations will be listed here.")).to_be_visible()
