"""Takes away what a chatbot holds once its account does not consent any more.

denied          nothing new is written, what there is goes on
  | a grace, and a second look
denied still    do many lose it at once?  then nothing is taken: MassRevocationHeld
  |
taken           pods scaled to 0, role gone; identity and credential stay for a new yes

Of an identity that others made the credential is taken: its role is theirs, for others to use.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from chatbot_operator import az, backoff, ports
from chatbot_operator.chatbot import CONFIRM, Chatbot
from chatbot_operator.errors import DENIALS, Denied, Fault, KubernetesRefusal
from chatbot_operator.ports import Assignment, Object, World
from chatbot_operator.reconcile.made import made
from chatbot_operator.reconcile.memory import Census, Memory
from chatbot_operator.reconcile.outcome import Again, Findings, watched
from chatbot_operator.status import Condition, because, by_type, false, transitioned
from chatbot_operator.steps.federation import let_go
from chatbot_operator.steps.role import take
from chatbot_operator.steps.workload import silence

HELD: Final = "MassRevocationHeld"
TAKEN: Final = ("Withdrawn", "AccessRemains")
"""What RoleAssigned says where the operator's own assignment is gone."""
BRAKE_COUNT: Final = 5
BRAKE_SHARE: Final = 0.1
WAVE: Final = dt.timedelta(hours=1)
"""Denials that lie no further apart are of one wave, however long it takes to confirm some."""
CENSUS_SECONDS: Final = 10.0
"""A thousand chatbots that are denied together count themselves once, not a thousand times."""


@dataclass(frozen=True, slots=True)
class Denial:
    """A chatbot that is denied, and since when; `first`: nobody had found it so before."""

    chatbot: Chatbot
    since: dt.datetime
    first: bool


def denial(chatbot: Chatbot, memory: Memory, now: dt.datetime) -> Denial:
    """Tell since when a chatbot is denied: as its status says, or as this process has seen.

    A status may have been forged, or lost. The Permitted condition of a status may be false for
    another reason, or since a time to come; it is left out of the chatbot's status then, so that
    its time begins anew.
    """
    seen = memory.denied.get(chatbot.uid)
    memory.denied.setdefault(chatbot.uid, now)
    written = transitioned(chatbot.status, "Permitted", "False")
    if written is None or written > now or not _is_denied(chatbot):
        written = None
        chatbot = _without_permitted(chatbot)
    times = [time for time in (seen, written) if time is not None]
    return Denial(chatbot, min(times, default=now), first=not times)


def _without_permitted(chatbot: Chatbot) -> Chatbot:
    kept = [c for c in chatbot.status.get("conditions", ()) if c["type"] != "Permitted"]
    return replace(chatbot, status={**chatbot.status, "conditions": kept})


async def withdrawal(
    world: World, found: Denial, memory: Memory, findings: Findings, denied: Denied
) -> Again:
    """Wait for the end of the grace, then take away; what is the case goes into the findings."""
    chatbot = found.chatbot
    backing_off = Again(failed=True, fault=denied)
    left = world.installation.withdrawal_grace - (world.now() - found.since).total_seconds()
    if found.first or left > 0:
        holds = bool(chatbot.recorded.identity_id)
        return Again(seconds=max(left, 1.0), fault=denied) if holds else backing_off
    try:
        async with watched(world, "AccessTaken"):
            holders = await made(world, chatbot, memory.granted.get(chatbot.uid))
            if not holders:
                return backing_off
            held = await _held(world, found, memory)
            if held:
                findings.put(false("Permitted", HELD, f"{denied.message} {held}"))
                return backing_off
            await _take(world, holders, findings)
            memory.granted[chatbot.uid] = None
    except Fault as fault:
        said = f"Permission is withdrawn, but not all could be taken away. {fault.message}"
        kind = "FederationReady" if chatbot.existing else "RoleAssigned"
        findings.put(replace(because(kind, "False", fault), message=said))
        return Again(seconds=fault.retry_after, failed=True, fault=fault)
    return Again(seconds=backoff.phase(chatbot.uid, world.installation.resync), fault=denied)


async def _take(world: World, holders: list[Chatbot], findings: Findings) -> None:
    """Take pods and access; a cluster that refuses to scale saves nobody's."""
    chatbot, refused = holders[0], None
    try:
        await silence(world, chatbot)
    except KubernetesRefusal as refusal:
        refused = refusal
    if chatbot.existing:
        taken, since = await _credentials_taken(world, holders), ""
    else:
        taken, since = await _roles_taken(world, holders), chatbot.recorded.credential_since
    if refused is not None:
        raise refused
    findings.put(taken)
    findings.facts |= {
        "grantedAt": {"credential": since} if since else {},
        "provenAt": "",
        "replicas": 0,
        "pods": f"0/{chatbot.replicas}",
    }


async def _roles_taken(world: World, holders: list[Chatbot]) -> Condition:
    remaining = [left for holder in holders for left in await take(world, holder)]
    if remaining:
        return false("RoleAssigned", "AccessRemains", _remains(remaining))
    said = (
        "Permission was withdrawn: no pods run and the role is gone. Identity and credential stay,"
        " so that a new permission takes effect soon."
    )
    return false("RoleAssigned", "Withdrawn", said)


async def _credentials_taken(world: World, holders: list[Chatbot]) -> Condition:
    commands = [
        az.delete_credential(holder.recorded.identity_id, left.name)
        for holder in holders
        for left in await let_go(world, holder)
    ]
    if commands:
        return false(
            "FederationReady",
            "AccessRemains",
            "Permission was withdrawn, but federated credentials that are not the operator's still"
            f" let the chatbot's service account be the identity: `{'`, `'.join(commands)}`",
        )
    said = (
        "Permission was withdrawn: no pods run, and the chatbot's service account can no longer be"
        " the identity. That is others', and so it keeps its role."
    )
    return false("FederationReady", "Withdrawn", said)


def _remains(assignments: Iterable[Assignment]) -> str:
    what = ", ".join(sorted(f"{a.name} on {a.scope}" for a in assignments))
    return (
        "Permission was withdrawn, but role assignments that are not the operator's still let the"
        f" identity in: {what}. Delete them with `az role assignment delete --ids`."
    )


async def _held(world: World, found: Denial, memory: Memory) -> str:
    """Say in words why nothing is taken away now; empty when it may be.

    Those of its wave that have lost their role count as if they still had it: else the confirmation
    of some would leave few enough to let the rest go.
    """
    chatbot = found.chatbot
    if chatbot.withdrawal_confirmed or chatbot.recorded.withdrawn:
        return ""
    now, counted = world.now(), memory.census
    if counted is None or (now - counted.at).total_seconds() >= CENSUS_SECONDS:
        counted = memory.census = count(await world.kubernetes.select(ports.CHATBOTS, "", {}), now)
    lost = sum(abs(time - found.since) <= WAVE for time in counted.taken)
    holding, denied = counted.holding + lost, counted.denied + lost
    if not too_many(holding, denied):
        return ""
    already = f" ({lost} of them have lost it)" if lost else ""
    return (
        f"{denied} of the {holding} chatbots that have access would lose it at once{already}, so"
        " nothing is taken away yet. If that is meant:"
        f" `kubectl annotate chatbot -n {chatbot.namespace} {chatbot.name} {CONFIRM}=true`, for"
        " many with -l or --all."
    )


def count(chatbots: Iterable[Object], now: dt.datetime) -> Census:
    """Count the chatbots that hold a role and those of them that are denied, by their statuses."""
    there = [one for one in map(Chatbot.parse, chatbots) if one.deleted_at is None]
    denied = [one for one in there if _is_denied(one)]
    since = [transitioned(one.status, "Permitted", "False") for one in denied if _is_taken(one)]
    return Census(
        holding=sum(bool(one.recorded.role_since) for one in there),
        denied=sum(bool(one.recorded.role_since) for one in denied),
        taken=tuple(filter(None, since)),
        at=now,
    )


def _is_denied(chatbot: Chatbot) -> bool:
    said = by_type(chatbot.status).get("Permitted")
    return said is not None and said.status == "False" and said.reason in (*DENIALS, HELD)


def _is_taken(chatbot: Chatbot) -> bool:
    said = by_type(chatbot.status).get("RoleAssigned")
    return said is not None and said.status == "False" and said.reason in TAKEN


def too_many(holding: int, denied: int) -> bool:
    """Tell whether so many lose access at once that somebody should confirm it."""
    return denied > BRAKE_COUNT and denied > BRAKE_SHARE * holding
