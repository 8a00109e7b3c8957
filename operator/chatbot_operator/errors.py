"""What can go wrong, each with the reason that the status shows and what happens next.

    Fault
    |-- Pending    something on its way: look again soon, nobody has to act
    |-- Transient  a call failed that may succeed later: back off
    |-- Blind      the operator lacks a right or a token: says nothing about what works already
    `-- Stuck      somebody has to act; looked at again, slowly

A fault's `reason` is a condition's reason; its `message` says cause and fix in words.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final


class Fault(Exception):  # noqa: N818 - not every fault is an error
    """A step cannot be finished now.

    `retry_after` is the least number of seconds before the next look. `unseen`: a read failed, so
    nothing was learnt about what is; otherwise something is known to be missing.
    """

    unseen = False

    def __init__(self, reason: str, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class Pending(Fault):
    """Something is on its way; look again after `retry_after` seconds, without backing off."""


class Transient(Fault):
    """A call failed in a way that passes: throttled, unavailable, cut off, in conflict."""


class Blind(Fault):
    """The operator itself is refused. Somebody has to act, but what works goes on working."""


class Stuck(Fault):
    """Nothing will change before somebody acts."""


class Refusal(Exception):  # noqa: N818 - what Azure said, before it is judged
    """An Azure Resource Manager call that did not succeed.

    `status` is the HTTP status, 0 when no answer came; `code` the `error.code`, never the text;
    `request_id` the x-ms-request-id by which Microsoft's support finds the call; `retry_after` in
    seconds; `reading` tells that nothing was to be changed.
    """

    def __init__(
        self,
        operation: str,
        *,
        status: int,
        code: str,
        message: str,
        request_id: str = "",
        retry_after: float = 0.0,
        reading: bool = False,
    ) -> None:
        super().__init__(f"{operation}: {status} {code}: {message}")
        self.operation = operation
        self.status = status
        self.code = code
        self.message = message
        self.request_id = request_id
        self.retry_after = retry_after
        self.reading = reading


class KubernetesRefusal(Exception):  # noqa: N818 - what the API server said, before it is judged
    """A Kubernetes call that did not succeed; `status` is 0 when no answer came."""

    def __init__(self, operation: str, status: int, reason: str, message: str) -> None:
        super().__init__(f"{operation}: {status} {reason}: {message}")
        self.operation = operation
        self.status = status
        self.reason = reason
        self.message = message


NOT_AUTHENTICATED: Final = "NotAuthenticated"
"""Our own code for a token that Entra refused: it has none of Resource Manager's."""

_FIXES: Final = {
    "AuthorizationFailed": (
        "AzureAccessDenied",
        (
            "The operator's identity lacks a right. Grant it Managed Identity Contributor on the"
            " identities' resource group and Role Based Access Control Administrator on the"
            " account; or the resource it names does not exist: compare accountId and"
            " identity.resourceGroup of the AzureOpenAIAccount."
        ),
    ),
    "LinkedAuthorizationFailed": (
        "AzureAccessDenied",
        "The operator's identity lacks a right on a linked resource.",
    ),
    "ResourceGroupNotFound": (
        "ResourceGroupNotFound",
        "Create the resource group, or name another in the AzureOpenAIAccount.",
    ),
    "SubscriptionNotFound": (
        "SubscriptionNotFound",
        "Check the subscription in accountId and that the operator's identity can read it.",
    ),
    "RequestDisallowedByPolicy": (
        "DeniedByAzurePolicy",
        "An Azure Policy forbids it: change spec.identity of the AzureOpenAIAccount or the policy.",
    ),
    "ScopeLocked": (
        "ResourceLocked",
        "A lock on the resource or its group forbids it: remove the lock.",
    ),
    "RoleAssignmentLimitExceeded": (
        "RoleAssignmentLimit",
        "The subscription holds 4000 role assignments, the most Azure allows: remove some.",
    ),
    "InvalidResourceLocation": (
        "IdentityLocationConflict",
        "The identity exists in another region; spec.identity.location cannot move it.",
    ),
}

_PASSING_STATUSES: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
_PASSING: Final = frozenset(
    {
        "PrincipalNotFound",
        "MissingSubscriptionRegistration",
    }
)


def judge(refusal: Refusal) -> Fault:
    """Turn what Azure said into what it means for a chatbot.

    Branches on the code, never on the text; an unknown 4xx needs a person, anything else passes.
    The message leaves the request id out: it differs with every try, and the status would, too.
    """
    fault = _judge(refusal)
    fault.unseen = refusal.reading
    return fault


def _judge(refusal: Refusal) -> Fault:
    spoken = _spoken(refusal)
    if refusal.status == 0:
        return Transient("AzureUnreachable", spoken)
    if refusal.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Transient("AzureThrottled", spoken, retry_after=refusal.retry_after)
    if refusal.code in _FIXES:
        reason, fix = _FIXES[refusal.code]
        kind = Blind if reason == "AzureAccessDenied" else Stuck
        return kind(reason, f"{fix} {spoken}", retry_after=refusal.retry_after)
    if refusal.status == HTTPStatus.UNAUTHORIZED or refusal.code == NOT_AUTHENTICATED:
        return Blind("OperatorNotAuthenticated", f"Azure refuses the operator's token. {spoken}")
    passes = refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if passes or refusal.status in _PASSING_STATUSES or refusal.code in _PASSING:
        return Transient("AzureError", spoken, retry_after=refusal.retry_after)
    return Stuck("AzureRefused", spoken)


def _spoken(refusal: Refusal) -> str:
    code = f"{refusal.code}: " if refusal.code else ""
    return f"{refusal.operation}: {code}{refusal.message}"


def judge_cluster(refusal: KubernetesRefusal) -> Fault:
    """Turn what the Kubernetes API said into what it means for a chatbot."""
    spoken = f"{refusal.operation}: {refusal.reason} {refusal.message}"
    refused = (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY)
    if refusal.status in refused:
        return Stuck("ClusterRefused", f"The cluster refuses what the operator wrote. {spoken}")
    fault = Transient("ClusterUnavailable", spoken)
    fault.unseen = True
    return fault
