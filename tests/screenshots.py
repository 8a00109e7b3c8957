"""Take pictures of the page for docs/chat.md: `make screenshots`.

The answers, the time and the fonts are fixed, so that a picture changes only when the page does.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fontpkg_inter
import fontpkg_jetbrains_mono
from chatbot.browsing import say
from chatbot.chromium import launch
from playwright.sync_api import Browser, expect, sync_playwright
from sandbox.certificates import create_authority

from chatbot import views

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chatbot.views import Showroom
    from playwright.sync_api import Page

NOON = "2026-06-15T12:00:00"
TALL: dict[str, Any] = {"viewport": {"width": 1120, "height": 860}}
WIDE: dict[str, Any] = {"viewport": {"width": 1120, "height": 700}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 760},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 1.5,
}
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  {directories}
  <cachedir>{cache}</cachedir>
  <alias binding="same"><family>ui-monospace</family><prefer><family>JetBrains Mono</family></prefer></alias>
  <alias binding="same"><family>monospace</family><prefer><family>JetBrains Mono</family></prefer></alias>
</fontconfig>
"""


@dataclass(frozen=True)
class Picture:
    """A view, as it looks in a browser of these options."""

    name: str
    view: str
    options: dict[str, Any] = field(default_factory=lambda: WIDE)


DARK = {"color_scheme": "dark"}
PICTURES = (
    Picture("chat", "conversation"),
    Picture("welcome", "welcome"),
    Picture("code", "code", TALL),
    Picture("dark", "code", TALL | DARK),
    Picture("search", "found"),
    Picture("edit", "editing"),
    Picture("versions", "versions"),
    Picture("error", "throttled"),
    Picture("temporary", "temporary"),
    Picture("settings", "settings"),
    Picture("mobile", "conversation", PHONE),
    Picture("mobile-drawer", "drawer", PHONE | DARK),
)
DEMO = "demo"
FILES = frozenset(f"{name}.png" for name in (*(each.name for each in PICTURES), DEMO))


def fonts(directory: Path) -> dict[str, str]:
    """Give the environment of a browser that knows two families of letters, the same everywhere."""
    packages = (fontpkg_inter, fontpkg_jetbrains_mono)
    directories = [f"<dir>{Path(str(each.__file__)).parent}</dir>" for each in packages]
    file = directory / "fonts.conf"
    file.write_text(FONTS.format(directories="".join(directories), cache=directory), "utf-8")
    return {"FONTCONFIG_FILE": str(file)}


def take(target: Path) -> None:
    """Write every picture into a directory."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        directory = Path(name)
        browser = launch(playwright, env=os.environ | fonts(directory))
        with views.showroom(create_authority(directory), directory) as shown:
            for picture in PICTURES:
                _take(browser, shown, picture, target)
        _take_demo(browser, directory, target)
        browser.close()


def _take(browser: Browser, shown: Showroom, picture: Picture, target: Path) -> None:
    shown.upstream.forget()
    with _page(browser, extra_http_headers=views.ADA, **picture.options) as page:
        page.goto(shown.chatbot.page)
        views.VIEWS[picture.view](page, shown.upstream)
        _snap(page, target / f"{picture.name}.png")


def _take_demo(browser: Browser, directory: Path, target: Path) -> None:
    with views.demo(directory) as process, _page(browser, **WIDE) as page:
        page.goto(process.page)
        say(page, "Show me a table")
        expect(page.get_by_role("button", name="Answer again")).to_be_visible(timeout=30_000)
        _snap(page, target / f"{DEMO}.png")


@contextmanager
def _page(browser: Browser, **options: Any) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", timezone_id="UTC", **options)
    page = context.new_page()
    page.clock.set_fixed_time(NOON)
    yield page
    context.close()


def _snap(page: Page, file: Path) -> None:
    page.screenshot(path=file, animations="disabled", caret="hide")


if __name__ == "__main__":
    take(Path(sys.argv[1]))
