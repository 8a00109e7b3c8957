"""Holds a run of all tests to this: every reason was said by a pass, in a status or in an event.

That a test's text names a reason shows little. What a single run leaves out shows nothing, so only
`pytest` without arguments is judged, at its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from chatbot_operator.errors import REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAID: set[str] = set()


def hear(status: Mapping[str, Any]) -> None:
    """Note the reasons of a status that a pass has written."""
    _SAID.update(each["reason"] for each in status.get("conditions", ()))
    _SAID.update(each["type"] for each in status.get("findings", ()))


def hear_event(reason: str) -> None:
    """Note the reason of an event that a pass has told."""
    _SAID.add(reason)


class Judge:
    """Fails a run of everything that has not provoked every reason."""

    def __init__(self) -> None:
        self._chosen = False
        self._unheard: list[str] = []

    @pytest.hookimpl
    def pytest_deselected(self) -> None:
        self._chosen = True

    @pytest.hookimpl
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        config = session.config
        everything = config.args == config.getini("testpaths") and not self._chosen
        if (
            everything
            and session.exitstatus == pytest.ExitCode.OK
            and not config.option.collectonly
        ):
            self._unheard = sorted(REASONS.keys() - _SAID)
        if self._unheard:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._unheard:
            terminalreporter.section("reasons that no test provokes", red=True)
            terminalreporter.line(", ".join(self._unheard))


def pytest_configure(config: pytest.Config) -> None:
    """Register the judge."""
    config.pluginmanager.register(Judge(), "judge-of-reasons")
