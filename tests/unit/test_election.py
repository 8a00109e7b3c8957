"""The election in virtual time: candidates with clocks of their own, one Lease, calls that fail."""

from __future__ import annotations

import asyncio
import copy
from dataclasses import dataclass, field

from chatbot_operator.election import LEASE_SECONDS, RENEW_SECONDS, Claim, Sight, lease
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.kube.lease import Election
from unit import virtual

CONFLICT = KubernetesRefusal("PUT lease", 409, "Conflict", "")
GONE = KubernetesRefusal("PUT lease", 404, "NotFound", "")


@dataclass
class Server:
    """Keeps the one Lease; while it `hangs`, no call ends."""

    lease: dict | None = None
    version: int = 0
    hangs: bool = False
    loses_answers: bool = False

    async def get(self, *_where):
        await self._reach()
        return copy.deepcopy(self.lease)

    async def create(self, _resource, manifest):
        await self._reach()
        if self.lease is not None:
            raise CONFLICT
        return await self._keep(manifest)

    async def replace(self, _resource, manifest):
        await self._reach()
        if self.lease is None:
            raise GONE
        if manifest["metadata"]["resourceVersion"] != str(self.version):
            raise CONFLICT
        return await self._keep(manifest)

    async def _reach(self):
        if self.hangs:
            await asyncio.sleep(3600)

    async def _keep(self, manifest):
        self.version += 1
        self.lease = copy.deepcopy(manifest)
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        if self.loses_answers:
            await asyncio.sleep(3600)
        return copy.deepcopy(self.lease)

    @property
    def holder(self):
        return self.lease["spec"]["holderIdentity"] if self.lease else ""


@dataclass
class Candidate:
    """A process that takes part; it ends when its term does, as a real one."""

    server: Server
    name: str
    skew: float = 0.0
    until: float = 0.0
    won: float | None = None
    lost: float | None = None
    tasks: list = field(default_factory=list)

    def __post_init__(self) -> None:
        clock = lambda: now() + self.skew  # noqa: E731
        self.election = Election(self.server, self, "home", self.name, clock, lambda: 0.5)
        self.tasks = [asyncio.create_task(self.live()), asyncio.create_task(self.watch())]

    async def live(self):
        await self.election.win()
        self.won = now()
        await self.election.keep()

    async def watch(self):
        while not self.until or now() < self.until:
            await asyncio.sleep(0.05)
        self.lose()

    def renew(self, until):
        self.until = until - self.skew

    def lose(self):
        self.lost = now()
        self.kill()

    def kill(self):
        for task in self.tasks:
            task.cancel()


def now():
    return asyncio.get_running_loop().time()


def play(script):
    async def main():
        server = Server()
        candidates = [Candidate(server, "a", skew=86400.0)]
        await asyncio.sleep(1)
        candidates.append(Candidate(server, "b", skew=-5.0))
        await asyncio.sleep(60)
        assert (server.holder, candidates[1].won) == ("a", None)
        await script(server, *candidates)
        for each in candidates:
            each.kill()

    virtual.run(main())


def test_clocks_that_differ_by_a_day_do_not_matter():
    async def script(server, a, b):
        await asyncio.sleep(600)
        assert (a.lost, b.won) == (None, None)

    play(script)


def test_a_dead_holder_is_followed_within_the_lease_and_a_retry():
    async def script(server, a, b):
        a.kill()
        died = now()
        await asyncio.sleep(20)
        assert LEASE_SECONDS - 2 <= b.won - died <= 18
        assert server.lease["spec"]["leaseTransitions"] == 1

    play(script)


def test_whoever_cannot_renew_ends_before_another_may_begin():
    async def script(server, a, b):
        a.election.objects = Server(hangs=True)
        cut = now()
        await asyncio.sleep(20)
        assert a.lost - cut <= RENEW_SECONDS + 0.1
        assert b.won - a.lost >= LEASE_SECONDS - RENEW_SECONDS - 0.2

    play(script)


def test_an_outage_shorter_than_the_deadline_changes_nothing():
    async def script(server, a, b):
        server.hangs = True
        await asyncio.sleep(6)
        server.hangs = False
        await asyncio.sleep(60)
        assert (server.holder, a.lost, b.won) == ("a", None, None)

    play(script)


def test_a_renewal_whose_answer_is_lost_is_found_to_be_our_own():
    async def script(server, a, b):
        server.loses_answers = True
        await asyncio.sleep(4)
        server.loses_answers = False
        await asyncio.sleep(60)
        assert (server.holder, a.lost, b.won) == ("a", None, None)

    play(script)


def test_a_lease_given_back_is_taken_at_the_next_look():
    async def script(server, a, b):
        a.kill()
        await a.election.give_back()
        given = now()
        await asyncio.sleep(5)
        assert b.won - given <= 2.1

    play(script)


def test_a_holder_that_finds_another_name_ends_at_once():
    async def script(server, a, b):
        b.kill()
        server.version += 1
        server.lease["metadata"]["resourceVersion"] = str(server.version)
        server.lease["spec"]["holderIdentity"] = "c"
        taken = now()
        await asyncio.sleep(3)
        assert a.lost - taken <= 2.1

    play(script)


def test_a_lease_deleted_by_hand_frees_nobody_else():
    async def script(server, a, b):
        server.lease = None
        await asyncio.sleep(60)
        assert (server.holder, a.lost, b.won) == ("a", None, None)

    play(script)


def test_a_lease_without_a_word_in_it_may_be_taken():
    claim = Claim.parse({"metadata": {"resourceVersion": "7"}})
    assert Sight(claim, since=100.0).free_in("a", now=100.0) == 0.0


def test_a_lease_that_changes_is_waited_for_anew():
    first, second = (Claim(version, "b", 15.0, 0) for version in ("1", "2"))
    sight = Sight(first, since=100.0)
    assert sight.then(first, 110.0).free_in("a", 110.0) == 5.0
    assert sight.then(second, 110.0).free_in("a", 110.0) == 15.0


def test_what_is_given_back_keeps_nobody_waiting_and_is_no_change_of_hands():
    body = lease("home", "x", "", at="2026-01-31T12:00:00Z", before=Claim("7", "a", 15.0, 3))
    assert body["spec"]["leaseTransitions"] == 3
    assert body["spec"]["holderIdentity"] == ""
    assert body["metadata"]["resourceVersion"] == "7"
