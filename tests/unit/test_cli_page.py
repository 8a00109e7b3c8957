"""docs/cli.md: what the code says, with pictures that are there and need nobody else."""

from __future__ import annotations

import re
from xml.etree import ElementTree  # noqa: ICN001 - said in whole

import cli_page
import pytest
import terminal_pictures
from chatbot_operator.cli.commands import COMMANDS
from chatbot_operator.cli.main import parser

IMAGES = cli_page.PAGE.parent / "images"


def test_the_page_is_what_the_code_says():
    assert cli_page.PAGE.read_text() == cli_page.page(), "run `make reference`"


def test_every_picture_is_shown_and_every_one_shown_is_taken():
    shown = re.findall(r"!\[([^\]]+)\]\(images/([^)]+)\)", cli_page.HEAD)
    assert {name for _, name in shown} == terminal_pictures.FILES
    assert all(alt for alt, _ in shown)


@pytest.mark.parametrize("name", sorted(terminal_pictures.FILES))
def test_a_picture_is_whole_and_fetches_nothing(name):
    svg = (IMAGES / name).read_text()
    ElementTree.fromstring(svg)  # noqa: S314 - our own
    assert "url(http" not in svg
    assert "@import" not in svg
    assert "@font-face" not in svg


def test_a_row_is_broken_where_a_terminal_breaks_it():
    svg = terminal_pictures.drawn("x", "type", "a" * 250)
    rows = re.findall(r"<text[^>]*>(a+)</text>", svg)
    assert [len(row) for row in rows] == [110, 110, 30]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_explains_itself(command):
    parsers = cli_page._parsers()
    text = parsers[command.name].format_help()
    assert len(command.examples) >= 2
    assert all(f"kubectl chatbot {example}" in text for example in command.examples)
    assert re.search(r"ends with|exit", " ".join(text.split()))
    for action in parsers[command.name]._actions:
        assert action.help, action.option_strings
    assert command.name in parser().format_help()
