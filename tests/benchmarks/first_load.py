"""What a first visit costs: bytes on the wire and requests, as Chromium counts them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.table import Row
from chatbot.chromium import launch
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LARGEST = 150_000
QUIET = 1500
"""Milliseconds without anything new after which a page has loaded; at most `ROUNDS` of them."""
ROUNDS = 20


@dataclass
class Load:
    """What a browser with empty caches fetched of one page."""

    requests: int = 0
    sizes: list[int] = field(default_factory=list)

    def sent(self, event: dict[str, Any]) -> None:
        """Count a request of the network."""
        self.requests += event["request"]["url"].startswith("http")

    def received(self, event: dict[str, Any]) -> None:
        """Count a response, headers and body as they were on the wire."""
        self.sizes.append(event["encodedDataLength"])


def measure(chatbot: str, gradio: str) -> list[Row]:
    """Visit both pages."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        ours, theirs = _visit(browser, chatbot), _visit(browser, gradio)
        browser.close()
    return [
        Row(
            "first load on the wire",
            f"{sum(ours.sizes) / 1000:.0f} KB",
            f"{sum(theirs.sizes) / 1000:.0f} KB",
            bound=f"{LARGEST // 1000} KB",
            kept=0 < sum(ours.sizes) <= LARGEST,
        ),
        Row("of it, requests", str(ours.requests), str(theirs.requests)),
    ]


def _visit(browser: Browser, address: str) -> Load:
    load = Load()
    page = browser.new_context().new_page()
    network = page.context.new_cdp_session(page)
    network.on("Network.requestWillBeSent", load.sent)
    network.on("Network.loadingFinished", load.received)
    network.send("Network.enable")
    page.goto(address)
    for _ in range(ROUNDS):
        before = len(load.sizes)
        page.wait_for_timeout(QUIET)
        if len(load.sizes) == before:
            break
    page.context.close()
    return load
