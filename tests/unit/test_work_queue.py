"""The queue of keys, in virtual time: nothing is lost, nothing is done twice at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from chatbot_operator.work_queue import Wait, WorkQueue
from hypothesis import given, settings
from hypothesis import strategies as st
from unit import virtual

DONE = Wait(None, failed=False)
FAILED = Wait(None, failed=True)


@dataclass
class Passes:
    """Makes passes that take `seconds`, end as `outcomes` say (the last for ever), and are noted."""

    seconds: float = 0.0
    outcomes: list[Wait] = field(default_factory=lambda: [DONE])
    begun: list[tuple[str, float]] = field(default_factory=list)
    ended: list[tuple[str, float, float]] = field(default_factory=list)

    async def make(self, key):
        start = now()
        self.begun.append((key, start))
        await asyncio.sleep(self.seconds)
        self.ended.append((key, start, now()))
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]

    def times(self, key="a"):
        return [time for one, time in self.begun if one == key]


def now():
    return asyncio.get_running_loop().time()


def simulate(passes, script, *, workers=3):
    """Run a queue with workers while the script runs, then end the workers."""

    async def main():
        queue = WorkQueue(passes.make, time=now, random=lambda: 0.0)
        tasks = [asyncio.create_task(queue.work()) for _ in range(workers)]
        await script(queue)
        await end(tasks)

    virtual.run(main())


async def end(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=1)
    assert all(task.cancelled() for task in tasks)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_a_key_added_often_gets_one_pass():
    passes = Passes()

    async def script(queue):
        for _ in range(10):
            await queue.add("a")
        await asyncio.sleep(100)

    simulate(passes, script)
    assert passes.times() == [0]


def test_a_key_is_never_in_two_hands():
    passes = Passes(seconds=10)

    async def script(queue):
        for _ in range(50):
            await queue.add("a")
            await asyncio.sleep(1)
        await asyncio.sleep(100)

    simulate(passes, script)
    assert passes.times() == [0, 10, 20, 30, 40, 50]


def test_a_key_added_while_its_pass_runs_gets_another():
    passes = Passes(seconds=10)

    async def script(queue):
        await queue.add("a")
        await asyncio.sleep(5)
        await queue.add("a")
        await asyncio.sleep(100)

    simulate(passes, script)
    assert passes.times() == [0, 10]


def test_keys_run_side_by_side_up_to_the_number_of_workers():
    passes = Passes(seconds=10)

    async def script(queue):
        for key in "abcde":
            await queue.add(key)
        await asyncio.sleep(100)

    simulate(passes, script, workers=2)
    assert passes.begun == [("a", 0), ("b", 0), ("c", 10), ("d", 10), ("e", 20)]


def test_failures_wait_longer_and_longer_and_a_success_forgets_them():
    passes = Passes(outcomes=[FAILED] * 4 + [DONE, FAILED, DONE])

    async def script(queue):
        await queue.add("a")
        await asyncio.sleep(100)
        await queue.add("a")
        await asyncio.sleep(100)

    simulate(passes, script)
    assert passes.times() == pytest.approx([0, 1, 3, 7, 15, 100, 101])


def test_a_failure_waits_as_long_as_azure_asks():
    passes = Passes(outcomes=[Wait(60, failed=True), DONE])

    async def script(queue):
        await queue.add("a")
        await asyncio.sleep(100)

    simulate(passes, script)
    assert passes.times() == pytest.approx([0, 60])


def test_a_pass_may_ask_for_the_next_one_and_does_not_back_off():
    passes = Passes(outcomes=[Wait(2, failed=False)] * 5 + [DONE])

    async def script(queue):
        await queue.add("a")
        await asyncio.sleep(100)

    simulate(passes, script)
    assert passes.times() == pytest.approx([0, 2, 4, 6, 8, 10])


def test_the_earlier_of_two_plans_counts_once():
    passes = Passes()

    async def script(queue):
        await queue.add("a", after=300)
        await queue.add("a", after=5)
        await queue.add("a", after=100)
        await asyncio.sleep(1000)

    simulate(passes, script)
    assert passes.times() == pytest.approx([5])


def test_an_event_does_not_wait_for_a_key_that_backs_off():
    passes = Passes(outcomes=[Wait(600, failed=True), DONE])

    async def script(queue):
        await queue.add("a")
        await asyncio.sleep(10)
        await queue.add("a")
        await asyncio.sleep(1000)

    simulate(passes, script)
    assert passes.times() == pytest.approx([0, 10])


def test_it_is_idle_when_nothing_runs_and_nothing_is_due():
    passes = Passes(seconds=10, outcomes=[Wait(50, failed=False), DONE])
    seen = []

    async def script(queue):
        seen.append(queue.idle())
        await queue.add("a")
        seen.append(queue.idle())
        for _ in range(3):
            await asyncio.sleep(9)
            seen.append(queue.idle())

    simulate(passes, script)
    assert seen == [True, False, False, True, True]


@pytest.mark.parametrize("turns", range(15))
@pytest.mark.parametrize("moment", ["woken", "woken from a plan", "due"])
def test_workers_end_when_cancelled_at_any_moment(turns, moment):
    async def script(queue):
        if moment != "woken":
            await queue.add("later", after=10)
        await asyncio.sleep(10 if moment == "due" else 1)
        if moment != "due":
            await queue.add("a")
        for _ in range(turns):
            await asyncio.sleep(0)

    simulate(Passes(seconds=1), script)


ADDS = st.tuples(
    st.sampled_from([0.0, 0.5, 3.0, 20.0]),  # seconds since the one before
    st.sampled_from("abc"),
    st.sampled_from([0.0, 0.0, 1.0, 15.0]),  # planned so many seconds ahead
)
OUTCOMES = st.sampled_from([DONE, DONE, FAILED, Wait(4, failed=False), Wait(9, failed=True)])


@settings(max_examples=200)
@given(
    st.lists(ADDS, max_size=25),
    st.sampled_from([0.0, 0.5, 7.0]),
    st.lists(OUTCOMES, max_size=20),
)
def test_every_event_is_followed_by_a_pass_that_begins_after_it(adds, seconds, outcomes):
    passes = Passes(seconds=seconds, outcomes=[*outcomes, DONE])
    added = []

    async def script(queue):
        for gap, key, after in adds:
            await asyncio.sleep(gap)
            added.append((key, now(), now() + after))
            await queue.add(key, after=after)
        await asyncio.sleep(100_000)
        assert queue.idle()

    simulate(passes, script)
    for key, at, due in added:
        mine = [(start, stop) for one, start, stop in passes.ended if one == key]
        latest = max([due, *(stop for start, stop in mine if start <= due <= stop)])
        assert any(at <= start <= latest + 1e-6 for start, _ in mine)
    for key in "abc":
        mine = sorted((start, stop) for one, start, stop in passes.ended if one == key)
        assert all(one[1] <= other[0] for one, other in pairwise(mine))
