"""Several tabs of one browser, and answers that grow while something else is shown."""

from __future__ import annotations

from chatbot.browsing import answers, listed, reload, say
from chatbot.upstream import Say
from playwright.sync_api import expect

LONG = Say(("word ",) * 1000, pause=0.05)
SOON = Say(("slow ",) * 30, pause=0.05)


def another(page):
    """Open a tab beside this one, in the same browser."""
    tab = page.context.new_page()
    tab.goto(page.url)
    return tab


def test_an_answer_lands_in_its_own_conversation(visit, upstream):
    upstream.answers = [SOON, Say(("quick",))]
    page = visit()
    say(page, "First")
    expect(answers(page)).to_contain_text("slow")
    page.get_by_role("button", name="New chat").click()
    say(page, "Second")
    expect(answers(page)).to_have_text(["quick"])
    expect(listed(page).filter(has_text="First")).to_contain_text("An answer is being written")
    expect(page.get_by_role("status")).to_have_text("The answer in “First” is ready.")
    expect(answers(page)).to_have_text(["quick"])
    listed(page).filter(has_text="First").click()
    expect(answers(page)).to_have_text(["slow " * 29 + "slow"])
    reload(page)
    expect(answers(page)).to_have_text(["slow " * 29 + "slow"])


def test_what_another_version_of_the_page_says_is_taken_for_a_change(visit, upstream):
    page = visit()
    say(page, "One")
    expect(answers(page)).to_have_text(["Hello."])
    page.evaluate(
        """async () => {
          const [{ name }] = await indexedDB.databases();
          for (const said of [null, "changed", { kind: 1 }]) new BroadcastChannel(name).postMessage(said);
          await new Promise((resolve) => setTimeout(resolve, 200));
        }"""
    )
    expect(answers(page)).to_have_text(["Hello."])


def test_two_tabs_do_not_overwrite_each_other(visit, upstream):
    page = visit()
    say(page, "One")
    expect(answers(page)).to_have_text(["Hello."])
    tab = another(page)
    expect(answers(tab)).to_have_text(["Hello."])
    upstream.answers = [Say(("a",) * 20, pause=0.05), Say(("b",) * 20, pause=0.05)]
    say(page, "Here")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    tab.get_by_role("button", name="New chat").click()
    say(tab, "There")
    expect(answers(tab)).to_have_text(["b" * 20])
    expect(listed(page)).to_have_text(["There", "One"])
    expect(answers(page)).to_have_text(["Hello.", "a" * 20])
    expect(listed(tab)).to_have_count(2)


def test_messages_of_two_tabs_in_one_conversation_are_both_kept(visit, upstream):
    page = visit()
    say(page, "One")
    expect(answers(page)).to_have_text(["Hello."])
    tab = another(page)
    expect(answers(tab)).to_have_text(["Hello."])
    # Both write at the same moment, from what both have on screen.
    upstream.answers = [Say(("a",) * 20, pause=0.05), Say(("b",) * 20, pause=0.05)]
    for each in (page, tab):
        each.get_by_label("Message", exact=True).fill(f"from {'here' if each is page else 'there'}")
    page.evaluate("document.getElementById('composer').requestSubmit()")
    tab.evaluate("document.getElementById('composer').requestSubmit()")
    for each in (page, tab):
        expect(each.get_by_role("button", name="Stop")).to_be_hidden(timeout=20_000)
    page.reload()
    expect(page.locator(".answer").first).to_have_text("Hello.")
    said = page.evaluate(
        """async () => {
          const [{ name }] = await indexedDB.databases();
          const database = await new Promise((done) => {
            indexedDB.open(name).onsuccess = ({ target }) => done(target.result);
          });
          const all = database.transaction("conversations").objectStore("conversations").getAll();
          const [one] = await new Promise((done) => (all.onsuccess = () => done(all.result)));
          return one.messages.map(({ content }) => content);
        }"""
    )
    assert {"from here", "a" * 20} <= set(said)
    assert said.count("from there") == said.count("b" * 20)


def test_another_tab_sees_an_answer_grow_and_waits_for_it(visit, upstream):
    upstream.answers = [Say(("word ",) * 60, pause=0.05)]
    page = visit()
    say(page, "Talk")
    expect(answers(page)).to_contain_text("word")
    tab = another(page)
    expect(answers(tab)).to_contain_text("word")
    expect(tab.locator(".error")).to_have_count(0)
    tab.get_by_label("Message", exact=True).fill("Not yet")
    expect(tab.get_by_role("button", name="Send")).to_be_disabled()
    expect(answers(tab)).to_have_text(["word " * 59 + "word"])
    expect(tab.get_by_role("button", name="Send")).to_be_enabled()


def test_an_answer_of_a_tab_that_was_closed_can_be_tried_again(visit, upstream):
    upstream.answers = [LONG]
    page = visit()
    tab = another(page)
    say(tab, "Talk")
    expect(answers(tab)).to_contain_text("word")
    expect(listed(page)).to_have_count(1)
    listed(page).click()
    expect(answers(page)).to_contain_text("word")
    expect(page.locator(".error")).to_have_count(0)
    tab.close()
    expect(page.locator(".error")).to_contain_text("closed before")
    page.get_by_role("button", name="Retry").click()
    expect(answers(page)).to_have_text(["Hello."])


def test_what_one_tab_deletes_is_gone_in_the_other(visit, upstream):
    page = visit()
    say(page, "One")
    expect(answers(page)).to_have_text(["Hello."])
    tab = another(page)
    expect(answers(tab)).to_have_text(["Hello."])
    tab.get_by_role("button", name="Conversation options").click()
    tab.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_text("It may have been deleted in another tab.")).to_be_visible()
    expect(listed(page)).to_have_count(0)
    expect(page.locator("#messages > li")).to_have_count(0)
    tab.get_by_role("button", name="Undo").click()
    expect(listed(page)).to_have_text(["One"])


def test_an_answer_that_was_growing_survives_a_reload(visit, upstream):
    upstream.answers = [Say(("word ",) * 1000, pause=0.05)]
    page = visit()
    say(page, "Talk")
    expect(answers(page)).to_contain_text("word")
    page.reload()
    expect(answers(page)).to_contain_text("word")
    expect(page.locator(".error")).to_contain_text("closed before")
    page.get_by_role("button", name="Retry").click()
    expect(answers(page)).to_have_text(["Hello."])
