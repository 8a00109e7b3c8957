"""`conversation.js`: what holds for every conversation, however it came about."""

from __future__ import annotations

import random

import pytest

PLAY = """async (deeds) => {
  const c = await import("./conversation.js");
  const { parse, toJson } = await import("./transfer.js");
  const problems = [];
  const check = (holds, what) => holds || problems.push(what);
  let now = 1;
  let talk = c.begin({ id: "c", now });
  const ids = () => talk.messages.map(({ id }) => id);
  for (const [deed, chance] of deeds) {
    const before = talk;
    const frozen = JSON.stringify(before);
    const some = talk.messages[Math.floor(chance * talk.messages.length)];
    const id = `m${talk.messages.length}`;
    now += 1;
    if (deed === "ask" || !some) {
      const tip = c.path(talk).at(-1);
      const role = tip?.role === "user" ? "assistant" : "user";
      talk = c.add(talk, { id, parent: talk.tip, role, content: `${role} ${id}` }, now);
      check(talk.tip === id, "what is added is shown");
    } else if (deed === "again") {
      const sibling = { id, parent: some.parent, role: some.role, content: `again ${id}` };
      talk = c.add(talk, sibling, now);
      check(c.versions(talk, id).at(-1).id === id, "the newest version is the last");
    } else if (deed === "choose") {
      talk = c.choose(talk, some.id);
      check(c.path(talk).some((each) => each.id === some.id), "what is chosen is shown");
      check(!talk.messages.some(({ parent }) => parent === talk.tip), "a path goes to its end");
    } else if (deed === "amend") {
      talk = c.amend(talk, some.id, { content: `amended ${id}`, growing: undefined }, now);
      check(c.find(talk, some.id).content === `amended ${id}`, "an amendment is there");
      check(talk.tip === before.tip, "an amendment shows nothing else");
    }
    check(JSON.stringify(before) === frozen, "nothing is changed in place");
    const path = c.path(talk);
    check(path.at(-1)?.id === talk.tip, "the path ends at the tip");
    check(path[0].parent === null, "the path begins at the beginning");
    check(path.every((each, at) => at === 0 || each.parent === path[at - 1].id), "no gap");
    check(path.every((each, at) => at === 0 || each.role !== path[at - 1].role), "turns alternate");
    check(path.every((each) => c.versions(talk, each.id).includes(each)), "each is its version");
    const posted = c.posted(path);
    check(posted.length === path.length && posted.every(({ content }) => content), "all is posted");
    const [back] = parse(toJson([talk]));
    const { temporary, ...kept } = talk;
    check(JSON.stringify({ ...back, temporary: undefined }) ===
      JSON.stringify({ ...Object.fromEntries(Object.keys(back).map((key) => [key, talk[key]])), temporary: undefined }),
      "a file brings back the same");
    if (new Set(ids()).size !== talk.messages.length) problems.push("ids are distinct");
  }
  return [...new Set(problems)];
}"""


def test_what_holds_for_every_conversation(visit):
    page = visit()
    chance = random.Random(90)  # noqa: S311 - the same deeds each time
    for _ in range(25):
        deeds = [
            [chance.choice(["ask", "ask", "again", "choose", "amend"]), chance.random()]
            for _ in range(40)
        ]
        assert page.evaluate(PLAY, deeds) == []


def call(page, name, *arguments):
    return page.evaluate(
        """async ([name, given]) => (await import("./conversation.js"))[name](...given)""",
        [name, arguments],
    )


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Hi", "Hi"),
        ("  # What\n\nis `this`?  ", "What is this ?"),
        ("***", "***"),
        ("word " * 30, "word word word word word word word word word word word…"),
        ("x" * 100, "x" * 59 + "…"),
        ("👩‍🚀" * 40, None),
        ("Pay \u202eeve\u2069 \u0007now", "Pay eve now"),
    ],
)
def test_a_title_is_of_one_line_and_cut_between_words(visit, text, title):
    made = call(visit(), "titleOf", text)
    assert title in (None, made)
    assert 0 < len(made) <= 60
    assert made.encode()


def test_what_is_posted_has_a_text_and_a_limit(visit):
    def message(role, content):
        return {"role": role, "content": content}

    page = visit()
    path = [message("user", "a"), message("assistant", " "), message("user", "b")]
    assert call(page, "posted", path) == [message("user", "a"), message("user", "b")]
    long = [message("user", "x" * 150_000), message("user", "y" * 150_000)]
    assert call(page, "posted", long) == long[1:]
    assert call(page, "posted", [message("user", "x" * 300_000)]) == [
        message("user", "x" * 300_000)
    ]
    many = [message("user", "q"), message("assistant", "a")] * 600
    assert call(page, "posted", many) == many[-1000:]  # the server takes no more


@pytest.mark.parametrize(
    ("sent", "oldest"), [(1, "m2"), (2, "m1"), (3, None), (9, None), (None, None)]
)
def test_the_oldest_message_that_was_seen_is_known(visit, sent, oldest):
    path = [
        {"id": "m0", "content": "q"},
        {"id": "empty", "content": ""},
        {"id": "m1", "content": "a"},
        {"id": "m2", "content": "q"},
        {"id": "m3", "content": "a", "sent": sent},
    ]
    assert call(visit(), "oldestSeen", path) == oldest
