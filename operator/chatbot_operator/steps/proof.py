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
from chatbot_operator.ports import Object, Readiness, World

ASKED: Final = 5
"""Pods asked for their readiness in a pass: enough to see a fault, few enough for a large fleet."""


@dataclass(frozen=True, slots=True)
class Grants:
    """Since when, in UTC, role and credential have been there, and how long they may need."""

    role: dt.datetime
    federation: dt.datetime
    deadline: dt.timedelta


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
    since = grants.role if row.meanwhile == "RolePropagating" else grants.federation
    if row.meanwhile and now < since + grants.deadline:
        until = (since + grants.deadline).strftime("%H:%M UTC")
        return _pending(row.meanwhile, f"It is taken for an error at {until}. {answer.message}")
    known = REASONS[row.reason]
    if known.fault is Pending:
        return _pending(row.reason, answer.message)
    return Stuck(known.name, f"{known.cause} {known.fix} {answer.message}")


def _pending(name: str, said: str = "") -> Pending:
    known = REASONS[name]
    return Pending(name, f"{known.cause} {known.fix} {said}".rstrip())
