"""The proof: a pod of this chatbot, with its own token, was answered by the account."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from chatbot_operator.errors import (
    REASONS,
    Fault,
    Pending,
    Row,
    Service,
    Stuck,
    entra_code,
    look_up,
)
from chatbot_operator.ports import Credential, Object, Presented, Readiness, World

ASKED: Final = 5
"""Pods asked for their readiness in a pass: enough to see a fault, few enough for a large fleet."""

TIME: Final = "%Y-%m-%d %H:%M UTC"

_FIXES: Final = {
    "issuer": (
        "If the cluster's issuer has changed, restart whichever still has a token of the former"
        " one: the pod, or the operator. The kubelet replaces the pod's by itself in its time."
    ),
    "subject": "Let the pod run under the chatbot's own service account.",
    "audience": "Set TOKEN_AUDIENCE of the operator to what the webhook projects.",
}


@dataclass(frozen=True, slots=True)
class Grants:
    """Since when, in UTC, role and credential have been there, and how long they may need.

    `credential` is the one that was written.
    """

    role: dt.datetime
    federation: dt.datetime
    deadline: dt.timedelta
    credential: Credential


@dataclass(frozen=True, slots=True)
class Proof:
    """A proven chatbot. `trouble` says what is wrong at the moment all the same, if anything."""

    at: str
    trouble: Fault | None


async def ask(world: World, pods: list[Object]) -> list[Readiness]:
    """Ask running pods how their proof stands."""
    running = [
        pod["status"]["podIP"]
        for pod in pods
        if "podIP" in pod.get("status", {}) and "deletionTimestamp" not in pod["metadata"]
    ]
    answers = await asyncio.gather(*map(world.pods.readiness, sorted(running)[:ASKED]))
    return [answer for answer in answers if answer is not None]


def judge(
    answers: list[Readiness], grants: Grants, now: dt.datetime, *, latched: str = ""
) -> Proof:
    """Tell from the pods' answers whether access is proven; raises the Fault that says why not.

    One pod that has just been answered settles it. A refusal that is about us outweighs an older
    proof; trouble that passes does not, nor does silence: `latched` is the time of an earlier proof
    of a chatbot that the kubelet still finds available.
    """
    if not answers and latched:
        return Proof(latched, _pending("PodsSilent"))
    if not answers:
        raise Pending("PodsStarting", "No pod answers yet.")
    for answer in answers:
        if answer.reason == "Proven" and answer.proven_at:
            return Proof(answer.proven_at, None)
    faults = [_fault(answer, grants, now) for answer in answers]
    for answer, fault in zip(answers, faults, strict=True):
        if not _passes(answer):
            raise fault
    for answer, fault in zip(answers, faults, strict=True):
        if answer.proven_at:
            return Proof(answer.proven_at, fault)
    raise faults[0]


def _row(answer: Readiness) -> Row:
    """Find what an answer means; of a refused exchange, by what Entra said."""
    code = entra_code(answer.message) if answer.reason == "ExchangeRefused" else ""
    if code:
        return look_up(Service.ENTRA, HTTPStatus.UNAUTHORIZED, code)
    return look_up(Service.POD, HTTPStatus.SERVICE_UNAVAILABLE, answer.reason)


def _passes(answer: Readiness) -> bool:
    return REASONS[_row(answer).reason].fault is Pending


def _fault(answer: Readiness, grants: Grants, now: dt.datetime) -> Fault:
    row = _row(answer)
    known = REASONS[row.reason]
    federates = row.reason == "FederationMisconfigured"
    astray = _astray(answer.presented, grants.credential) if federates else ""
    if astray:
        return Stuck(row.reason, f"{known.cause} {astray} {answer.message}", trace=answer.trace)
    found = _found(row, answer, grants)
    since = grants.role if row.meanwhile == "RolePropagating" else grants.federation
    if row.meanwhile and now < since + grants.deadline:
        until = (since + grants.deadline).strftime("%H:%M UTC")
        said = f"{found} It is taken for an error at {until}. {answer.message}"
        return _pending(row.meanwhile, said)
    if known.fault is Pending:
        return _pending(row.reason, answer.message, trace=answer.trace)
    message = " ".join(filter(None, (known.cause, found, known.fix, answer.message)))
    return Stuck(known.name, message, trace=answer.trace)


def _found(row: Row, answer: Readiness, grants: Grants) -> str:
    """Say what Azure was found to hold for what the pod was refused."""
    if row.meanwhile == "RolePropagating":
        return f"The role assignment is there since {grants.role:{TIME}}."
    if not (row.meanwhile or row.reason == "FederationMisconfigured"):
        return ""
    equal = " and equals what the pod presents" if answer.presented else ""
    return f"The federated credential is there since {grants.federation:{TIME}}{equal}."


def _astray(presented: Presented | None, credential: Credential) -> str:
    """Say how what a pod presents differs from what the credential trusts; empty if in nothing."""
    if presented is None:
        return ""
    trusts = (credential.issuer, credential.subject, ", ".join(credential.audiences))
    presents = (presented.issuer, presented.subject, presented.audience)
    return " ".join(
        f"The token's {what} is {one!r}, the credential's is {other!r}. {fix}"
        for (what, fix), one, other in zip(_FIXES.items(), presents, trusts, strict=True)
        if one != other
    )


def _pending(name: str, said: str = "", *, trace: str = "") -> Pending:
    known = REASONS[name]
    return Pending(name, f"{known.cause} {known.fix} {said}".rstrip(), trace=trace)
