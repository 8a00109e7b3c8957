"""The pass over a chatbot that should be there.

permission -> identity -> (role || federation) -> service account -> workload, service -> proof
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from chatbot_operator import backoff, ports
from chatbot_operator.account import Account
from chatbot_operator.chatbot import FINALIZER, Chatbot
from chatbot_operator.errors import Blind, Fault, Pending, Stuck, Transient
from chatbot_operator.manifests import Wanted, selector
from chatbot_operator.ports import Identity, World
from chatbot_operator.reconcile.memory import Granted, Memory
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
from chatbot_operator.status import Condition, parse, stamp, summarize, transitioned, true, unknown
from chatbot_operator.steps import proof, workload
from chatbot_operator.steps.children import require_free
from chatbot_operator.steps.federation import federation
from chatbot_operator.steps.identity import find, identity
from chatbot_operator.steps.permission import permission
from chatbot_operator.steps.role import leave, role
from chatbot_operator.steps.together import both

DOUBT_SECONDS = 30.0
"""How long what Azure said is believed when pods say otherwise; `resync` when they do not.

A federated credential may be read every other second at most (managed identity throttling limits).
"""

PATIENCE = 10.0
"""A wait for something that is on its way grows to a tenth of the time it has taken so far …"""
LONGEST_WAIT = 60.0
"""… and to this many seconds at most."""

STALE_ACCOUNT = ("DeploymentNotFound", "AccountNotUsable")
GRANTS = ("IdentityReady", "RoleAssigned", "FederationReady")


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
    return _again(world, chatbot, fault or findings.trouble)


async def _steps(world: World, chatbot: Chatbot, memory: Memory, findings: Findings) -> None:
    async with findings.step("Permitted", "Allowed") as said:
        account = await permission(world, chatbot)
        said.append(f"AzureOpenAIAccount {account.name} allows it.")
    mine = await _granted(world, chatbot, account, memory, findings)
    wanted = Wanted(
        chatbot=chatbot,
        identity=mine,
        endpoint=account.endpoint,
        image=chatbot.image or world.installation.image,
        replicas=1,
        installation=world.installation,
    )
    available, answers = await _serve(world, wanted, findings)
    async with findings.step("AccessProven", "Proven") as said:
        latched = chatbot.recorded.proven_at if available else ""
        grants = _grants(world, findings)
        proven = proof.judge(answers, grants, world.now(), latched=latched)
        findings.facts["provenAt"] = chatbot.recorded.proven_at or proven.at
        said.append("A pod was answered with its own token.")
    if proven.trouble is not None:
        findings.degrade(proven.trouble.reason, proven.trouble.message)
    _require_available(findings, available)


def _require_available(findings: Findings, available: int) -> None:
    """Wait until the Service leads to a pod: the kubelet sees a proof a few seconds later."""
    if not available:
        fault = Pending("PodsStarting", "Proven; the Service is about to lead to the pod.")
        findings.put(unknown("WorkloadReady", fault.reason, fault.message))
        raise fault


async def _granted(
    world: World, chatbot: Chatbot, account: Account, memory: Memory, findings: Findings
) -> Identity:
    """Give the identity with all it needs in Azure: as remembered if that is believed, else made.

    Where Azure cannot be asked, what a working chatbot has is taken to be as it was.
    """
    known = memory.granted.get(chatbot.uid)
    if known and _believed(world, chatbot, account, known):
        findings.conditions += _kept(chatbot)
        return known.identity
    memory.granted.pop(chatbot.uid, None)
    try:
        mine = await _grant(world, chatbot, account, findings)
    except (Transient, Blind) as fault:
        if not (fault.unseen and _works(chatbot)):
            raise
        findings.conditions = [c for c in findings.conditions if c.type not in GRANTS]
        findings.conditions += _kept(chatbot)
        findings.trouble = fault
        findings.degrade(fault.reason, fault.message)
        return _last_known(world, chatbot)
    memory.granted[chatbot.uid] = Granted(account.account_id, mine, world.now())
    return mine


def _believed(world: World, chatbot: Chatbot, account: Account, known: Granted) -> bool:
    """Tell whether what Azure held a while ago still counts.

    A pod that is refused casts doubt on it; pods that do not start say nothing about Azure.
    """
    refused = any(
        c.type == "AccessProven" and c.reason.startswith(("Role", "Federation"))
        for c in conditions_of(chatbot)
    )
    age = (world.now() - known.seen).total_seconds()
    same = known.account_id == account.account_id and len(_kept(chatbot)) == len(GRANTS)
    return same and age < (DOUBT_SECONDS if refused else world.installation.resync)


def _kept(chatbot: Chatbot) -> list[Condition]:
    return [c for c in conditions_of(chatbot) if c.type in GRANTS and c.status == "True"]


def _last_known(world: World, chatbot: Chatbot) -> Identity:
    recorded = chatbot.recorded
    return Identity(
        id=recorded.identity_id,
        name=recorded.identity_id.rpartition("/")[2],
        location="",
        principal_id=recorded.principal_id,
        client_id=recorded.client_id,
        tenant_id=world.installation.tenant_id,
    )


async def _grant(world: World, chatbot: Chatbot, account: Account, findings: Findings) -> Identity:
    """Make the identity, and give it role and credential at the same time."""
    async with findings.step("IdentityReady", "Exists") as said:
        # A credential for an account that is not ours would let other pods in.
        await require_free(world, chatbot, ports.SERVICE_ACCOUNTS)
        at, live = await find(world, chatbot, account)
        await leave(world, chatbot, account)
        await _record_intent(world, chatbot, account, findings, at)
        mine = await identity(world, chatbot, account, at=at, live=live)
        said.append(mine.name)
    apart = Findings()

    async def assign() -> bool:
        async with findings.step("RoleAssigned", "Assigned") as said:
            written = await role(world, chatbot, account, mine)
            # Not before: the assignment of an identity that is gone is found by what is recorded.
            findings.facts["identity"] = {
                "id": at,
                "clientId": mine.client_id,
                "principalId": mine.principal_id,
            }
            said.append("Cognitive Services OpenAI User on the account.")
            return written

    async def federate() -> bool:
        async with apart.step("FederationReady", "Federated") as said:
            written = await federation(world, chatbot, mine)
            said.append(f"Trusts service account {chatbot.namespace}/{chatbot.name}.")
            return written

    try:
        assigned, federated = await both(assign(), federate())
    finally:
        findings.conditions += apart.conditions
    now, since = stamp(world.now()), chatbot.recorded
    findings.facts["grantedAt"] = {
        "role": now if assigned else since.role_since or now,
        "credential": now if federated else since.credential_since or now,
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


async def _serve(
    world: World, wanted: Wanted, findings: Findings
) -> tuple[int, list[ports.Readiness]]:
    """Run the pods, and give how many are available and what they answer."""
    chatbot = wanted.chatbot
    async with findings.step("WorkloadReady", "PodsRun") as said:
        since = findings.facts.get("grantedAt", {}).get("credential") or stamp(world.now())
        await workload.configure(world, wanted, credential_since=since)
        wanted = replace(wanted, replicas=await workload.replicas(world, chatbot))
        deployment, service = await workload.run(world, wanted)
        pods = await workload.pods(world, chatbot)
        answers = await proof.ask(world, pods)
        status = deployment.get("status", {})
        available: int = status.get("availableReplicas", 0)
        findings.facts |= {
            "url": workload.url(chatbot, service),
            "replicas": status.get("replicas", 0),
            "pods": f"{available}/{chatbot.replicas}",
            "selector": ",".join(f"{k}={v}" for k, v in selector(chatbot.name).items()),
            "resolved": {**findings.facts["resolved"], "image": wanted.image},
        }
        said.append(workload.judge(deployment, pods, answers))
    return available, answers


async def _suspend(world: World, chatbot: Chatbot) -> Again:
    said = "The operator writes nothing while spec.suspend is true."
    before = [c for c in conditions_of(chatbot) if c.type not in SUMMARY]
    conditions = [unknown("Ready", "Suspended", said), *before]
    await publish(world, chatbot, conditions, remembered(chatbot))
    return Again()


def _works(chatbot: Chatbot) -> bool:
    """Tell whether the chatbot was proven and has all it needs in Azure, as last published."""
    recorded = chatbot.recorded
    known = recorded.identity_id and recorded.client_id and recorded.principal_id
    return bool(known and recorded.proven_at and len(_kept(chatbot)) == len(GRANTS))


def _summary(chatbot: Chatbot, findings: Findings, fault: Fault | None) -> list[Condition]:
    """Sum up a pass.

    A cluster that cannot be asked says nothing about a chatbot that works: what was known stays,
    and Degraded says what could not be looked at.
    """
    known = chatbot.status.get("observedGeneration") == chatbot.generation
    works = known and transitioned(chatbot.status, "Ready", "True") is not None
    if isinstance(fault, Transient) and works:
        kept = [c for c in conditions_of(chatbot) if c.type != "Degraded"]
        return [*kept, true("Degraded", fault.reason, fault.message)]
    return summarize(findings.conditions, stalled=isinstance(fault, Stuck | Blind))


def _again(world: World, chatbot: Chatbot, fault: Fault | None) -> Again:
    installation = world.installation
    if fault is None:
        just_proven = not chatbot.recorded.proven_at
        rest = backoff.phase(chatbot.uid, installation.proof_recheck)
        return Again(seconds=0 if just_proven else rest)
    if isinstance(fault, Pending):
        return Again(seconds=fault.retry_after or _patience(world, chatbot), fault=fault)
    stale = fault.reason in STALE_ACCOUNT
    account = Key(ports.ACCOUNTS, "", chatbot.account)
    also = (account,) if stale else ()
    return Again(seconds=fault.retry_after, failed=True, fault=fault, also=also)


def _patience(world: World, chatbot: Chatbot) -> float:
    """Give the seconds to wait for something on its way: the longer it takes, the longer."""
    since = transitioned(chatbot.status, "Ready", "Unknown")
    waited = (world.now() - since).total_seconds() if since else 0.0
    return max(world.installation.proof_poll, min(LONGEST_WAIT, waited / PATIENCE))


def _grants(world: World, findings: Findings) -> proof.Grants:
    granted, now = findings.facts.get("grantedAt", {}), stamp(world.now())
    return proof.Grants(
        role=parse(granted.get("role", now)),
        federation=parse(granted.get("credential", now)),
        deadline=dt.timedelta(seconds=world.installation.propagation_deadline),
    )
