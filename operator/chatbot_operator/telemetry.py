"""Logs: one JSON object a line, without prompts, answers or tokens."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys


class _Lines(logging.Formatter):
    """Writes a record, and what was passed as `extra={"fields": {...}}`, as a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up() -> None:
    """Log to standard error.

    kopf and the Azure SDK are kept at WARNING: lower down they print bodies of resources, prompts
    among them.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("kopf", "azure", "aiohttp", "kubernetes"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
