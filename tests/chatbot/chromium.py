"""The browser of the tests: where it is, and (`make browser`) how it comes to be there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LONGEST_INSTALLATION = 600


class MissingError(Exception):
    """There is no browser here."""


def find(playwright: Playwright) -> str | None:
    """Give the first browser that starts: of the system, else the one that Playwright has fetched."""
    candidates = [*map(shutil.which, NAMES), playwright.chromium.executable_path]
    return next((each for each in candidates if each and _starts(each)), None)


def launch(playwright: Playwright, **options: Any) -> Browser:
    executable = find(playwright)
    if executable is None:
        raise MissingError(
            "There is no chromium here: `make browser` could not fetch it. Install chromium or "
            "Google Chrome by hand."
        )
    return playwright.chromium.launch(executable_path=executable, args=ARGUMENTS, **options)


def _starts(executable: str) -> bool:
    """Tell whether it runs: a download may lack libraries of the system, a wrapper its browser."""
    if not Path(executable).exists():
        return False
    asked = subprocess.run([executable, "--version"], capture_output=True, check=False)
    return asked.returncode == 0


def _ways(*, root: bool) -> Iterator[list[str]]:
    yield [sys.executable, "-m", "playwright", "install", "chromium"]
    if root and shutil.which("apt-get"):
        install = "apt-get install --yes --no-install-recommends chromium"
        yield ["sh", "-c", f"apt-get update && {install}"]  # a fresh image has no lists


def install() -> bool:
    """Fetch a browser if there is none; tell whether there is one now."""
    with sync_playwright() as playwright:
        if find(playwright):
            return True
        for command in _ways(root=os.geteuid() == 0):
            _say(f"installing a browser for the tests (once): {' '.join(command[1:])}")
            waiting = os.environ | {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "10000"}
            try:
                subprocess.run(command, check=False, env=waiting, timeout=LONGEST_INSTALLATION)
            except subprocess.TimeoutExpired:
                continue
            if find(playwright):
                return True
    return False


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")


if __name__ == "__main__" and not install():
    _say("There is no chromium and none could be fetched: tests of the page will be left out.")
