"""Conversations: kept in this browser, listed, found, named, deleted."""

from __future__ import annotations

from chatbot.browsing import answers, listed, reload, say, until
from chatbot.upstream import Say
from playwright.sync_api import expect


def test_a_conversation_goes_on_and_survives_a_reload(visit, upstream):
    page = visit()
    say(page, "I am Ada.")
    expect(answers(page)).to_have_text(["Hello."])
    reload(page)
    expect(page.locator(".user")).to_have_text(["You: I am Ada."])
    say(page, "Who am I?")
    expect(answers(page)).to_have_text(["Hello.", "Hello."])
    assert [m["content"] for m in upstream.chats[-1]["messages"]] == [
        "I am Ada.",
        "Hello.",
        "Who am I?",
    ]


def test_two_browsers_never_see_each_other(visit, upstream):
    ada, bob = visit(), visit()
    say(ada, "My secret is 42.")
    expect(answers(ada)).to_have_text(["Hello."])
    bob.reload()
    expect(bob.locator("#messages > li")).to_have_count(0)
    say(bob, "What is the secret?")
    expect(answers(bob)).to_have_text(["Hello."])
    assert [m["content"] for m in upstream.chats[-1]["messages"]] == ["What is the secret?"]


def test_a_new_chat_begins_anew_and_the_old_one_is_in_the_list(visit, upstream):
    page = visit()
    say(page, "What is the *first* question?\nIt is this one.")
    expect(answers(page)).to_have_text(["Hello."])
    expect(listed(page)).to_have_text(["What is the first question? It is this one."])
    page.get_by_role("button", name="New chat").click()
    expect(page.get_by_role("heading", name="What is on your mind?")).to_be_visible()
    say(page, "Two")
    expect(answers(page)).to_have_text(["Hello."])
    assert [m["content"] for m in upstream.chats[-1]["messages"]] == ["Two"]
    expect(listed(page)).to_have_text(["Two", "What is the first question? It is this one."])
    expect(listed(page).first).to_have_attribute("aria-current", "page")
    listed(page).last.click()
    expect(page.locator(".user")).to_contain_text("It is this one.")
    expect(page).to_have_title("What is the first question? It is this one. · Ask Ada")
    page.go_back()
    expect(page.locator(".user")).to_have_text(["You: Two"])


def test_a_draft_stays_with_its_conversation(visit, upstream):
    page = visit()
    say(page, "One")
    expect(answers(page)).to_have_text(["Hello."])
    field = page.get_by_label("Message", exact=True)
    field.fill("half a thought")
    page.get_by_role("button", name="New chat").click()
    expect(field).to_have_value("")
    listed(page).first.click()
    expect(field).to_have_value("half a thought")


def test_conversations_are_found_by_what_was_said_in_them(visit, upstream):
    upstream.answers = [Say(("The capital of Peru is Lima.",)), Say(("Bread needs yeast.",))]
    page = visit()
    say(page, "About geography")
    expect(answers(page)).to_contain_text("Lima")
    page.keyboard.press("Control+Shift+O")
    say(page, "About baking")
    expect(answers(page)).to_contain_text("yeast")
    page.keyboard.press("Control+k")
    page.keyboard.type("LIMA about capital")
    expect(listed(page)).to_have_count(1)
    expect(page.locator("mark")).to_have_text("capital")
    expect(page.get_by_role("status")).to_have_text("1 conversation found.")
    page.keyboard.press("Enter")
    expect(answers(page)).to_contain_text("Lima")
    page.keyboard.press("Control+k")
    page.keyboard.type("zebra")
    expect(page.get_by_text("Nothing found for “zebra”.").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(listed(page)).to_have_count(2)


def choose(page, option, *, of=None):
    name = f"Options for “{of}”" if of else "Conversation options"
    page.get_by_role("button", name=name).click()
    page.get_by_role("menuitem", name=option).click()


def test_a_conversation_is_renamed(visit, upstream):
    page = visit()
    say(page, "Hi")
    expect(answers(page)).to_have_text(["Hello."])
    choose(page, "Rename")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Hi")
    page.get_by_label("Name", exact=True).fill("\u202eGreetings <b>\u2069")
    page.keyboard.press("Enter")
    expect(listed(page)).to_have_text(["Greetings <b>"])
    reload(page)
    expect(listed(page)).to_have_text(["Greetings <b>"])
    choose(page, "Rename", of="Greetings <b>")
    page.get_by_label("Name", exact=True).fill(" ")
    page.get_by_role("button", name="Save").click()
    expect(listed(page)).to_have_text(["Hi"])


def test_a_conversation_is_deleted_and_comes_back_on_undo(visit, upstream):
    page = visit()
    say(page, "Keep me")
    expect(answers(page)).to_have_text(["Hello."])
    choose(page, "Delete")
    expect(listed(page)).to_have_count(0)
    expect(page.locator("#messages > li")).to_have_count(0)
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(listed(page)).to_have_text(["Keep me"])
    expect(answers(page)).to_have_text(["Hello."])
    choose(page, "Delete", of="Keep me")
    expect(listed(page)).to_have_count(0)
    reload(page)
    expect(page.get_by_text("Your conversations will be listed here.")).to_be_visible()
    assert stored(page) == []


def stored(page):
    """Read whatever IndexedDB holds."""
    return page.evaluate(
        """async () => {
          const found = [];
          for (const { name } of await indexedDB.databases()) {
            const database = await new Promise((done) => {
              indexedDB.open(name).onsuccess = ({ target }) => done(target.result);
            });
            for (const kept of database.objectStoreNames) {
              const all = database.transaction(kept).objectStore(kept).getAll();
              found.push(...await new Promise((done) => (all.onsuccess = () => done(all.result))));
            }
            database.close();
          }
          return found;
        }"""
    )


def test_deleting_ends_an_answer_that_grows(visit, upstream):
    upstream.answers = [Say(("word ",) * 1000, pause=0.05)]
    page = visit()
    say(page, "Talk")
    expect(answers(page)).to_contain_text("word")
    choose(page, "Delete")
    expect(listed(page)).to_have_count(0)
    until(page, lambda: not upstream.streaming)
    assert stored(page) == []


def test_all_conversations_are_deleted_after_asking(visit, upstream):
    page = visit()
    for text in ("One", "Two"):
        say(page, text)
        expect(answers(page)).to_have_text(["Hello."])
        page.keyboard.press("Control+Shift+O")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Delete all…").click()
    page.get_by_role("button", name="Cancel").click()
    expect(listed(page)).to_have_count(2)
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Delete all…").click()
    page.get_by_role("button", name="Delete all", exact=True).click()
    expect(listed(page)).to_have_count(0)
    assert stored(page) == []


def test_a_temporary_chat_is_stored_nowhere(visit, upstream):
    page = visit()
    page.get_by_role("button", name="Temporary chat").click()
    expect(page.get_by_text("nothing of it is stored")).to_be_visible()
    say(page, "Burn after reading")
    expect(answers(page)).to_have_text(["Hello."])
    expect(page.get_by_text("Temporary: nothing is stored")).to_be_visible()
    say(page, "Still here?")
    expect(answers(page)).to_have_count(2)
    assert upstream.chats[-1]["messages"][0]["content"] == "Burn after reading"
    assert stored(page) == []
    assert page.evaluate("JSON.stringify(localStorage)") == "{}"
    expect(listed(page)).to_have_count(0)
    page.get_by_role("button", name="New chat").click()
    expect(page.locator("#messages > li")).to_have_count(0)
    expect(page.get_by_role("button", name="Temporary chat", pressed=False)).to_be_visible()
    page.go_back()
    expect(page.get_by_text("Burn after reading")).to_have_count(0)
