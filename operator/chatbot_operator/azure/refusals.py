"""What Azure's SDK raises, as the port's Refusal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from chatbot_operator.errors import Refusal, Service, entra_code

REQUEST_ID = "x-ms-request-id"

# Spaces or line breaks stand before them, as the age of the answer has it.
_TRACES = re.compile(r"\s+Trace ID:")
_CORRELATION = re.compile(r"Correlation ID: ([-\w]{1,64})", re.ASCII)


def refusal_of(operation: str, error: AzureError) -> Refusal:
    """Read what was refused, by whom and under which code; status 0 when no answer came."""
    if isinstance(error, ClientAuthenticationError) and not error.error:
        return _entra_refusal(operation, error)
    if not isinstance(error, HttpResponseError):
        return Refusal(operation, status=0, code="", message=_first_line(error))
    response: Any = error.response
    headers: Mapping[str, str] = response.headers if response is not None else {}
    spoken = error.error.message if error.error else None
    return Refusal(
        operation,
        status=error.status_code or 0,
        code=(error.error.code if error.error else None) or "",
        message=spoken or _first_line(error),
        request_id=headers.get(REQUEST_ID, ""),
        retry_after=seconds_of(headers.get("Retry-After", "")),
    )


def _entra_refusal(operation: str, error: ClientAuthenticationError) -> Refusal:
    """Read why there was no token; what Entra says of the try itself is left to `request_id`."""
    words = _TRACES.split(str(error), maxsplit=1)[0]
    correlation = _CORRELATION.search(str(error))
    return Refusal(
        operation,
        status=error.status_code or HTTPStatus.UNAUTHORIZED,
        code=entra_code(words),
        message=words,
        request_id=correlation.group(1) if correlation else "",
        service=Service.ENTRA,
    )


def seconds_of(text: str) -> float:
    """Read a Retry-After header; 0 when it names no seconds."""
    return float(text) if text.isdecimal() else 0.0


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
