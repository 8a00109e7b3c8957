"""Logs, one JSON object a line, and spans where somebody wants them; no prompts, no tokens."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatbot_operator.spans import Spans

log = logging.getLogger("chatbot_operator")


class _Lines(logging.Formatter):
    """Writes a record, and what was passed as `extra={"fields": {...}}`, as a JSON object.

    `trace` gives the ids of the span that a line belongs to.
    """

    def __init__(self, trace: Callable[[], Mapping[str, str]]) -> None:
        super().__init__()
        self._trace = trace

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
            **self._trace(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up(environment: Mapping[str, str]) -> Spans | None:
    """Log to standard error; give what makes spans if the environment says where they go.

    kopf and the Azure SDK are kept at WARNING: lower down they print bodies of resources, prompts
    among them.
    """
    handler = logging.StreamHandler(sys.stderr)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("kopf", "azure", "aiohttp", "kubernetes", "opentelemetry"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    handler.setFormatter(_Lines(dict))
    spans = _spans(environment)
    if spans is not None:
        handler.setFormatter(_Lines(spans.ids))
    return spans


def _spans(environment: Mapping[str, str]) -> Spans | None:
    if not environment.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return None
    try:
        from chatbot_operator.spans import Spans  # noqa: PLC0415 - of an extra, and heavy
    except ImportError as error:
        missing = {"fields": {"missing": error.name}}
        log.warning("no spans: install the extra `telemetry`", extra=missing)
        return None
    return Spans()
