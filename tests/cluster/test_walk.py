"""The kill walk: stop the operator after each of its writes in turn, and compare.

A run that was cut off after any write, or that lost the answer to it, and went on with an empty
memory, must end where an undisturbed run ends, with nothing made twice and nothing left behind
(https://www.usenix.org/conference/osdi22/presentation/sun, intermediate states).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest
from chatbot_operator import ports
from chatbot_operator.ports import ACCOUNTS, CHATBOTS
from chatbot_operator.reconcile import Key
from cluster_world import AzureHand, Hand, Operator, account, chatbot, key
from fuse import WRITES, Fuse, fused

AT_ONCE = 3
"""Runs at the same time, each in a namespace of its own: most of a run is waiting."""

TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
HASHES = re.compile(r'("chatbot-operator.dev/(?:intent|template)": )"[0-9a-f]+"')
SERVERS = ("resourceVersion", "uid", "creationTimestamp", "managedFields")


@dataclass
class Walk:
    """Runs of one scenario."""

    operator: Operator
    hand: Hand
    azure: AzureHand
    audit: Any

    def run(self, fuse: Fuse) -> Operator:
        """An operator that has just started, with an empty memory, behind a fuse."""
        return Operator(fused(self.operator.world, fuse), self.hand)

    async def namespace(self) -> str:
        name = f"w-{uuid4().hex[:8]}"
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await self.hand.api.post("/api/v1/namespaces", namespace)
        return name

    async def until_stopped(self, operator: Operator, namespace: str, fuse: Fuse) -> bool:
        """Let it run into the fuse; False when it came to rest before."""
        work = asyncio.create_task(operator.settle(key(namespace)))
        stopped = asyncio.create_task(fuse.stopped.wait())
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
        await asyncio.gather(work, return_exceptions=fuse.stopped.is_set())
        stopped.cancel()
        return fuse.stopped.is_set()

    async def disturbed(self, namespace: str, at: int, *, lost: bool) -> None:
        """Run into the fuse, then start anew and come to rest."""
        fuse = Fuse(at, lost=lost)
        await self.until_stopped(self.run(fuse), namespace, fuse)
        await self.run(Fuse()).settle(key(namespace))

    async def outcome(self, namespace: str) -> Any:
        """Everything there is of the chatbot, with what differs between any two runs left out."""
        live = await self.hand.get(CHATBOTS, namespace)
        children = await self.hand.children(namespace)
        identity = await self.azure.identity(namespace)
        assignments = await self.azure.assignments(identity["principal_id"])
        bound = [{**a, "name": "", "created_on": 0, "updated_on": 0} for a in assignments]
        whole = {
            "chatbot": bare(live),
            "children": {kind: bare(child) for kind, child in children.items()},
            "identity": {**identity, "created_on": 0},
            "assignments": bound,
            "left": len(await self.azure.described(namespace)),
        }
        names = {
            live["metadata"]["uid"]: "UID",
            identity["name"]: "IDENTITY",
            identity["client_id"]: "CLIENT",
            identity["principal_id"]: "PRINCIPAL",
            namespace: "NAMESPACE",
        }
        text = json.dumps(whole, sort_keys=True)
        for found, put in names.items():
            text = text.replace(found, put)
        return json.loads(HASHES.sub(r'\1""', TIMES.sub("TIME", text)))

    async def nothing(self, namespace: str) -> None:
        """Nothing is left of the chatbot, neither here nor there."""
        assert await self.hand.get(CHATBOTS, namespace) is None
        assert await self.hand.children(namespace) == {}
        assert await self.azure.identities(namespace) == []
        assert await self.azure.described(namespace) == []

    async def made(self, namespace: str, ledger: int, log: Any) -> Counter[str]:
        """How often each thing was created."""
        counted = Counter(
            f"{e['objectRef']['resource']}/{e['objectRef']['name']}"
            for e in self.audit.writes(log, namespace)
            if e["responseStatus"]["code"] == 201 and e["objectRef"]["resource"] != "events"
        )
        principals = [i["principal_id"] for i in await self.azure.identities(namespace)]
        held = {a["name"] for p in principals for a in await self.azure.assignments(p)}
        for entry in await self.azure.writes(ledger):
            last = entry["path"].rpartition("/")[2]
            about = f"/cb-{namespace}-" in entry["path"] or last in held
            if about and entry["method"] == "PUT" and entry["status"] == 201:
                counted[last.replace(namespace, "NAMESPACE") if last not in held else "role"] += 1
        return counted


def bare(live: Any) -> Any:
    """An object without what the API server and its controllers write into it."""
    metadata = {k: v for k, v in live["metadata"].items() if k not in SERVERS}
    spec = {k: v for k, v in live.get("spec", {}).items() if not k.startswith("clusterIP")}
    kept = live.get("status", {}) if live["kind"] == CHATBOTS.kind else {}
    rest = {k: v for k, v in live.items() if k not in {"metadata", "spec", "status"}}
    return {**rest, "metadata": metadata, "spec": spec, "status": kept}


async def each(
    walk: Walk, count: int, disturb: Any, *, ways: tuple[bool, ...] = (False, True)
) -> None:
    """Disturb every write in turn, in each way; fails with the list of all that went wrong."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(at: int, *, lost: bool) -> str | None:
        async with gate:
            try:
                await disturb(at, lost=lost)
            except Exception as error:  # noqa: BLE001  collected, to show all of them at once
                how = "answer lost" if lost else "stopped"
                return f"{how} at write {at}: {type(error).__name__} {error}"
        return None

    runs = [one(at, lost=lost) for at in range(1, count + 1) for lost in ways]
    wrong = list(filter(None, await asyncio.gather(*runs)))
    assert not wrong, "\n".join(wrong)


@pytest.fixture
def walk(operator, hand, azure, audit):
    return Walk(operator, hand, azure, audit)


WANTED = {"chat": {"systemPrompt": "Be kind."}}


async def undisturbed(walk: Walk) -> tuple[str, list[str]]:
    """A chatbot made without disturbance: its namespace and the writes it took."""
    namespace, fuse = await walk.namespace(), Fuse()
    await walk.hand.create(chatbot(namespace, **WANTED))
    await walk.run(fuse).settle(key(namespace))
    return namespace, fuse.writes


CHANGE = {
    "spec": {
        "chat": {"systemPrompt": "Be brief."},
        "openAI": {"deployment": "gpt-4o-mini", "temperature": 0.5},
        "service": {"port": 8081},
    }
}


async def test_a_life_cut_off_after_any_write_goes_and_ends_like_an_undisturbed_one(walk):
    reference, writes = await undisturbed(walk)
    made = await walk.outcome(reference)
    assert {"put_identity", "put_assignment", "put_credential"} <= set(writes)
    fuse = Fuse()
    await walk.hand.edit(CHATBOTS, reference, CHANGE)
    await walk.run(fuse).settle(key(reference))
    changed = await walk.outcome(reference)
    fuse = Fuse()
    await walk.hand.delete(CHATBOTS, reference)
    await walk.run(fuse).settle(key(reference))
    await walk.nothing(reference)
    assert {"delete_identity", "delete_assignment"} <= set(fuse.writes)

    async def disturb(at, *, lost):
        namespace = await walk.namespace()
        ledger, log = await walk.azure.mark(), walk.audit.mark()
        await walk.hand.create(chatbot(namespace, **WANTED))
        await walk.disturbed(namespace, at, lost=lost)
        assert await walk.outcome(namespace) == made
        await walk.hand.edit(CHATBOTS, namespace, CHANGE)
        await walk.disturbed(namespace, at, lost=lost)
        assert await walk.outcome(namespace) == changed
        counted = await walk.made(namespace, ledger, log)
        assert len(counted) == 8, counted
        assert set(counted.values()) == {1}, counted
        await walk.hand.delete(CHATBOTS, namespace)
        await walk.disturbed(namespace, at, lost=lost)
        await walk.nothing(namespace)

    await each(walk, max(len(writes), len(fuse.writes)), disturb)


async def test_a_chatbot_taken_away_while_it_was_being_made_leaves_nothing_behind(walk):
    _, writes = await undisturbed(walk)

    async def disturb(at, *, lost):
        namespace, fuse = await walk.namespace(), Fuse(at, lost=lost)
        await walk.hand.create(chatbot(namespace, **WANTED))
        await walk.until_stopped(walk.run(fuse), namespace, fuse)
        await walk.hand.delete(CHATBOTS, namespace)
        await walk.run(Fuse()).settle(key(namespace))
        await walk.nothing(namespace)

    await each(walk, len(writes), disturb)


async def test_a_retained_identity_is_marked_wherever_the_deletion_was_cut_off(walk):
    async def retained():
        namespace = await walk.namespace()
        await walk.hand.create(chatbot(namespace, deletionPolicy="Retain"))
        await walk.run(Fuse()).settle(key(namespace))
        await walk.hand.delete(CHATBOTS, namespace)
        return namespace

    reference, fuse = await retained(), Fuse()
    await walk.run(fuse).settle(key(reference))

    async def disturb(at, *, lost):
        namespace = await retained()
        await walk.disturbed(namespace, at, lost=lost)
        kept = await walk.azure.identity(namespace)
        assert kept["tags"]["chatbot-operator-retained"] == "true"
        assert len(kept["credentials"]) == 1
        assert await walk.azure.described(namespace) == []
        assert await walk.hand.children(namespace) == {}

    await each(walk, len(fuse.writes), disturb, ways=(False,))


async def test_a_withdrawal_and_a_new_permission_end_alike_wherever_they_were_cut_off(walk):
    at_once = replace(walk.operator.world.installation, withdrawal_grace=0)
    walk.operator.world = replace(walk.operator.world, installation=at_once)

    async def working():
        namespace = await walk.namespace()
        await walk.hand.create(account(namespace))
        await walk.run(Fuse()).look(Key(ACCOUNTS, "", namespace))
        await walk.hand.create(chatbot(namespace, account=namespace))
        await walk.run(Fuse()).settle(key(namespace))
        return namespace

    async def allow(namespace, *, all_):
        allowed = {"allowedNamespaces": {"all": True} if all_ else None}
        await walk.hand.edit(ACCOUNTS, "", {"spec": allowed}, namespace)

    async def denied_to_the_end(operator, namespace):
        while (await operator.look(key(namespace))).failed or not await withdrawn(namespace):
            await asyncio.sleep(0)

    async def withdrawn(namespace):
        role = (await walk.hand.conditions(namespace))["RoleAssigned"]
        return role["reason"] == "Withdrawn"

    async def cut_off(work, fuse):
        task, stopped = asyncio.create_task(work), asyncio.create_task(fuse.stopped.wait())
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        stopped.cancel()

    reference, taking, giving = await working(), Fuse(), Fuse()
    await allow(reference, all_=False)
    await denied_to_the_end(walk.run(taking), reference)
    taken = await walk.outcome(reference)
    await allow(reference, all_=True)
    await walk.run(giving).settle(key(reference))
    given = await walk.outcome(reference)
    assert {"patch Deployment", "delete_assignment"} <= set(taking.writes)
    assert {"apply Deployment", "put_assignment"} <= set(giving.writes)

    async def disturb(at, *, lost):
        namespace, fuse = await working(), Fuse(at, lost=lost)
        await allow(namespace, all_=False)
        await cut_off(denied_to_the_end(walk.run(fuse), namespace), fuse)
        await denied_to_the_end(walk.run(Fuse()), namespace)
        assert await walk.outcome(namespace) == taken
        await allow(namespace, all_=True)
        await walk.disturbed(namespace, at, lost=lost)
        assert await walk.outcome(namespace) == given
        await walk.hand.delete(CHATBOTS, namespace)
        await walk.run(Fuse()).settle(key(namespace))
        await walk.nothing(namespace)
        await walk.hand.delete(ACCOUNTS, "", namespace)

    await each(walk, max(len(taking.writes), len(giving.writes)), disturb)


def test_a_fuse_sees_every_write_of_the_ports():
    reads = {
        "permissions",
        "get",
        "select",
        "account",
        "soft_deleted",
        "identity",
        "identities",
        "credential",
    }
    reads |= {"assignment", "assignments", "assignments_at", "assignments_below", "credentials"}
    methods = {
        name
        for port in (ports.Kubernetes, ports.Azure)
        for name in vars(port)
        if not name.startswith("_")
    }
    assert methods == WRITES | reads | {"event"}, "an event is told, not written: none may miss it"
