"""The operator's own passes, over a world in which nothing is written, until they come to rest.

What plans is what acts: `reconcile` itself, so that a plan cannot say anything else.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.cli.plan import azure_reads, cluster
from chatbot_operator.cli.plan.azure import AzureShelf, RehearsedAzure
from chatbot_operator.cli.plan.by_hand import follow
from chatbot_operator.cli.plan.cluster import ClusterShelf, RehearsedCluster
from chatbot_operator.cli.plan.record import Record
from chatbot_operator.errors import Denied, Fault
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, Installation, Object, Readiness, World
from chatbot_operator.reconcile import Again, Key, Memory, reconcile
from chatbot_operator.reconcile.memory import Audit
from chatbot_operator.status import stamp

ROUNDS: Final = 20
"""More than any chatbot needs: what goes on after these does not come to rest."""
AT_ONCE: Final = 8
"""Passes at the same time: a person's share of an API server and of Azure."""
QUIET_SECONDS: Final = 120.0
"""After so long in which nothing happens what only waits is taken to wait on."""
RETRY: Final = 30.0
_LONG_AGO: Final = dt.datetime.fromtimestamp(0, dt.UTC)


@dataclass
class Clock:
    """The time of day of a rehearsal, which goes on without anybody waiting."""

    time: dt.datetime

    def __call__(self) -> dt.datetime:
        """Give the present."""
        return self.time


@dataclass(frozen=True, slots=True)
class Answering:
    """The Pods port: every pod was answered."""

    now: Clock

    async def readiness(self, address: str) -> Readiness | None:
        """Answer as a proven pod does."""
        del address
        return Readiness("Proven", "Rehearsed.", stamp(self.now()))


@dataclass
class Part:
    """What came of the passes over one object: its record, and the fault that they end at.

    `quiet` tells since when nothing happens; `before` and `after` are the object itself; `account`
    is the one that a chatbot names.
    """

    key: Key
    record: Record = field(default_factory=Record)
    fault: Fault | None = None
    rests: bool = False
    quiet: dt.datetime | None = None
    before: Object | None = None
    after: Object | None = None
    account: Object | None = None


@dataclass
class Rehearsal:
    """A run of the operator in which nothing is written; `kubectl` spells commands for people."""

    cluster: cluster.Reads
    azure: azure_reads.Reads
    installation: Installation
    clock: Clock
    kubectl: Callable[..., str]
    shelf: ClusterShelf = field(default_factory=ClusterShelf)
    in_azure: AzureShelf = field(default_factory=AzureShelf)
    memory: Memory = field(default_factory=Memory)
    undone: dict[str, str] = field(default_factory=dict)
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def kubernetes(self, record: Record) -> RehearsedCluster:
        """Give the cluster, whose writes go to a record."""
        return RehearsedCluster(self.cluster, self.shelf, record)

    def doubt(self, uid: str) -> None:
        """Have all of a chatbot read anew, whatever its status says."""
        self.memory.granted[uid] = None
        self.memory.audits[uid] = Audit((), _LONG_AGO)

    async def run(self, keys: Iterable[Key]) -> list[Part]:
        """Make passes over some objects, in rounds, until nothing more is asked for soon.

        All make one pass before any makes the next: who loses access at once is counted together.
        """
        parts = [Part(key) for key in keys]
        for part in parts:
            part.before = await self._body(part.key)
        for _ in range(ROUNDS):
            moving = [part for part in parts if not part.rests]
            if not moving:
                break
            waits = await asyncio.gather(*map(self._turn, moving))
            soon = [wait for part, wait in zip(moving, waits, strict=True) if not part.rests]
            least = QUIET_SECONDS if all(part.quiet for part in moving) else 0.0
            self.clock.time += dt.timedelta(seconds=max(least, min(soon, default=0.0)))
        for part in parts:
            part.after = await self._body(part.key)
            part.account = await self._account(part.key, part.after)
        return parts

    async def _turn(self, part: Part) -> float:
        """Make one pass; give the seconds until the next."""
        async with self._turns:
            stirred = part.record.stirred
            again = await reconcile(self._world(part.record), part.key, memory=self.memory)
            part.fault = again.fault
            if await self._helped(part, again):
                return 0.0
            still = part.record.stirred == stirred
            part.quiet = (part.quiet or self.clock()) if still else None
            part.rests = self._rests(part, again)
            return again.seconds or (RETRY if again.failed else 0.0)

    def _rests(self, part: Part, again: Again) -> bool:
        """Tell whether nothing more happens; what waits for a time to pass is waited for."""
        if part.quiet is None or again.fault is None or again.failed:
            return part.quiet is not None
        grace = self.installation.withdrawal_grace if isinstance(again.fault, Denied) else 0.0
        return self.clock() - part.quiet > dt.timedelta(seconds=max(grace, QUIET_SECONDS))

    async def _helped(self, part: Part, again: Again) -> bool:
        """Do what others than the operator have to do for it to go on."""
        fault = again.fault
        if fault is None or part.key.resource != CHATBOTS:
            return False
        chatbot, account = await self._both(part.key)
        if chatbot is None or account is None:
            return False
        if fault.reason == "AccountChecking" and account.uid not in self.memory.examined:
            key = Key(ACCOUNTS, "", account.name)
            await reconcile(self._world(Record()), key, memory=self.memory)
            return account.uid in self.memory.examined
        azure = self._azure(part.record)
        return await follow(azure, chatbot, account, self.installation, fault, kubectl=self.kubectl)

    async def _both(self, key: Key) -> tuple[Chatbot | None, Account | None]:
        body = await self._body(key)
        account = await self._account(key, body)
        return Chatbot.parse(body) if body else None, Account.parse(account) if account else None

    async def _account(self, key: Key, body: Object | None) -> Object | None:
        """Give an account itself, or the one that a chatbot names."""
        if body is None or key.resource == ACCOUNTS:
            return body
        return await self._body(Key(ACCOUNTS, "", body["spec"]["openAI"]["account"]))

    async def _body(self, key: Key) -> Object | None:
        return await self.kubernetes(Record()).get(key.resource, key.namespace, key.name)

    def _azure(self, record: Record) -> RehearsedAzure:
        return RehearsedAzure(self.azure, self.in_azure, record, self.installation.tenant_id)

    def _world(self, record: Record) -> World:
        return World(
            kubernetes=self.kubernetes(record),
            azure=self._azure(record),
            pods=Answering(self.clock),
            now=self.clock,
            installation=self.installation,
            undone=self.undone,
        )
