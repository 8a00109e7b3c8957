"""Requests that get no answer, each in the form that whoever asks can read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, PlainTextResponse, Response

from chatbot_app.reasons import ChatReason, Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Denial:
    """An HTTP status, a reason, plain words, and the seconds to wait if they are known.

    `param` and `code` are OpenAI's: what in the request is wrong, and a word for how. `challenge`
    names the scheme of a sign-in that would do.
    """

    status: int
    message: str
    reason: Reason | ChatReason = ChatReason.REQUEST_REFUSED
    retry_after: float | None = None
    param: str | None = None
    code: str = ""
    challenge: str = ""


class DeniedError(Exception):
    """Carries a denial to where it is answered."""

    def __init__(self, denial: Denial) -> None:
        self.denial = denial
        super().__init__(denial.message)


_STATUS: Mapping[Reason | ChatReason, int] = {
    ChatReason.CONTENT_FILTERED: 400,
    ChatReason.CONTEXT_TOO_LONG: 400,
    ChatReason.REQUEST_REFUSED: 400,
    ChatReason.BUDGET_SPENT: 429,
    ChatReason.TOO_MANY_AT_ONCE: 429,
    ChatReason.BUSY: 429,
    Reason.THROTTLED: 429,
    ChatReason.UNEXPECTED: 500,
    ChatReason.INTERRUPTED: 502,
    Reason.SERVICE_ERROR: 502,
    ChatReason.TIMED_OUT: 504,
}
_OURS = 503
"""A role, a token, a deployment: what the chatbot lacks is no fault of whoever asks."""


def of(refusal: Refusal, words: str) -> Denial:
    """Give the denial that a refusal is before anything was answered."""
    status = _STATUS.get(refusal.reason, _OURS)
    return Denial(status, words, refusal.reason, refusal.retry_after)


def response(denial: Denial, path: str) -> Response:
    """Answer a request for `path`: JSON for programs, text for a browser's address bar."""
    headers = {"cache-control": "no-store"}
    if denial.retry_after is not None:
        headers["retry-after"] = str(math.ceil(denial.retry_after))
    if denial.challenge:
        headers["www-authenticate"] = denial.challenge
    if path.startswith("/v1/"):
        return JSONResponse(openai_body(denial), denial.status, headers=headers)
    if path.startswith("/api/"):
        return JSONResponse(body(denial), denial.status, headers=headers)
    return PlainTextResponse(denial.message, denial.status, headers=headers)


def body(denial: Denial) -> dict[str, object]:
    """Render the members of an `error` event."""
    said: dict[str, object] = {"reason": denial.reason, "message": denial.message}
    return said if denial.retry_after is None else said | {"retryAfter": denial.retry_after}


_CODE: Mapping[Reason | ChatReason, str] = {
    ChatReason.CONTENT_FILTERED: "content_filter",
    ChatReason.CONTEXT_TOO_LONG: "context_length_exceeded",
    ChatReason.BUDGET_SPENT: "insufficient_quota",
    ChatReason.TOO_MANY_AT_ONCE: "rate_limit_exceeded",
    ChatReason.BUSY: "rate_limit_exceeded",
    Reason.THROTTLED: "rate_limit_exceeded",
}
_TYPE = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_SERVER_ERROR = 500


def openai_body(denial: Denial) -> dict[str, object]:
    """Render an error as OpenAI does; where it has no code, the reason is the code."""
    kind = "server_error" if denial.status >= _SERVER_ERROR else "invalid_request_error"
    return {
        "error": {
            "message": denial.message,
            "type": _TYPE.get(denial.status, kind),
            "param": denial.param,
            "code": denial.code or _CODE.get(denial.reason, str(denial.reason)),
        }
    }
