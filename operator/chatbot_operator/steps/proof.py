"""The proof: a pod of this chatbot, with its own token, was answered by the account."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass
from typing import Final

from chatbot_operator.errors import Fault, Pending, Stuck
from chatbot_operator.ports import Object, Readiness, World

ASKED: Final = 5
"""Pods asked for their readiness in a pass: enough to see a fault, few enough for a large fleet."""

_PASSING: Final = {
    "Starting": "Proving",
    "WaitingForCredential": "Proving",
    "AuthorityUnreachable": "AuthorityUnreachable",
    "EndpointUnreachable": "EndpointUnreachable",
    "Throttled": "Throttled",
    "ServiceError": "ServiceError",
}

_FIXES: Final = {
    "NotInjected": (
        "The workload identity webhook did not mutate the pod. Enable workload identity on the"
        " cluster (`az aks update --enable-oidc-issuer --enable-workload-identity`), then delete"
        " the pod."
    ),
    "WrongPrincipal": "The pod's token is that of another identity. Delete the pod.",
    "TokenRejected": "The account refuses the pod's token. Check the data scope and the tenant.",
    "NetworkDenied": (
        "The account's firewall refuses the pod. Allow the cluster's outbound addresses or use a"
        " private endpoint."
    ),
    "SubdomainMissing": "The account has no custom subdomain, so it refuses Entra tokens.",
    "DeploymentNotFound": "The account says that the deployment does not exist.",
    "Misconfigured": "The chatbot cannot read its settings.",
}


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
    trouble: Readiness | None


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
        return Proof(latched, Readiness("PodsSilent", "No pod answers the operator.", ""))
    if not answers:
        raise Pending("PodsStarting", "No pod answers yet.")
    for answer in answers:
        if answer.reason == "Proven" and answer.proven_at:
            return Proof(answer.proven_at, None)
    refused = [a for a in answers if a.reason not in _PASSING]
    if refused:
        raise _fault(refused[0], grants, now)
    proven = [a for a in answers if a.proven_at]
    if proven:
        return Proof(proven[0].proven_at, proven[0])
    raise Pending(_PASSING[answers[0].reason], answers[0].message)


def _fault(answer: Readiness, grants: Grants, now: dt.datetime) -> Fault:
    if answer.reason == "PermissionDenied":
        return _spreading("Role", grants.role + grants.deadline, answer, now)
    if answer.reason == "ExchangeRefused":
        return _spreading("Federation", grants.federation + grants.deadline, answer, now)
    if answer.reason in _FIXES:
        return Stuck(answer.reason, f"{_FIXES[answer.reason]} {answer.message}")
    return Stuck("UnknownReadiness", f"A pod answers something unknown: {answer.message}")


def _spreading(what: str, deadline: dt.datetime, answer: Readiness, now: dt.datetime) -> Fault:
    if now < deadline:
        until = deadline.strftime("%H:%M UTC")
        return Pending(
            f"{what}Propagating",
            f"Azure is spreading the grant; this takes up to ten minutes and is taken for an error"
            f" at {until}. {answer.message}",
        )
    return Stuck(
        f"{what}Misconfigured",
        f"Azure still refuses although the grant is old enough. Look for a deny assignment, a"
        f" policy, or another cloud or tenant. {answer.message}",
    )
