"""From a condition of a status to what a person reads of it. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.spans import span
from chatbot_operator.cli.why.remedies import Known, ways, within
from chatbot_operator.errors import REASONS, Pending, Transient
from chatbot_operator.status import AWAITING_PROOF, parse

UNSEEN: Final = "NotLookedAt"
"""Stands for the reason of what the operator has not looked at as it is now."""
BEHIND: Final = frozenset({"NotReached", AWAITING_PROOF})
"""Reasons of a step that another one holds up."""
MEANT: Final = frozenset({"NotVerified", "SharedIdentity", "NetworkRestricted"})
"""Reasons that are worth knowing, and may well be meant."""
_GRANTED: Final = {"RolePropagating": "role", "FederationPropagating": "credential"}
"""What a wait for Azure counts from: when it was granted, as the status says."""


def check(
    condition: Mapping[str, Any], known: Known, now: dt.datetime, *, granted: Mapping[str, str]
) -> Check:
    """Say how a step stands, and what to do; `granted` is `status.grantedAt`."""
    reason, lasted = condition["reason"], _lasted(condition, granted, now)
    mark = mark_of(condition, lasted=lasted, limit=within(reason, known))
    kind, facts = condition["type"], {"reason": reason, "since": condition["lastTransitionTime"]}
    message = condition["message"]
    if mark in {Mark.OK, Mark.NOTE}:
        return Check(kind, mark, message or reason, facts=facts)
    if reason in BEHIND:
        return Check(kind, mark, message, facts=facts)
    found = f"{reason}, for {span(lasted)}"
    cause, fix, said = words(reason, message)
    if mark is Mark.WAITING:
        return Check(
            kind,
            mark,
            found,
            cause=cause,
            fix=_patience(within(reason, known), lasted),
            said=said,
            facts={**facts, "message": message},
        )
    out = ways(reason, known)
    told = {**facts, "message": message}
    return Check(kind, mark, found, cause=cause, fix=fix, said=said, ways=out, facts=told)


def mark_of(condition: Mapping[str, Any], *, lasted: float, limit: float) -> Mark:
    """Tell how a condition stands that has lasted so many seconds; `limit`: how many are usual."""
    reason, status = condition["reason"], condition["status"]
    if reason in MEANT:
        return Mark.NOTE
    if status == "True":
        return Mark.OK
    if reason in BEHIND:
        return Mark.WAITING
    if reason not in REASONS:
        return Mark.WRONG if status == "False" else Mark.WAITING
    passes = REASONS[reason].fault in {Pending, Transient} or reason == "Creating"
    return Mark.WAITING if passes and lasted < limit else Mark.WRONG


def words(reason: str, message: str) -> tuple[str, str, str]:
    """Give cause, fix, and what was said, each once: a message may hold all, or say it better."""
    known = REASONS.get(reason)
    if known is None:
        fix = "This program does not know the reason: it may be older than the operator."
        return message, fix, ""
    if known.cause not in message:
        return message or known.cause, "", ""
    said = message.replace(known.cause, "", 1).replace(known.fix, "", 1)
    return known.cause, known.fix, " ".join(said.split())


def _lasted(condition: Mapping[str, Any], granted: Mapping[str, str], now: dt.datetime) -> float:
    at = granted.get(_GRANTED.get(condition["reason"], ""), condition["lastTransitionTime"])
    return max(0.0, (now - parse(at)).total_seconds())


def _patience(limit: float, lasted: float) -> str:
    if not limit:
        return "Nothing to type: wait."
    return (
        f"Nothing to type: wait. It takes up to {span(limit)} as a rule; {span(lasted)} have"
        " passed."
    )
