"""Where the tests of the page find a browser."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from chatbot import chromium


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with these browsers on its PATH and one of Playwright's, by their exit statuses."""

    def install(name, status):
        file = tmp_path / name
        file.write_text(f"#!/bin/sh\nexit {status}\n")
        file.chmod(0o755)
        return str(file)

    def make(*, fetched=None, **on_path):
        files = {name.replace("_", "-"): install(name, status) for name, status in on_path.items()}
        monkeypatch.setattr(chromium.shutil, "which", files.get)
        own = str(tmp_path / "own") if fetched is None else install("own", fetched)
        return SimpleNamespace(chromium=SimpleNamespace(executable_path=own))

    return make


def test_a_browser_of_the_system_comes_first(machine):
    assert chromium.find(machine(google_chrome=0, fetched=0)).endswith("google_chrome")


def test_one_that_does_not_start_is_none(machine):
    assert chromium.find(machine(chromium=1, fetched=0)).endswith("own")
    assert chromium.find(machine(chromium=127, fetched=127)) is None


def test_without_any_it_is_said_what_to_do(machine):
    with pytest.raises(chromium.MissingError, match="make browser"):
        chromium.launch(machine())
