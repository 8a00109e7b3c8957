"""Logs: one JSON object per line in a cluster, plain lines on a laptop.

No prompt, answer or token is ever logged. Libraries speak only from ERROR on, because at lower
levels some of them log what they send.
"""

from __future__ import annotations

import json
import logging
import sys
import time

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """A record as one JSON object: time, level, event, and the record's own extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Render `record`; an exception becomes its type and traceback in one field."""
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class PlainLines(logging.Formatter):
    """A record as one line for a person: the event, then its extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Render `record`."""
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        line = " ".join([record.getMessage(), *(f"{k}={v}" for k, v in fields.items())])
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def set_up(*, as_json: bool) -> None:
    """Send the chatbot's log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else PlainLines())
    logging.basicConfig(handlers=[handler], level=logging.ERROR, force=True)
    logging.getLogger("chatbot_app").setLevel(logging.INFO)
