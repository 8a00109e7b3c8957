"""Looks for what lets somebody else be the chatbot, as often as Azure is read, and tells of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from chatbot_operator import backoff
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import Blind, Fault, Refusal, Stuck, Transient
from chatbot_operator.ports import Assignment, Credential, Readiness, World
from chatbot_operator.reconcile.memory import Audit, Granted, Memory
from chatbot_operator.reconcile.outcome import Findings, judging
from chatbot_operator.status import Surplus, by_type, parse
from chatbot_operator.steps.audit import surplus
from chatbot_operator.steps.federation import CREDENTIALS, retire

HARMLESS = frozenset({"FederationNearlyFull", "MutatedByAdmission"})
"""Trouble of a chatbot that is answered with its present credential all the same."""


async def audit(
    world: World,
    chatbot: Chatbot,
    memory: Memory,
    findings: Findings,
    *,
    foreign: list[Surplus],
    answers: list[Readiness],
) -> None:
    """Put into the findings what was found beside `foreign`, in Azure and in the namespace.

    What could not be looked for leaves what was known. `answers` are the pods'.
    """
    known = memory.audits.get(chatbot.uid) or _published(world, chatbot, foreign)
    if known is not None:
        memory.audits[chatbot.uid] = known
    held = memory.granted.get(chatbot.uid)
    due = known is None or (world.now() - known.seen).total_seconds() >= world.installation.resync
    if due and held:
        try:
            async with judging():
                assigned = await _assigned(world, held, memory)
                credentials = await _credentials(world, chatbot, held, answers)
                found = await surplus(
                    world,
                    chatbot,
                    account_id=held.account_id,
                    mine=held.identity,
                    assigned=assigned,
                    credentials=credentials,
                )
            known = Audit(tuple(found), world.now(), len(credentials))
            memory.audits[chatbot.uid] = known
        except (Transient, Blind) as fault:
            if not fault.unseen:
                raise
    if known or foreign:
        findings.exceed(*foreign, *(known.surplus if known else ()))
    if known and known.credentials >= CREDENTIALS - 1:
        findings.degrade(_nearly_full(known.credentials))


def _nearly_full(credentials: int) -> Fault:
    return Stuck(
        "FederationNearlyFull",
        f"The identity holds {credentials} of the {CREDENTIALS} federated credentials that Azure"
        " allows; when the cluster's issuer changes, there must be room for another. Delete those"
        " that nobody needs.",
    )


async def _credentials(
    world: World, chatbot: Chatbot, held: Granted, answers: list[Readiness]
) -> list[Credential]:
    """Give the identity's credentials, without those that have outlived their issuer.

    Pods go on with tokens of the former one until the kubelet brings others: no credential goes
    before the pods that were asked are proven with the new one, and the others' tokens are over.
    """
    found = await world.azure.credentials(held.identity.id)
    since, conditions = chatbot.recorded.credential_since, by_type(chatbot.status)
    proven = "AccessProven" in conditions and conditions["AccessProven"].status == "True"
    trouble = conditions.get("Degraded")
    if not since or not proven or (trouble and trouble.reason not in HARMLESS):
        return found
    presented = {each.presented.issuer for each in answers if each.presented}
    if presented - {world.installation.issuer}:
        return found
    grace = max(world.installation.credential_grace, chatbot.pods.token_seconds or 0)
    if (world.now() - parse(since)).total_seconds() < grace:
        return found
    return await retire(world, chatbot, held.identity, found)


async def _assigned(world: World, held: Granted, memory: Memory) -> Iterable[Assignment]:
    """Give the identity's role assignments in the subscription, else those at the account.

    Where the operator may not list a subscription it asks once; a list of the account, made for all
    of its chatbots, spares one for each.
    """
    subscription, principal = "/".join(held.account_id.split("/")[:3]), held.identity.principal_id
    if subscription.lower() not in memory.closed:
        try:
            return await world.azure.assignments_below(subscription, principal)
        except Refusal as refusal:
            if refusal.code != "AuthorizationFailed":
                raise
            memory.closed.add(subscription.lower())
    for lists in memory.surveys.values():
        if lists.where[0].lower() == held.account_id.lower() and not lists.failed:
            return lists.assignments
    return await world.azure.assignments(held.account_id, principal)


def _published(world: World, chatbot: Chatbot, foreign: list[Surplus]) -> Audit | None:
    """Give what an earlier process found, if that was nothing and nothing says otherwise.

    Its age is made up, so that a fleet is not looked through at once after a restart.
    """
    condition = by_type(chatbot.status).get("LeastPrivilege")
    if foreign or condition is None or condition.status != "True":
        return None
    age = backoff.share(chatbot.uid) * world.installation.resync
    return Audit((), world.now() - dt.timedelta(seconds=age))
