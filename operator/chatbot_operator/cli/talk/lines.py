"""Lines of a log, of chatbots and of the operator: one JSON object each, for people. Pure."""

from __future__ import annotations

import datetime as dt
import heapq
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.text import Text

from chatbot_operator.words import legible, plain

_HEAD: Final = ("time", "level", "event", "message", "logger")
_TRACES: Final = ("exception", "traceback")
"""What has lines of its own: the chatbot's word for it, and the operator's."""
_NOTHING: Final[tuple[Any, ...]] = ("", None, [], {})
"""Is not worth its place in a line for people."""
_LEVELS: Final = {
    "debug": "dim",
    "info": "green",
    "warning": "yellow",
    "error": "bold red",
    "critical": "bold red",
}
_POD_STYLES: Final = ("cyan", "magenta", "blue", "yellow", "green")
_BARE: Final = re.compile(r'[^\s"=]+')
_SPAN: Final = re.compile(r"(\d+)(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log of a pod; `fields` and `at` where it is a JSON object that has them."""

    pod: str
    text: str
    fields: Mapping[str, Any] | None
    at: dt.datetime | None

    def of(self, namespace: str, name: str) -> bool:
        """Tell whether it is about a chatbot, or anything else of this name."""
        fields = self.fields or {}
        return (fields.get("namespace"), fields.get("name")) == (namespace, name)

    def document(self) -> dict[str, Any]:
        """Give it as JSON: what the pod wrote, and the pod; `line` where it wrote none."""
        return {"pod": self.pod} | dict(self.fields or {"line": self.text})


def parse(pod: str, raw: bytes) -> Line:
    """Read a line."""
    text = raw.decode(errors="replace")
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        return Line(pod, text, None, None)
    return Line(pod, text, fields, _time(fields.get("time")))


def merged(logs: Iterable[Sequence[Line]]) -> Iterator[tuple[dt.datetime, Line]]:
    """Bring the logs of several pods into one order of time; within a pod all stays in its order.

    A line without a time is as old as the one before it.
    """
    return heapq.merge(*map(_dated, logs), key=lambda each: each[0])


def short(pod: str) -> str:
    """Shorten a pod's name to what tells it from the others of its chatbot."""
    return pod.rpartition("-")[2]


def seconds(text: str) -> float:
    """Read a length of time, `90s`, `5m` or `1h30m`; raises ValueError."""
    parts = _SPAN.findall(text)
    if not parts or "".join(count + unit for count, unit in parts) != text:
        raise ValueError(f"{text!r} is no length of time such as 90s, 5m or 1h30m")
    return float(sum(int(count) * _SECONDS[unit] for count, unit in parts))


def shown(line: Line, *, mark: str = "") -> Text:
    """Show a line: the pod's short name and a mark of it, time, level, what happened, the rest."""
    style = _POD_STYLES[sum(line.pod.encode()) % len(_POD_STYLES)]
    whole = Text.assemble((f"{short(line.pod)}{mark:<1} ", style))
    if line.fields is None:
        return whole.append(legible(line.text))
    head = {name: plain(str(line.fields.get(name, ""))) for name in _HEAD}
    level = head["level"]
    whole.append(f"{head['time']} ", "dim")
    whole.append(f"{level:<7} ", _LEVELS.get(level, ""))
    whole.append(head["event"] or head["message"])
    for name, value in line.fields.items():
        if name not in _HEAD + _TRACES and value not in _NOTHING:
            whole.append(f"  {plain(name)}=", "dim").append(_value(value))
    for name in _TRACES:
        for row in str(line.fields.get(name, "")).splitlines():
            whole.append(f"\n    {legible(row)}", "dim")
    return whole


def _value(value: object) -> str:
    text = plain(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str) or _BARE.fullmatch(text):
        return plain(text)
    return json.dumps(text, ensure_ascii=False)


def _dated(lines: Iterable[Line]) -> Iterator[tuple[dt.datetime, Line]]:
    latest = dt.datetime.min.replace(tzinfo=dt.UTC)
    for line in lines:
        latest = max(latest, line.at or latest)
        yield latest, line


def _time(text: object) -> dt.datetime | None:
    try:
        time = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return time if time.tzinfo else None
