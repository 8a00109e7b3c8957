"""Why something did not work: closed lists of reasons, and what their refusals say.

A refusal is the one form in which a failure travels: from an exception of a client library, through
the readiness document or a chat answer, to a person. Branching is on status and `error.code`, never
on text. The bodies are those that Azure really sends, e.g. 401 `PermissionDenied` for a missing
role and a 401 without an `error` object for a bad token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import httpx2
import openai
from azure.core.exceptions import AzureError, ClientAuthenticationError

if TYPE_CHECKING:
    from collections.abc import Mapping

MESSAGE_LIMIT = 256
_DEFINITIVE = frozenset({400, 401, 403})


class Reason(StrEnum):
    """How an attempt to prove the chatbot ended: the closed list of `docs/contract.md`."""

    STARTING = "Starting"
    WAITING_FOR_CREDENTIAL = "WaitingForCredential"
    PROVEN = "Proven"
    NOT_INJECTED = "NotInjected"
    EXCHANGE_REFUSED = "ExchangeRefused"
    AUTHORITY_UNREACHABLE = "AuthorityUnreachable"
    WRONG_PRINCIPAL = "WrongPrincipal"
    PERMISSION_DENIED = "PermissionDenied"
    TOKEN_REJECTED = "TokenRejected"  # noqa: S105 - a reason, not a token
    NETWORK_DENIED = "NetworkDenied"
    SUBDOMAIN_MISSING = "SubdomainMissing"
    DEPLOYMENT_NOT_FOUND = "DeploymentNotFound"
    ENDPOINT_UNREACHABLE = "EndpointUnreachable"
    THROTTLED = "Throttled"
    SERVICE_ERROR = "ServiceError"
    MISCONFIGURED = "Misconfigured"


class ChatReason(StrEnum):
    """Why one answer did not come, where that says nothing about the chatbot's access."""

    NOT_SIGNED_IN = "NotSignedIn"
    NOT_ALLOWED = "NotAllowed"
    BUDGET_SPENT = "BudgetSpent"
    BUSY = "Busy"
    TOO_MANY_AT_ONCE = "TooManyAtOnce"
    CONTENT_FILTERED = "ContentFiltered"
    CONTEXT_TOO_LONG = "ContextTooLong"
    REQUEST_REFUSED = "RequestRefused"
    TIMED_OUT = "TimedOut"
    INTERRUPTED = "Interrupted"
    UNEXPECTED = "Unexpected"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One failure: its reason, a detail for whoever runs the chatbot, seconds to wait if known.

    `trace` is the id by which Entra or the account finds the request.
    """

    reason: Reason | ChatReason
    detail: str = ""
    retry_after: float | None = None
    trace: str = ""


class RefusedError(Exception):
    """Carries a refusal out of an adapter."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(f"{refusal.reason}: {refusal.detail}")


def of_exchange(error: AzureError) -> Refusal:
    """Read a failed token exchange with Entra.

    A definitive no is a 400, 401 or 403 with an `AADSTS` code; everything else may pass.
    """
    status: int | None = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, ClientAuthenticationError) and status in _DEFINITIVE:
        said = str(error.message)
        correlation = re.search(r"Correlation ID: ([-\w]{1,64})", said, re.ASCII)
        trace = correlation.group(1) if correlation else ""
        return Refusal(Reason.EXCHANGE_REFUSED, _aadsts(said), trace=trace)
    detail = f"HTTP {status}" if status else type(error).__name__
    return Refusal(Reason.AUTHORITY_UNREACHABLE, f"({detail})")


def of_sign_in(error: AzureError | ValueError) -> Refusal:
    """Read why a chain of credentials gave no token on a laptop.

    Its message lists every attempt. What the Azure CLI said is what a person can act on; a chain
    that ended earlier ended with the attempt that was refused.
    """
    listed = r"^\t(\w+): (.*(?:\n(?!\t|To mitigate).*)*)"
    attempts = dict(re.findall(listed, str(error), re.MULTILINE))
    said = attempts.get("AzureCliCredential") or next(reversed(attempts.values()), str(error))
    return Refusal(ChatReason.NOT_SIGNED_IN, one_line(said))


def _aadsts(text: str) -> str:
    """Keep the code and its sentence; the trace ids after it change with every attempt."""
    found = re.search(r"AADSTS\d+:.*?(?=\s*Trace ID|$)", text, re.DOTALL)
    return found.group(0) if found else text


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


def one_line(text: str) -> str:
    """Make a text fit for the readiness document: short, printable, without a token."""
    without_tokens = re.sub(r"eyJ[\w-]{8,}(\.[\w-]*)*", "…", text)
    printable = "".join(c if c.isprintable() else " " for c in without_tokens)
    line = " ".join(printable.split())
    return line if len(line) <= MESSAGE_LIMIT else line[: MESSAGE_LIMIT - 1] + "…"
