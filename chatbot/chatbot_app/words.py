"""What a reason says: to whoever runs the chatbot, and to a visitor of the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from chatbot_app.reasons import ChatReason, Reason, Refusal, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

_READINESS: Mapping[str, str] = {
    Reason.STARTING: "The chatbot is starting.",
    Reason.WAITING_FOR_CREDENTIAL: "The federated credential is too young to be tried.",
    Reason.PROVEN: "The account answered with this chatbot's own token.",
    Reason.NOT_INJECTED: "The workload identity webhook did not mutate this pod.",
    Reason.EXCHANGE_REFUSED: "Entra refused this chatbot's federated token:",
    Reason.AUTHORITY_UNREACHABLE: "Entra did not answer.",
    Reason.WRONG_PRINCIPAL: "The token belongs to another principal.",
    Reason.PERMISSION_DENIED: "The identity has no role on the account (yet):",
    Reason.TOKEN_REJECTED: "The account did not accept the token:",
    Reason.NETWORK_DENIED: "The account's network rules keep this chatbot out:",
    Reason.SUBDOMAIN_MISSING: "The account has no custom subdomain, so it takes no Entra token.",
    Reason.DEPLOYMENT_NOT_FOUND: "The account has no such model deployment:",
    Reason.ENDPOINT_UNREACHABLE: "The account's host could not be reached.",
    Reason.THROTTLED: "The account has too many requests at the moment.",
    Reason.SERVICE_ERROR: "The account answered with an error:",
    Reason.MISCONFIGURED: "A setting needs attention:",
}

_VISITOR: Mapping[str, str] = {
    Reason.NOT_INJECTED: "This chatbot has no identity, so it cannot reach the model.",
    Reason.EXCHANGE_REFUSED: (
        "Microsoft Entra does not accept this chatbot's identity yet. "
        "If the chatbot is new, this can take a few minutes."
    ),
    Reason.AUTHORITY_UNREACHABLE: "Microsoft Entra could not be reached.",
    Reason.PERMISSION_DENIED: (
        "The model does not let this chatbot in yet. "
        "A new role assignment can take up to ten minutes to arrive."
    ),
    Reason.TOKEN_REJECTED: "The model service did not accept this chatbot's sign-in.",
    Reason.NETWORK_DENIED: "The model service's network rules keep this chatbot out.",
    Reason.SUBDOMAIN_MISSING: "The model service has no custom subdomain, so it takes no sign-in.",
    Reason.DEPLOYMENT_NOT_FOUND: (
        "The model deployment “{deployment}” does not exist. "
        "If it was just created, it can take five minutes to appear."
    ),
    Reason.ENDPOINT_UNREACHABLE: "The model service could not be reached.",
    Reason.THROTTLED: "Too many requests at the moment. Please try again {wait}.",
    Reason.SERVICE_ERROR: "The model service has a problem at the moment.",
    ChatReason.BUDGET_SPENT: (
        "This chatbot has used up what it may say in a day. It answers again {wait}."
    ),
    ChatReason.BUSY: (
        "Many people are asking this chatbot at the moment. Please try again {wait}."
    ),
    ChatReason.TOO_MANY_AT_ONCE: (
        "Too many of your questions are being answered already. Please try again {wait}, "
        "or stop one of them."
    ),
    ChatReason.CONTENT_FILTERED: (
        "The content filter of Azure stopped this. Please put it in other words."
    ),
    ChatReason.CONTEXT_TOO_LONG: "This message is too long for the model. Please shorten it.",
    ChatReason.REQUEST_REFUSED: "The model did not accept this request.",
    ChatReason.TIMED_OUT: "The model took too long to answer.",
    ChatReason.INTERRUPTED: "The connection to the model broke off in the middle of the answer.",
    ChatReason.UNEXPECTED: "Something unexpected went wrong.",
}

_PERSON: Mapping[str, str] = {
    ChatReason.NOT_SIGNED_IN: (
        "Nobody is signed in to Azure on this machine, or no longer. "
        "Run `az login` in a terminal and try again. ({detail})"
    ),
    Reason.PERMISSION_DENIED: (
        "Your sign-in has no access to this account yet. It needs the role “Cognitive Services "
        "OpenAI User” on the account; a new role assignment can take up to ten minutes to arrive."
    ),
    Reason.TOKEN_REJECTED: (
        "The account did not accept your sign-in. If the account is in another tenant, "
        "run `az login --tenant TENANT` in a terminal and try again."
    ),
    Reason.ENDPOINT_UNREACHABLE: (
        "The model service could not be reached. Is AZURE_OPENAI_ENDPOINT the account's address?"
    ),
}

_MINUTE = 60
_HOUR = 3600


def for_readiness(refusal: Refusal) -> str:
    """Say it in one line of at most 256 characters, for operators."""
    return one_line(f"{_READINESS.get(refusal.reason, '')} {refusal.detail}".rstrip(" :"))


def for_visitor(refusal: Refusal, *, deployment: str) -> str:
    """Say it in plain words, with what to do; details of the account stay out."""
    words = _VISITOR.get(refusal.reason, _VISITOR[ChatReason.UNEXPECTED])
    return words.format(deployment=deployment, wait=_wait(refusal.retry_after))


def for_person(refusal: Refusal, *, deployment: str) -> str:
    """Say it to someone who runs the chatbot with their own sign-in and can mend what is wrong."""
    if words := _PERSON.get(refusal.reason):
        return words.format(detail=refusal.detail)
    return for_visitor(refusal, deployment=deployment)


def _wait(seconds: float | None) -> str:
    if seconds is None:
        return "in a moment"
    if seconds >= 2 * _HOUR:
        return f"in about {round(seconds / _HOUR)} hours"
    if seconds >= 2 * _MINUTE:
        return f"in about {round(seconds / _MINUTE)} minutes"
    whole = math.ceil(max(seconds, 1))
    return f"in {whole} second{'s' if whole > 1 else ''}"
