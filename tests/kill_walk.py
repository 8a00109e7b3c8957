"""Runs that are stopped after each of their writes in turn, and what is left of them."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from chatbot_operator.ports import CHATBOTS
from cluster_world import AzureHand, Hand, Operator, key
from fuse import Fuse, fused

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


async def cut_off(work: Any, fuse: Fuse) -> None:
    """Let work run to its end, or into the fuse; whatever it raises is forgotten."""
    task, stopped = asyncio.create_task(work), asyncio.create_task(fuse.stopped.wait())
    await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    stopped.cancel()


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
