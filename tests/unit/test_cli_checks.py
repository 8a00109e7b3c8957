"""Trees of checks, on a terminal and as JSON."""

from __future__ import annotations

import io

from chatbot_operator.cli.checks import Check, Mark, Way, worst
from chatbot_operator.cli.command import Code, Report
from chatbot_operator.cli.main import parser, show
from chatbot_operator.cli.show import tree
from rich.console import Console

COMMAND = "kubectl annotate chatbot support " + "a=b " * 40
FEDERATION = Check(
    "federation",
    Mark.WRONG,
    "the issuer has no slash at its end \x1b[2J[red]",
    cause="Entra compares issuers byte by byte.",
    said="AADSTS700211",
    fix="Write it as the cluster does.",
    commands=(COMMAND,),
    facts={"expected": "https://a/", "found": "https://a"},
)
WHOLE = Check("support", Mark.WRONG, below=(Check("identity", Mark.OK, "there"), FEDERATION))


def printed(width=60, **how):
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, **how)
    show(Report(WHOLE.document(), tree(WHOLE), Code.FOUND), as_json=False, console=console)
    return out.getvalue()


def test_a_command_is_whole_however_narrow_the_terminal():
    assert f"    {COMMAND}".rstrip() in printed()


def test_what_was_said_stands_below_cause_and_fix():
    text = printed()
    assert text.index("Write it as") < text.index("It was said: AADSTS700211")


def test_a_mark_is_a_sign_and_a_word_without_any_colour():
    assert "✘ federation (wrong)" in printed()
    assert "✔ identity  there" in printed()


def test_nothing_from_outside_steers_the_terminal_or_is_taken_for_markup():
    shown = printed(width=200, force_terminal=True)
    assert "\x1b[2J" not in shown
    assert "[2J[red]" in shown


def test_the_document_has_what_is_there_and_nothing_empty():
    identity, federation = WHOLE.document()["below"]
    assert identity == {"name": "identity", "mark": "ok", "found": "there"}
    assert federation["commands"] == [COMMAND]
    assert federation["facts"] == {"expected": "https://a/", "found": "https://a"}


def test_each_way_out_says_who_may_go_it_and_what_to_type():
    ways = (Way("The team", "take another", (COMMAND,)), Way("The owners", "allow it"))
    check = Check("Permitted", Mark.WRONG, ways=ways)
    out = io.StringIO()
    report = Report(check.document(), tree(check), Code.FOUND)
    show(report, as_json=False, console=Console(file=out, width=40, highlight=False))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert lines[-3:] == [
        "  The team: take another",
        f"    {COMMAND}".rstrip(),
        "  The owners: allow it",
    ]
    first, second = check.document()["ways"]
    assert first == {"who": "The team", "what": "take another", "commands": [COMMAND]}
    assert second == {"who": "The owners", "what": "allow it"}


def test_the_worst_sums_up():
    of = [Check(str(mark), mark) for mark in Mark]
    assert worst(of) is Mark.WRONG
    assert worst(each for each in of if each.mark is not Mark.WRONG) is Mark.WAITING
    assert worst([Check("x", Mark.NOTE)]) is Mark.OK
    assert worst([]) is Mark.OK


def test_the_help_of_the_whole_is_there():
    assert "ends with 0" in " ".join(parser().format_help().split())
