"""The reasons are a closed set: described, written down, and each met by a test."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import chatbot_operator
import pytest
from chatbot_operator import errors
from chatbot_operator.errors import REASONS, TABLE, Fault
from chatbot_operator.errors.reasons import CHAPTERS
from chatbot_operator.status import ACCOUNT_CONDITIONS, CHATBOT_CONDITIONS, STEPS
from reasons_page import PAGE, page

TESTS = Path(__file__).parents[1]
CODE = Path(chatbot_operator.__file__).parent
PLACES = {
    **dict.fromkeys(("Pending", "Transient", "Blind", "Stuck", "Denied", "note"), 0),
    **dict.fromkeys(("Surplus", "Finding"), 0),
    **dict.fromkeys(("step", "true", "false", "unknown"), 1),
    "Condition": 2,
}
"""Where the reason stands among the arguments of what takes one."""


def calls() -> Iterator[tuple[str, ast.expr]]:
    """Every call that takes a reason: its name, and the reason as it is written."""
    for file in CODE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in PLACES and len(node.args) > PLACES[name]:
                    yield name, node.args[PLACES[name]]


def written() -> Iterator[tuple[str, str]]:
    """The reasons that calls spell out, with the call's name."""
    for name, argument in calls():
        if isinstance(argument, ast.Constant) and argument.value:
            yield name, argument.value


def test_the_code_gives_no_reason_that_is_not_described():
    assert {reason for _, reason in written()} - REASONS.keys() == set()


def test_every_condition_that_the_code_writes_is_described():
    kinds = {
        node.args[0].value
        for file in CODE.rglob("*.py")
        if "cli" not in file.relative_to(CODE).parts
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in {"true", "false", "unknown", "because", "Condition"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    described = CHATBOT_CONDITIONS.keys() | ACCOUNT_CONDITIONS.keys()
    assert kinds >= {"Usable", "RightsFit", "LeastPrivilege", "WorkloadReady"}
    assert kinds - described == set()
    assert set(STEPS) - CHATBOT_CONDITIONS.keys() == set()


def test_no_reason_is_put_together_from_parts():
    assert [ast.unparse(a) for _, a in calls() if isinstance(a, ast.JoinedStr | ast.BinOp)] == []


def test_a_described_reason_is_given_somewhere():
    files = (f for f in CODE.rglob("*.py") if "reasons" not in f.relative_to(CODE).parts)
    source = "".join(f.read_text() for f in files)
    answered = {row.reason for row in TABLE} | {row.meanwhile for row in TABLE}
    assert [name for name in REASONS if name not in answered and f'"{name}"' not in source] == []


def test_a_fault_is_of_the_kind_that_its_reason_says():
    kinds = {name for name in PLACES if issubclass(getattr(errors, name, int), Fault)}
    wrong = {
        (kind, reason)
        for kind, reason in written()
        if kind in kinds and not issubclass(getattr(errors, kind), REASONS[reason].fault or ())
    }
    assert wrong == set()


def test_no_reason_is_described_twice():
    assert sum(map(len, CHAPTERS.values())) == len(REASONS)


@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS)
def test_a_reason_has_a_cause_and_a_fix_in_words(reason):
    for words in (reason.cause, reason.fix):
        assert words.endswith(".")
        assert words[0].isupper() or words.startswith(("`", "spec."))
    assert "|" not in reason.cause + reason.fix


def test_every_reason_is_met_by_a_test():
    tests = "".join(f.read_text() for f in TESTS.rglob("test_*.py") if f != Path(__file__))
    assert [name for name in REASONS if name not in tests] == []


def test_the_page_says_what_the_code_says():
    assert PAGE.read_text() == page(), "run `make reference`"
