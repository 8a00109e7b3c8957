"""The pass over a chatbot that should be there.

permission -> identity -> (role || federation) -> service account -> workload, service -> proof
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass, replace

from chatbot_operator import backoff, ports
from chatbot_operator.account import Account
from chatbot_operator.chatbot import FINALIZER, Chatbot
from chatbot_operator.errors import Fault, Pending, Stuck, Transient
from chatbot_operator.manifests import Wanted, selector
from chatbot_operator.ports import Identity, World
from chatbot_operator.reconcile.outcome import (
    SUMMARY,
    Again,
    Findings,
    Key,
    conditions_of,
    publish,
    remembered,
    set_finalizers,
)
from chatbot_operator.status import Condition, summarize, transitioned, true, unknown
from chatbot_operator.steps import proof, workload
from chatbot_operator.steps.federation import federation
from chatbot_operator.steps.identity import identity, place
from chatbot_operator.steps.permission import permission
from chatbot_operator.steps.role import role

DOUBT_SECONDS = 30.0
"""How long what Azure said is believed while a chatbot is not ready; `resync` once it is.

A federated credential may be read every other second at most (managed identity throttling limits).
"""

STALE_ACCOUNT = ("DeploymentNotFound", "AccountNotUsable")


@dataclass(frozen=True, slots=True)
class Granted:
    """What Azure was last seen to hold for a generation of a chatbot, and when."""

    generation: int
    account_id: str
    identity: Identity
    seen: dt.datetime
    credential_written: bool


Memory = dict[str, Granted]
"""By the chatbot's uid. Lost with the process, at the price of reading again."""


async def up(world: World, chatbot: Chatbot, memory: Memory) -> Again:
    """Make everything as the chatbot says, and publish how it stands."""
    if chatbot.suspended:
        return await _suspend(world, chatbot)
    if FINALIZER not in chatbot.finalizers:
        await set_finalizers(world, chatbot, [*chatbot.finalizers, FINALIZER])
        return Again(seconds=0)
    findings = Findings(facts=remembered(chatbot))
    fault: Fault | None = None
    try:
        await _steps(world, chatbot, memory, findings)
    except Fault as raised:
        fault = raised
    await publish(world, chatbot, _summary(chatbot, findings, fault), findings.facts)
    return _again(world, chatbot, fault)


async def _steps(world: World, chatbot: Chatbot, memory: Memory, findings: Findings) -> None:
    async with findings.step("Permitted", "Allowed") as said:
        account = await permission(world, chatbot)
        said.append(f"AzureOpenAIAccount {account.name} allows it.")
    granted = await _granted(world, chatbot, account, memory, findings)
    wanted = Wanted(
        chatbot=chatbot,
        identity=granted.identity,
        endpoint=account.endpoint,
        image=chatbot.image or world.installation.image,
        replicas=1,
        installation=world.installation,
    )
    answers = await _serve(world, wanted, granted, findings)
    async with findings.step("AccessProven", "Proven") as said:
        proven = proof.judge(answers, _grants(world, chatbot), world.now())
        findings.facts["provenAt"] = chatbot.recorded.proven_at or proven.at
        said.append("A pod was answered with its own token.")
    _require_available(findings)
    if proven.trouble is not None:
        trouble = proven.trouble
        findings.conditions.append(true("Degraded", trouble.reason, trouble.message))


def _require_available(findings: Findings) -> None:
    """Wait until the Service leads to a pod: the kubelet sees a proof a few seconds later."""
    if findings.facts["pods"].startswith("0/"):
        fault = Pending("PodsStarting", "Proven; the Service is about to lead to the pod.")
        others = [c for c in findings.conditions if c.type != "WorkloadReady"]
        findings.conditions = [*others, unknown("WorkloadReady", fault.reason, fault.message)]
        raise fault


async def _granted(
    world: World, chatbot: Chatbot, account: Account, memory: Memory, findings: Findings
) -> Granted:
    """Give what Azure holds for the chatbot: as remembered while it can be believed, else made."""
    known = memory.get(chatbot.uid)
    ready = transitioned(chatbot.status, "Ready", "True") is not None
    believed = world.installation.resync if ready else DOUBT_SECONDS
    if (
        known
        and (known.generation, known.account_id) == (chatbot.generation, account.account_id)
        and (world.now() - known.seen).total_seconds() < believed
    ):
        kept = ("IdentityReady", "RoleAssigned", "FederationReady")
        findings.conditions += [c for c in conditions_of(chatbot) if c.type in kept]
        return known
    memory.pop(chatbot.uid, None)
    mine = await _identify(world, chatbot, account, findings)
    written = await _grant(world, chatbot, account, mine, findings)
    granted = Granted(chatbot.generation, account.account_id, mine, world.now(), written)
    memory[chatbot.uid] = granted
    return granted


async def _identify(
    world: World, chatbot: Chatbot, account: Account, findings: Findings
) -> Identity:
    async with findings.step("IdentityReady", "Exists") as said:
        at = place(chatbot, account, world.installation)
        await _record_intent(world, chatbot, account, findings, at)
        mine = await identity(world, chatbot, account, at=at)
        said.append(mine.name)
    findings.facts["identity"] = {
        "id": at,
        "clientId": mine.client_id,
        # An earlier identity's assignment is found by it, until the role step has removed that.
        "principalId": chatbot.recorded.principal_id or mine.principal_id,
    }
    return mine


async def _record_intent(
    world: World, chatbot: Chatbot, account: Account, findings: Findings, at: str
) -> None:
    """Write down what is about to be made before it is made, so that deletion finds it.

    The account object may be gone by then, and a pass may be cut off right after its first PUT.
    """
    findings.facts["resolved"] = {
        **findings.facts.get("resolved", {}),
        "accountId": account.account_id,
        "endpoint": account.endpoint,
    }
    findings.facts["identity"] = {**findings.facts.get("identity", {}), "id": at}
    if (chatbot.recorded.account_id, chatbot.recorded.identity_id) == (account.account_id, at):
        return
    starting = unknown("IdentityReady", "Creating", "Making the managed identity.")
    conditions = summarize([*findings.conditions, starting], stalled=False)
    await publish(world, chatbot, conditions, findings.facts)


async def _grant(
    world: World, chatbot: Chatbot, account: Account, mine: Identity, findings: Findings
) -> bool:
    """Give the identity its role and its credential, at the same time; tell if one was written."""
    apart = Findings()

    async def assign() -> None:
        async with findings.step("RoleAssigned", "Assigned") as said:
            await role(world, chatbot, account, mine)
            findings.facts["identity"]["principalId"] = mine.principal_id
            said.append("Cognitive Services OpenAI User on the account.")

    async def federate() -> bool:
        async with apart.step("FederationReady", "Federated") as said:
            written = await federation(world, chatbot, mine)
            said.append(f"Trusts service account {chatbot.namespace}/{chatbot.name}.")
            return written

    assigned, federated = await asyncio.gather(assign(), federate(), return_exceptions=True)
    findings.conditions += apart.conditions
    for outcome in (assigned, federated):
        if isinstance(outcome, BaseException):
            raise outcome
    return federated is True


async def _serve(
    world: World, wanted: Wanted, granted: Granted, findings: Findings
) -> list[ports.Readiness]:
    """Run the pods, and give what they answer."""
    chatbot = wanted.chatbot
    async with findings.step("WorkloadReady", "PodsRun") as said:
        since = granted.seen if granted.credential_written else None
        await workload.configure(world, wanted, credential_since=since)
        wanted = replace(wanted, replicas=await workload.replicas(world, chatbot))
        deployment, service = await workload.run(world, wanted)
        pods = await workload.pods(world, chatbot)
        answers = await proof.ask(world, pods)
        available = deployment.get("status", {}).get("availableReplicas", 0)
        findings.facts |= {
            "url": workload.url(chatbot, service),
            "replicas": len(pods),
            "pods": f"{available}/{chatbot.replicas}",
            "selector": ",".join(f"{k}={v}" for k, v in selector(chatbot.name).items()),
            "resolved": {**findings.facts["resolved"], "image": wanted.image},
        }
        said.append(workload.judge(deployment, pods, answers))
    return answers


async def _suspend(world: World, chatbot: Chatbot) -> Again:
    said = "The operator writes nothing while spec.suspend is true."
    before = [c for c in conditions_of(chatbot) if c.type not in SUMMARY]
    conditions = [unknown("Ready", "Suspended", said), *before]
    await publish(world, chatbot, conditions, remembered(chatbot))
    return Again()


def _summary(chatbot: Chatbot, findings: Findings, fault: Fault | None) -> list[Condition]:
    """Sum up a pass.

    A call that failed in passing says nothing about a chatbot that works: what was known stays, and
    Degraded says what could not be looked at.
    """
    known = chatbot.status.get("observedGeneration") == chatbot.generation
    works = known and transitioned(chatbot.status, "Ready", "True") is not None
    if isinstance(fault, Transient) and works:
        kept = [c for c in conditions_of(chatbot) if c.type != "Degraded"]
        return [*kept, true("Degraded", fault.reason, fault.message)]
    return summarize(findings.conditions, stalled=isinstance(fault, Stuck))


def _again(world: World, chatbot: Chatbot, fault: Fault | None) -> Again:
    installation = world.installation
    if fault is None:
        just_proven = not chatbot.recorded.proven_at
        rest = backoff.phase(chatbot.uid, installation.proof_recheck)
        return Again(seconds=0 if just_proven else rest)
    if isinstance(fault, Pending):
        return Again(seconds=fault.retry_after or installation.proof_poll, fault=fault)
    stale = fault.reason in STALE_ACCOUNT
    account = Key(ports.ACCOUNTS, "", chatbot.account)
    also = (account,) if stale else ()
    return Again(seconds=fault.retry_after, failed=True, fault=fault, also=also)


def _grants(world: World, chatbot: Chatbot) -> proof.Grants:
    now, status = world.now(), chatbot.status
    return proof.Grants(
        role=transitioned(status, "RoleAssigned", "True") or now,
        federation=transitioned(status, "FederationReady", "True") or now,
        deadline=dt.timedelta(seconds=world.installation.propagation_deadline),
    )
