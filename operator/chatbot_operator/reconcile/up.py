"""The pass over a chatbot that should be there.

permission -> identity -> (role || federation) -> service account -> workload, service -> proof
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from chatbot_operator import backoff, ports
from chatbot_operator.chatbot import FINALIZER, Chatbot
from chatbot_operator.errors import Blind, Denied, Fault, Pending, Stuck, Transient
from chatbot_operator.manifests import Wanted, selector
from chatbot_operator.ports import Object, World
from chatbot_operator.reconcile.audit import audit
from chatbot_operator.reconcile.grant import GRANTS, grant
from chatbot_operator.reconcile.memory import Memory
from chatbot_operator.reconcile.outcome import (
    SUMMARY,
    Again,
    Findings,
    Key,
    audited,
    conditions_of,
    judging,
    publish,
    remembered,
    set_finalizers,
)
from chatbot_operator.reconcile.withdrawal import denial, withdrawal
from chatbot_operator.status import (
    AWAITING_PROOF,
    Condition,
    State,
    because,
    parse,
    stamp,
    summarize,
    transitioned,
    unknown,
)
from chatbot_operator.steps import exposure, injection, proof, scaling, workload
from chatbot_operator.steps.existing import consented
from chatbot_operator.steps.federation import trusted
from chatbot_operator.steps.permission import allowance, capped, permission
from chatbot_operator.steps.prompt import prompted

PATIENCE = 10.0
"""A wait for something that is on its way grows to a tenth of the time it has taken so far …"""
LONGEST_WAIT = 60.0
"""… and to this many seconds at most."""

STALE_ACCOUNT = ("DeploymentNotFound", "AccountNotUsable")


async def up(world: World, chatbot: Chatbot, memory: Memory) -> Again:
    """Make everything as the chatbot says, and publish how it stands.

    First the finalizer, suspended or not, and then at once the rest: whoever takes it off, be it
    over and over, keeps no access by that.
    """
    if FINALIZER not in chatbot.finalizers and not await set_finalizers(
        world, chatbot, [*chatbot.finalizers, FINALIZER]
    ):
        return Again()
    if chatbot.suspended:
        return await _suspend(world, chatbot, memory)
    findings = Findings(facts=remembered(chatbot), watch=world.step)
    fault: Fault | None = None
    try:
        await _steps(world, chatbot, memory, findings)
    except Denied as denied:
        return await _denied(world, chatbot, memory, findings, denied)
    except Fault as raised:
        fault = raised
    if not isinstance(fault, Transient):
        memory.denied.pop(chatbot.uid, None)
    findings.conditions += audited(world, chatbot, findings)
    await publish(world, chatbot, _summary(chatbot, findings, fault), findings.facts)
    return _again(world, chatbot, fault or findings.trouble, served=findings.holds(GRANTS))


async def _denied(
    world: World, chatbot: Chatbot, memory: Memory, findings: Findings, denied: Denied
) -> Again:
    found = denial(chatbot, memory, world.now())
    findings.conditions = [because("Permitted", "False", denied)]
    again = await withdrawal(world, found, memory, findings, denied)
    findings.conditions += audited(world, chatbot, findings)
    conditions = summarize(findings.conditions, stalled=True)
    await publish(world, found.chatbot, conditions, findings.facts)
    return again


async def _steps(world: World, chatbot: Chatbot, memory: Memory, findings: Findings) -> None:
    async with findings.step("Permitted", "Allowed") as said:
        account = await permission(world, chatbot)
        said.append(allowance(account, chatbot))
    chatbot = capped(chatbot, account.limits)
    await _require_prompt(world, chatbot, findings)
    mine = await grant(world, chatbot, account, memory, findings)
    wanted = Wanted(
        chatbot=chatbot,
        identity=mine,
        endpoint=account.endpoint,
        image=chatbot.image or world.installation.image,
        replicas=1,
        daily_tokens=account.limits.tokens_of_a_pod(chatbot.most_pods),
        installation=world.installation,
    )
    served = await _serve(world, wanted, memory, findings)
    if not served.available:
        # The kubelet finds no pod ready before one was answered: not to be said of the workload.
        said_of_it = "The pods run; none is ready before one was answered."
        findings.put(unknown("WorkloadReady", AWAITING_PROOF, said_of_it))
    async with findings.step("AccessProven", "Proven") as said:
        latched = chatbot.recorded.proven_at if served.available else ""
        grants = _grants(world, chatbot, findings)
        proven = proof.judge(served.answers, grants, world.now(), latched=latched)
        findings.facts["provenAt"] = chatbot.recorded.proven_at or proven.at
        said.append("A pod was answered with its own token.")
    if proven.trouble is not None:
        findings.degrade(proven.trouble)
    _require_reached(findings, served)


async def _require_prompt(world: World, chatbot: Chatbot, findings: Findings) -> None:
    """Make nothing for a new chatbot whose prompt is not there; one that serves goes on."""
    if chatbot.recorded.served:
        return
    try:
        async with judging():
            await prompted(world, chatbot)
    except Fault as fault:
        findings.put(because("IdentityReady", "False", fault))
        raise


@dataclass(frozen=True, slots=True)
class _Served:
    """Pods that are available, what pods answer, and the fault that keeps visitors from them."""

    available: int
    answers: list[ports.Readiness]
    unreached: Fault | None


def _require_reached(findings: Findings, served: _Served) -> None:
    """Wait until visitors come to a pod: the kubelet sees a proof a few seconds later.

    Whatever keeps visitors away kept nobody from proving the pods first.
    """
    fault = served.unreached
    if not served.available:
        fault = Pending("PodsStarting", "Proven; the Service is about to lead to the pod.")
    if fault is not None:
        state: State = "Unknown" if isinstance(fault, Pending) else "False"
        findings.put(because("WorkloadReady", state, fault))
        raise fault


async def _serve(world: World, wanted: Wanted, memory: Memory, findings: Findings) -> _Served:
    """Run the pods and lead visitors to them."""
    async with findings.step("WorkloadReady", "PodsRun") as said:
        borne: list[Fault] = []
        chatbot = await prompted(world, wanted.chatbot)
        wanted = replace(wanted, chatbot=chatbot)
        since = findings.facts.get("grantedAt", {}).get("credential") or stamp(world.now())
        await workload.configure(world, wanted, credential_since=since, borne=borne)
        wanted = replace(wanted, replicas=await scaling.replicas(world, chatbot))
        deployment, service = await workload.run(world, wanted, borne=borne)
        await scaling.scale(world, chatbot, borne=borne)
        for fault in borne:
            findings.degrade(fault)
        unreached = await _expose(world, chatbot, service)
        pods = await workload.pods(world, chatbot)
        answers = await proof.ask(world, pods)
        strange = workload.foreign(wanted, deployment, pods)
        await audit(world, chatbot, memory, findings, foreign=strange, answers=answers)
        await injection.restart(world, chatbot, pods, answers, memory.restarted)
        status = deployment.get("status", {})
        available: int = status.get("availableReplicas", 0)
        findings.facts |= {
            "url": exposure.url(chatbot, service),
            "replicas": status.get("replicas", 0),
            "pods": f"{available}/{_asked(chatbot, deployment)}",
            "selector": ",".join(f"{k}={v}" for k, v in selector(chatbot.name).items()),
            "resolved": {
                **findings.facts.get("resolved", {}),
                "endpoint": wanted.endpoint,
                "image": wanted.image,
            },
        }
        said.append(workload.judge(deployment, pods, answers))
        said.extend(filter(None, [exposure.hint(chatbot, world.installation)]))
    return _Served(available, answers, unreached)


async def _expose(world: World, chatbot: Chatbot, service: Object) -> Fault | None:
    """Lead visitors to the Service; give what keeps them away until somebody or something acts."""
    try:
        async with judging():
            route = await exposure.expose(world, chatbot)
        exposure.judge(chatbot, service, route)
    except (Stuck, Pending) as fault:
        return fault
    return None


def _asked(chatbot: Chatbot, deployment: ports.Object) -> int:
    """Tell how many pods should run: as the chatbot says, or as its autoscaler has decided."""
    decided: int = deployment["spec"]["replicas"]
    return decided if chatbot.autoscaling else chatbot.replicas


async def _suspend(world: World, chatbot: Chatbot, memory: Memory) -> Again:
    """Leave everything as it is, but for what the account does not consent to any more."""
    said = "The operator writes nothing while spec.suspend is true."
    findings, again = Findings(facts=remembered(chatbot), watch=world.step), Again()
    try:
        async with findings.step("Permitted", "Allowed") as allowed:
            account = await permission(world, chatbot)
            if chatbot.existing:
                # A tag in Azure rings nobody.
                await consented(world, chatbot, account)
                again = Again(seconds=backoff.phase(chatbot.uid, world.installation.resync))
            allowed.append(allowance(account, chatbot))
    except Denied as denied:
        found = denial(chatbot, memory, world.now())
        again = await withdrawal(world, found, memory, findings, denied)
        chatbot = found.chatbot
    except Fault as fault:
        again = Again(seconds=fault.retry_after, failed=True, fault=fault)
    else:
        memory.denied.pop(chatbot.uid, None)
    before = {c.type: c for c in conditions_of(chatbot) if c.type not in SUMMARY}
    before |= {c.type: c for c in findings.conditions}
    await publish(
        world, chatbot, [unknown("Ready", "Suspended", said), *before.values()], findings.facts
    )
    return again


def _summary(chatbot: Chatbot, findings: Findings, fault: Fault | None) -> list[Condition]:
    """Sum up a pass.

    A cluster that cannot be asked says nothing about a chatbot that works: what was known stays,
    and Degraded says what could not be looked at.
    """
    known = chatbot.status.get("observedGeneration") == chatbot.generation
    works = known and transitioned(chatbot.status, "Ready", "True") is not None
    if isinstance(fault, Transient) and fault.unseen and works:
        kept = [c for c in conditions_of(chatbot) if c.type != "Degraded"]
        return [*kept, because("Degraded", "True", fault)]
    return summarize(findings.conditions, stalled=isinstance(fault, Stuck | Blind))


def _again(world: World, chatbot: Chatbot, fault: Fault | None, *, served: bool) -> Again:
    """Tell when to look again; `served`: Azure holds all it should, so the fault is the pods'."""
    installation = world.installation
    if fault is None:
        just_proven = not chatbot.recorded.proven_at
        rest = backoff.phase(chatbot.uid, installation.proof_recheck)
        return Again(seconds=0 if just_proven else rest)
    if isinstance(fault, Pending):
        return Again(seconds=fault.retry_after or _patience(world, chatbot), fault=fault)
    if isinstance(fault, Stuck) and served:
        # The cluster tells when pods change, which a backoff would keep from being heard.
        return Again(seconds=LONGEST_WAIT, fault=fault)
    stale = fault.reason in STALE_ACCOUNT
    account = Key(ports.ACCOUNTS, "", chatbot.account)
    also = (account,) if stale else ()
    return Again(seconds=fault.retry_after, failed=True, fault=fault, also=also)


def _patience(world: World, chatbot: Chatbot) -> float:
    """Give the seconds to wait for something on its way: the longer it takes, the longer."""
    since = transitioned(chatbot.status, "Ready", "Unknown")
    waited = (world.now() - since).total_seconds() if since else 0.0
    return max(world.installation.proof_poll, min(LONGEST_WAIT, waited / PATIENCE))


def _grants(world: World, chatbot: Chatbot, findings: Findings) -> proof.Grants:
    granted, now = findings.facts.get("grantedAt", {}), world.now()
    return proof.Grants(
        role=min(now, parse(granted.get("role", stamp(now)))),
        federation=min(now, parse(granted.get("credential", stamp(now)))),
        deadline=dt.timedelta(seconds=world.installation.propagation_deadline),
        credential=trusted(chatbot, world.installation),
    )
