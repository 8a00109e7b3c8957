"""Every view of the page: how a visitor comes to it, on a wide screen and on a narrow one.

What holds for all of them is asserted, and pictures are taken, by whoever opens them.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatbot.browsing import answers, listed, say, until
from chatbot.conftest import Process, started, unprobed
from chatbot.upstream import NO_ROLE, THROTTLED, Say, Upstream
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page
    from sandbox.certificates import Authority

ADA = {"X-Forwarded-User": "Ada Lovelace"}
TEAM = {
    "CHAT_TITLE": "Contoso Help",
    "CHAT_WELCOME": "Hello! What can we help you with?",
    "CHAT_STARTERS": json.dumps(
        ["Where is my parcel?", "Write a function that checks an order number", "Return an order"]
    ),
    "CHAT_DISCLAIMER": "Answers can be wrong. Never enter passwords or card numbers.",
    "CONTEXT_WINDOW": "128000",
    "ACCESS_USER_HEADER": "X-Forwarded-User",
    "ACCESS_TRUSTED_PEERS": "127.0.0.0/8",
}
PARCEL = """\
Most parcels arrive **two working days** after they were sent. To see where yours is:

1. Open *My orders* and choose the order.
2. Follow the link under *Tracking*.
3. If nothing has moved for three days, tell us the order number here.
"""
CODE = """\
An order number is `CO-`, a year and six digits. This checks one:

```python
import re

ORDER = re.compile(r"CO-(20[0-9]{2})-([0-9]{6})")


def is_order_number(text: str) -> bool:
    \"\"\"Tell whether a text is an order number.\"\"\"
    return ORDER.fullmatch(text.strip()) is not None
```

| Text | Is one | Why |
|:-----|:------:|----:|
| `CO-2026-000417` | yes | as it should be |
| `CO-26-417` | no | year and digits are short |

Pictures from elsewhere are not fetched: ![the label of a parcel](https://example.com/label.png)
"""
FORMS = (
    "Yes. A **return** is free for 30 days: print the label in *My orders* and drop the parcel off."
)
LATER = "Where it was taken to a neighbour, the name stands under *Tracking*."
HISTORY = (
    ("2026-06-10T12:00:00", "Which sizes do your shoes have?", "From 35 to 48, halves included."),
    ("2026-06-11T12:00:00", "Do you deliver to Norway?", "We do, within **five days**."),
    ("2026-06-14T12:00:00", "How do I return an order?", FORMS),
    ("2026-06-15T12:00:00", "Where is my parcel?", PARCEL),
)


@dataclass(frozen=True)
class Showroom:
    """A chatbot of a team, and the account that it asks."""

    chatbot: Process
    upstream: Upstream


@contextmanager
def showroom(authority: Authority, directory: Path) -> Iterator[Showroom]:
    with unprobed(authority, directory, **TEAM) as (chatbot, upstream):
        yield Showroom(chatbot, upstream)


@contextmanager
def demo(directory: Path) -> Iterator[Process]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    process = started(kept | {"PORT": "0", "CHAT_TITLE": TEAM["CHAT_TITLE"]}, directory, "--demo")
    try:
        yield process
    finally:
        process.kill()


def open_sidebar(page: Page) -> None:
    opener = page.get_by_role("button", name="Show conversations")
    if opener.is_visible():
        opener.click()


def asked(page: Page, upstream: Upstream, question: str, answer: str) -> None:
    """Ask, and wait for the whole answer."""
    upstream.answers = [Say((answer,), prompt_tokens=1208)]
    before = page.get_by_role("button", name="Answer again").count()
    say(page, question)
    expect(page.get_by_role("button", name="Answer again")).to_have_count(before + 1)


def _history(page: Page, upstream: Upstream) -> None:
    for day, question, answer in HISTORY:
        page.clock.set_fixed_time(day)
        if listed(page).count():
            page.keyboard.press("Control+Shift+O")
        asked(page, upstream, question, answer)


def welcome(page: Page, upstream: Upstream) -> None:
    expect(page.get_by_role("button", name="Where is my parcel?")).to_be_visible()


def conversation(page: Page, upstream: Upstream) -> None:
    _history(page, upstream)


def code(page: Page, upstream: Upstream) -> None:
    asked(page, upstream, "Write a function that checks an order number", CODE)
    expect(page.locator(".hljs-keyword").first).to_be_visible()
    page.evaluate("scrollTo(0, 0)")


def awaited(page: Page, upstream: Upstream) -> None:
    upstream.answers = [Say(("",) * 2000, pause=0.05)]
    say(page, "Where is my parcel?")
    expect(page.locator(".wait")).to_be_visible()


def streaming(page: Page, upstream: Upstream) -> None:
    upstream.answers = [Say((PARCEL[:131], *("",) * 2000), pause=0.05)]
    say(page, "Where is my parcel?")
    expect(answers(page)).to_contain_text("Open My orders")


def stopped(page: Page, upstream: Upstream) -> None:
    streaming(page, upstream)
    page.keyboard.press("Escape")
    expect(page.locator(".actions", has_text="You stopped this answer.")).to_be_visible()


def throttled(page: Page, upstream: Upstream) -> None:
    asked(page, upstream, "Where is my parcel?", PARCEL)
    upstream.answers = [THROTTLED]
    say(page, "And if it was taken to a neighbour?")
    expect(page.get_by_role("button", name="Retry in 45 s")).to_be_visible()


def refused(page: Page, upstream: Upstream) -> None:
    upstream.answers = [NO_ROLE]
    say(page, "Where is my parcel?")
    expect(page.get_by_role("button", name="Retry")).to_be_enabled()


def unreachable(page: Page, upstream: Upstream) -> None:
    page.route("**/api/config", lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("button", name="Retry")).to_be_enabled()


def unstored(page: Page, upstream: Upstream) -> None:
    page.add_init_script("Object.defineProperty(window, 'indexedDB', { value: null })")
    page.reload()
    expect(page.get_by_text("does not let the page store")).to_be_visible()


def drawer(page: Page, upstream: Upstream) -> None:
    _history(page, upstream)
    open_sidebar(page)
    until(page, "document.getAnimations().length === 0")


def found(page: Page, upstream: Upstream) -> None:
    _history(page, upstream)
    page.keyboard.press("Control+k")
    page.keyboard.type("label")
    expect(page.locator(".snippet")).to_be_visible()


def nothing_found(page: Page, upstream: Upstream) -> None:
    _history(page, upstream)
    page.keyboard.press("Control+k")
    page.keyboard.type("helicopter")
    expect(page.locator(".none")).to_be_visible()


def options(page: Page, upstream: Upstream) -> None:
    _history(page, upstream)
    page.get_by_role("button", name="Conversation options").click()
    expect(page.get_by_role("menuitem", name="Rename")).to_be_focused()


def renaming(page: Page, upstream: Upstream) -> None:
    options(page, upstream)
    page.get_by_role("menuitem", name="Rename").click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()


def deleted(page: Page, upstream: Upstream) -> None:
    options(page, upstream)
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_role("button", name="Undo")).to_be_focused()


def editing(page: Page, upstream: Upstream) -> None:
    asked(page, upstream, "Where is my parcel?", PARCEL)
    page.locator(".user").hover()
    page.get_by_role("button", name="Edit message").click()
    expect(page.get_by_label("Edited message")).to_be_focused()


def versions(page: Page, upstream: Upstream) -> None:
    asked(page, upstream, "Where is my parcel?", LATER)
    upstream.answers = [Say((PARCEL,))]
    page.get_by_role("button", name="Answer again").click()
    expect(page.get_by_text("2/2")).to_be_visible()
    expect(page.get_by_role("button", name="Answer again")).to_be_visible()


def temporary(page: Page, upstream: Upstream) -> None:
    page.get_by_role("button", name="Temporary chat").click()
    expect(page.get_by_text("This chat is temporary")).to_be_visible()


def settings(page: Page, upstream: Upstream) -> None:
    open_sidebar(page)
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_text("Signed in as Ada Lovelace")).to_be_visible()


def deleting_all(page: Page, upstream: Upstream) -> None:
    settings(page, upstream)
    page.get_by_role("button", name="Delete all…").click()
    expect(page.get_by_role("dialog", name="Delete all conversations?")).to_be_visible()


def shortcuts(page: Page, upstream: Upstream) -> None:
    page.keyboard.press("Control+/")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def left_out(page: Page, upstream: Upstream) -> None:
    for turn in range(5):
        asked(page, upstream, f"Question {turn} " + "x" * 4000, "word " * 20_000)
    expect(page.locator(".mark")).to_be_visible()


VIEWS: dict[str, Callable[[Page, Upstream], None]] = {
    view.__name__: view
    for view in (
        welcome, conversation, code, awaited, streaming, stopped, throttled, refused, unreachable, unstored, drawer, found,
        nothing_found, options, renaming, deleted, editing, versions, temporary, settings,
        deleting_all, shortcuts, left_out,
    )
}  # fmt: skip
