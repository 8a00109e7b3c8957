"""What the sandbox tells a person while it works: lines with the seconds that have passed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.markup import escape

from sandbox.cluster.api import Mirror, Object

Report = Callable[[str], None]

_COLOURS = {"True": "green", "False": "red", "Unknown": "yellow"}
_ABNORMAL = ("Reconciling", "Stalled", "Degraded")


def reporter(console: Console) -> Report:
    """Give a function that prints a line with the seconds since now before it."""
    begun = time.monotonic()

    def report(line: str) -> None:
        seconds = time.monotonic() - begun
        console.print(f"[dim]{seconds:6.1f} s[/]  {line}", highlight=False, soft_wrap=True)

    return report


class Conditions:
    """Reports every condition of every chatbot that changes, once."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._seen: dict[tuple[str, str, str], tuple[str, str]] = {}

    def look(self, chatbots: Mirror) -> None:
        """Compare the chatbots with what was reported before."""
        for (namespace, name), chatbot in sorted(chatbots.objects.items()):
            summary, *steps = chatbot.get("status", {}).get("conditions") or [None]
            for condition in steps:
                self._tell(namespace, name, condition)
            if summary and summary["status"] != "Unknown":
                self._tell(namespace, name, summary)

    def _tell(self, namespace: str, name: str, condition: Object) -> None:
        kind = condition["type"]
        state = (condition["status"], condition["reason"])
        waiting = state == ("Unknown", "NotReached") or kind in _ABNORMAL
        if waiting or self._seen.get((namespace, name, kind)) == state:
            return
        self._seen[namespace, name, kind] = state
        colour = _COLOURS[condition["status"]]
        words = escape(condition["message"]) if condition["status"] != "Unknown" else ""
        self._report(
            f"[bold]{name:<10}[/] {kind:<16} [{colour}]{condition['status']:<8}[/]"
            f"{condition['reason']:<22} [dim]{words}[/]"
        )


def ready(chatbot: dict[str, Any]) -> bool:
    """Tell whether a chatbot is Ready for the generation that was asked for."""
    status = chatbot.get("status", {})
    current = status.get("observedGeneration") == chatbot["metadata"]["generation"]
    return current and any(
        c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", ())
    )
