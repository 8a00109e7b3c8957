"""The pictures of the documentation: all can be taken again, and all are shown."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import screenshots

ROOT = Path(__file__).parents[3]
HEAVIEST = 150_000


def test_every_picture_can_be_taken_again(browser, tmp_path):
    subprocess.run([sys.executable, ROOT / "tests/screenshots.py", tmp_path], check=True)
    taken = {file.name: file for file in tmp_path.iterdir()}
    assert taken.keys() == screenshots.FILES
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in taken.values())
    assert [name for name, file in taken.items() if file.stat().st_size > HEAVIEST] == []


def test_every_picture_is_shown_and_described():
    shown = re.findall(r"!\[(.*?)\]\(images/(.*?)\)", (ROOT / "docs/chat.md").read_text("utf-8"))
    assert {name for _, name in shown} == screenshots.FILES
    assert all(len(words) > 20 for words, _ in shown)
    assert all((ROOT / "docs/images" / name).stat().st_size < HEAVIEST for _, name in shown)
