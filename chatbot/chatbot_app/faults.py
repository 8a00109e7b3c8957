"""What went wrong at the account, as a refusal.

Branching is on status and `error.code`, never on text. The bodies are those that Azure really
sends, e.g. 401 `PermissionDenied` for a missing role and a 401 without an `error` object for a bad
token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import openai

from chatbot_app.reasons import ChatReason, Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping


def of_account(error: openai.OpenAIError | httpx2.HTTPError) -> Refusal:
    """Read a failed call of the account's data plane, before or during the answer."""
    match error:
        case openai.APITimeoutError() | httpx2.TimeoutException():
            return Refusal(ChatReason.TIMED_OUT)
        case openai.APIConnectionError():
            return Refusal(Reason.ENDPOINT_UNREACHABLE, f"({_cause(error)})")
        case openai.APIStatusError():
            return _of_status(error)
        case httpx2.HTTPError():
            return Refusal(ChatReason.INTERRUPTED, type(error).__name__)
    return Refusal(Reason.SERVICE_ERROR, type(error).__name__)


def of_frame(error: dict[str, object]) -> Refusal:
    """Read an `error` object that arrives in the middle of a stream."""
    code = str(error.get("code") or "")
    if code == "content_filter":
        return Refusal(ChatReason.CONTENT_FILTERED)
    if code in {"429", "rate_limit_exceeded"}:
        return Refusal(Reason.THROTTLED)
    return Refusal(Reason.SERVICE_ERROR, f"the stream carried an error {code}".rstrip())


def _of_status(error: openai.APIStatusError) -> Refusal:
    status, code = error.status_code, error.code or ""
    reason = _BY_CODE.get((status, code)) or _BY_STATUS.get(status, Reason.SERVICE_ERROR)
    if reason is ChatReason.REQUEST_REFUSED and _wants_subdomain(error):
        reason = Reason.SUBDOMAIN_MISSING
    wait = _retry_after(error.response.headers) if reason is Reason.THROTTLED else None
    # What Azure says about a request may quote it, and no word of a visitor is ever logged.
    said = code if isinstance(reason, ChatReason) else _text(error)
    headers = error.response.headers
    trace = headers.get("apim-request-id") or headers.get("x-ms-request-id") or ""
    return Refusal(reason, f"HTTP {status} {said}".rstrip(), retry_after=wait, trace=trace[:64])


_BY_CODE: Mapping[tuple[int, str], Reason | ChatReason] = {
    (401, "PermissionDenied"): Reason.PERMISSION_DENIED,
    (403, "PermissionDenied"): Reason.PERMISSION_DENIED,
    (403, "AuthenticationTypeDisabled"): Reason.TOKEN_REJECTED,
    (404, "DeploymentNotFound"): Reason.DEPLOYMENT_NOT_FOUND,
    (400, "content_filter"): ChatReason.CONTENT_FILTERED,
    (400, "context_length_exceeded"): ChatReason.CONTEXT_TOO_LONG,
}

_BY_STATUS: Mapping[int, Reason | ChatReason] = {
    400: ChatReason.REQUEST_REFUSED,
    401: Reason.TOKEN_REJECTED,
    403: Reason.NETWORK_DENIED,
    413: ChatReason.REQUEST_REFUSED,
    422: ChatReason.REQUEST_REFUSED,
    429: Reason.THROTTLED,
}


def _wants_subdomain(error: openai.APIStatusError) -> bool:
    """Tell the one 400 about the account from those about a request.

    Its code is a plain `BadRequest` (azure-sdk-for-net#12789), so here the documented link decides.
    """
    return "cogsvc-authenticatewithtoken" in _text(error) or "custom subdomain" in _text(error)


def _text(error: openai.APIStatusError) -> str:
    body = error.body
    return str(body.get("message", "")) if isinstance(body, dict) else ""


def _cause(error: BaseException) -> str:
    return type(error.__cause__ or error).__name__


def _retry_after(headers: httpx2.Headers) -> float | None:
    """Read how long Azure asks to wait; it does not always send `Retry-After`."""
    for name, unit in (
        ("retry-after-ms", 0.001),
        ("retry-after", 1.0),
        ("x-rate-limit-reset-tokens", 1.0),
        ("x-ratelimit-reset-tokens", 1.0),
    ):
        value = headers.get(name, "").strip().removesuffix("s")
        if value.replace(".", "", 1).isdecimal():
            return float(value) * unit
    return None
