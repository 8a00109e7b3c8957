"""What visitors do and see, for the tests in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page


def say(page: Page, text: str) -> None:
    """Send a message, once the answer before has ended: its last word may be there sooner."""
    page.get_by_label("Message", exact=True).fill(text)
    expect(page.locator("#stop")).to_be_hidden()
    page.keyboard.press("Enter")


def reload(page: Page) -> None:
    """Load the page again once an answer has ended: what is seen of it may not be kept yet."""
    expect(page.locator("#stop")).to_be_hidden()
    page.reload()


def until(page: Page, holds: Callable[[], object] | str, *, seconds: float = 30) -> None:
    """Wait until a function holds, or an expression in the page (its policy forbids waiting there)."""
    for _ in range(int(seconds * 20)):
        if page.evaluate(holds) if isinstance(holds, str) else holds():
            return
        page.wait_for_timeout(50)
    pytest.fail(f"It did not happen in {seconds} seconds: {holds}")


def answers(page: Page) -> Locator:
    """Find the texts of all answers."""
    return page.locator(".assistant .answer")


def listed(page: Page) -> Locator:
    """Find the conversations of the sidebar."""
    return page.locator("#list a")
