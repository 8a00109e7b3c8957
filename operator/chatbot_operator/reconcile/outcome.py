"""What a pass found, how it is written down, and when to look again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from chatbot_operator import ports
from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import (
    Fault,
    KubernetesRefusal,
    Pending,
    Refusal,
    judge,
    judge_cluster,
)
from chatbot_operator.ports import Resource, Step, World, unseen
from chatbot_operator.status import (
    Condition,
    State,
    Surplus,
    because,
    by_type,
    document,
    least_privilege,
    true,
    turn,
)

SUMMARY: Final = ("Ready", "Reconciling", "Stalled", "Degraded")

_FACTS: Final = (
    "url",
    "replicas",
    "pods",
    "selector",
    "provenAt",
    "identity",
    "resolved",
    "grantedAt",
)


@dataclass(frozen=True, slots=True)
class Key:
    """What a pass is about."""

    resource: Resource
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Again:
    """When to look again: after `seconds` (None: when something happens), or backing off.

    `also` names others that should be looked at now.
    """

    seconds: float | None = None
    failed: bool = False
    fault: Fault | None = None
    also: tuple[Key, ...] = ()


@dataclass(slots=True)
class Findings:
    """What a pass has found so far: conditions in the order of the steps, facts for the status.

    `surplus`: what goes beyond what the chatbot needs; None before it was looked for. `watch` sees
    each step.
    """

    conditions: list[Condition] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    surplus: list[Surplus] | None = None
    trouble: Fault | None = None
    watch: Step = unseen

    def put(self, condition: Condition) -> None:
        """Replace what was found for this condition."""
        self.conditions = [c for c in self.conditions if c.type != condition.type]
        self.conditions.append(condition)

    def holds(self, kinds: tuple[str, ...]) -> bool:
        """Tell whether all these conditions were found true."""
        return set(kinds) <= {c.type for c in self.conditions if c.status == "True"}

    def exceed(self, *found: Surplus) -> None:
        """Note that it was looked for what goes beyond the chatbot's needs, and what was found."""
        self.surplus = [*(self.surplus or ()), *found]

    def degrade(self, fault: Fault) -> None:
        """Note that something is wrong with a chatbot that works all the same."""
        self.put(because("Degraded", "True", fault))

    @asynccontextmanager
    async def step(self, condition: str, reason: str) -> AsyncIterator[list[str]]:
        """Run a step: what it puts in the list becomes the message, a fault the condition."""
        message: list[str] = []
        try:
            with self.watch(condition):
                async with judging():
                    yield message
        except Fault as fault:
            state: State = "Unknown" if isinstance(fault, Pending) else "False"
            self.conditions.append(because(condition, state, fault))
            raise
        self.conditions.append(true(condition, reason, " ".join(message)))


@asynccontextmanager
async def judging() -> AsyncIterator[None]:
    """Turn what Azure and the cluster refuse into faults."""
    try:
        yield
    except Refusal as refusal:
        raise judge(refusal) from refusal
    except KubernetesRefusal as refusal:
        raise judge_cluster(refusal) from refusal


@asynccontextmanager
async def watched(world: World, name: str) -> AsyncIterator[None]:
    """Run a step that has no condition of its own, judging as it goes."""
    with world.step(name):
        async with judging():
            yield


async def publish(
    world: World, chatbot: Chatbot, conditions: list[Condition], facts: dict[str, Any]
) -> None:
    """Write the chatbot's whole status, if it differs."""
    status = document(
        conditions,
        facts,
        generation=chatbot.generation,
        previous=chatbot.status,
        now=world.now(),
    )
    await write_status(world, ports.CHATBOTS, chatbot, status)


async def write_status(
    world: World,
    resource: Resource,
    subject: Chatbot | Account,
    status: dict[str, Any],
) -> None:
    """Replace a status, if it differs from the one that was read; note what has turned by it."""
    if status == subject.status:
        return
    namespace = subject.namespace if isinstance(subject, Chatbot) else ""
    await world.kubernetes.replace_status(
        resource, namespace, subject.name, uid=subject.uid, status=status
    )
    told = turn(subject.status, status)
    if told is not None:
        leaving = isinstance(subject, Chatbot) and subject.deleted_at is not None
        wrong = told.type == "Stalled" or (told.status == "False" and not leaving)
        world.journal.note(told.reason, told.words, warning=wrong)


async def set_finalizers(world: World, chatbot: Chatbot, finalizers: list[str]) -> bool:
    """Replace the chatbot's finalizers and tell whether it is still there.

    A 409 if it changed since it was read.
    """
    found = await world.kubernetes.set_finalizers(
        ports.CHATBOTS,
        chatbot.namespace,
        chatbot.name,
        version=chatbot.resource_version,
        finalizers=finalizers,
    )
    return found is not None


def remembered(chatbot: Chatbot) -> dict[str, Any]:
    """Give the facts of the status as it is, for a pass that finds no newer ones."""
    return {key: chatbot.status[key] for key in _FACTS if key in chatbot.status}


def audited(world: World, chatbot: Chatbot, findings: Findings) -> list[Condition]:
    """Give LeastPrivilege, if it was looked for or known; note what is newly found."""
    known = by_type(chatbot.status).get("LeastPrivilege")
    if findings.surplus is None:
        return [known] if known else []
    found = least_privilege(findings.surplus)
    if found.status == "False" and found != known:
        world.journal.note(found.reason, found.message, warning=True)
    return [found]


def conditions_of(chatbot: Chatbot) -> list[Condition]:
    """Give the conditions of the status as it is."""
    return list(by_type(chatbot.status).values())
