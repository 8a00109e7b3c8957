"""Why something did not work: closed lists of reasons, and what their refusals say.

A refusal is the one form in which a failure travels: from an exception of a client library (read by
`exchange` and `faults`), through the readiness document or a chat answer, to a person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

MESSAGE_LIMIT = 256


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


def one_line(text: str) -> str:
    """Make a text fit for the readiness document: short, printable, without a token."""
    without_tokens = re.sub(r"eyJ[\w-]{8,}(\.[\w-]*)*", "…", text)
    printable = "".join(c if c.isprintable() else " " for c in without_tokens)
    line = " ".join(printable.split())
    return line if len(line) <= MESSAGE_LIMIT else line[: MESSAGE_LIMIT - 1] + "…"
