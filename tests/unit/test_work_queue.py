"""The queue of keys, in virtual time: nothing is lost, nothing is done twice at once."""

from __future__ import annotations

import asyncio
import gc
import itertools
import weakref
from dataclasses import dataclass, field

import pytest
from chatbot_operator.backoff import delay
from chatbot_operator.work_queue import GAP_SECONDS, Wait, WorkQueue
from hypothesis import given, settings
from hypothesis import strategies as st
from unit import virtual

DONE = Wait(None, failed=False)
FAILED = Wait(None, failed=True)
EPSILON = 1e-6


@dataclass(frozen=True)
class Pass:
    """A pass that was made: `number` is its place among passes and events, `free` when it counts no
    more against an event that is not urgent.
    """

    number: int
    start: float
    stop: float
    outcome: Wait
    free: float


@dataclass
class Passes:
    """Makes passes that take `seconds`, end as `outcomes` say (the last for ever), and are noted."""

    seconds: float = 0.0
    outcomes: list[Wait] = field(default_factory=lambda: [DONE])
    begun: list[tuple[str, float]] = field(default_factory=list)
    ended: dict[str, list[Pass]] = field(default_factory=dict)
    count: itertools.count[int] = field(default_factory=itertools.count)

    async def make(self, key):
        number, start = next(self.count), now()
        self.begun.append((key, start))
        await asyncio.sleep(self.seconds)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        before = self.ended.setdefault(key, [])
        free = now() + self.hold(before, outcome)
        before.append(Pass(number, start, now(), outcome, free))
        return outcome

    def hold(self, before, outcome):
        """How long a pass holds back events that are not urgent."""
        if not outcome.failed:
            return GAP_SECONDS
        failures = itertools.takewhile(lambda one: one.outcome.failed, reversed(before))
        return delay(1 + len(list(failures)), at_least=outcome.seconds or 0.0, random=0.0)

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
    assert all(task.done() for task in tasks)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_a_key_added_often_gets_one_pass():
    passes = Passes()

    async def script(queue):
        for _ in range(10):
            await queue.add("a")
        await asyncio.sleep(100)

    simulate(passes, script)
    assert passes.times() == [0]


URGENCY = pytest.mark.parametrize(("urgent", "gap"), [(True, 0.0), (False, GAP_SECONDS)])


@URGENCY
def test_a_key_is_never_in_two_hands(urgent, gap):
    passes = Passes(seconds=10)

    async def script(queue):
        for _ in range(50):
            await queue.add("a", urgent=urgent)
            await asyncio.sleep(1)
        await asyncio.sleep(100)

    simulate(passes, script)
    assert passes.times() == pytest.approx([n * (10 + gap) for n in range(6)])


@URGENCY
def test_a_key_added_while_its_pass_runs_gets_another(urgent, gap):
    passes = Passes(seconds=10)

    async def script(queue):
        await queue.add("a")
        await asyncio.sleep(5)
        await queue.add("a", urgent=urgent)
        await asyncio.sleep(100)

    simulate(passes, script)
    assert passes.times() == pytest.approx([0, 10 + gap])


@URGENCY
def test_a_key_added_right_after_its_pass_gets_another(urgent, gap):
    passes = Passes(seconds=10)

    async def script(queue):
        await queue.add("a")
        await asyncio.sleep(10.1)
        await queue.add("a", urgent=urgent)
        await asyncio.sleep(100)

    simulate(passes, script)
    assert passes.times() == pytest.approx([0, 10.1 if urgent else 10 + gap])


@pytest.mark.parametrize("urgent", [True, False])
def test_a_key_added_while_its_pass_runs_may_be_meant_for_later(urgent):
    passes = Passes(seconds=10)

    async def script(queue):
        await queue.add("a")
        await asyncio.sleep(5)
        await queue.add("a", urgent=urgent, after=30)
        await asyncio.sleep(100)

    simulate(passes, script)
    assert passes.times() == pytest.approx([0, 35])


def test_one_urgent_event_makes_no_other_urgent():
    passes = Passes(seconds=10)

    async def script(queue):
        await queue.add("a")
        await asyncio.sleep(5)
        await queue.add("a", urgent=True, after=30)
        await queue.add("a")
        await asyncio.sleep(100)

    simulate(passes, script)
    assert passes.times() == pytest.approx([0, 10 + GAP_SECONDS])


def test_a_pass_that_brings_forth_its_own_events_leaves_room_between():
    passes = Passes()

    async def script(queue):
        for _ in range(100):
            await queue.add("a")
            await asyncio.sleep(0.05)
        await asyncio.sleep(100)

    simulate(passes, script)
    assert len(passes.times()) <= 1 + 5 / GAP_SECONDS
    gaps = [later - sooner for sooner, later in itertools.pairwise(passes.times())]
    assert min(gaps) >= GAP_SECONDS - EPSILON


def test_a_pass_may_ask_for_the_next_one_at_once():
    passes = Passes(seconds=1, outcomes=[Wait(0, failed=False)] * 3 + [DONE])

    async def script(queue):
        await queue.add("a")
        await asyncio.sleep(1.5)
        await queue.add("a")
        await asyncio.sleep(100)

    simulate(passes, script)
    assert passes.times() == pytest.approx([0, 1, 2, 3])


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


@pytest.mark.parametrize(("urgent", "next_"), [(True, 10), (False, 600)])
def test_only_an_urgent_event_ends_the_wait_of_a_failed_pass(urgent, next_):
    passes = Passes(outcomes=[Wait(600, failed=True), DONE])

    async def script(queue):
        await queue.add("a")
        await asyncio.sleep(10)
        await queue.add("a", urgent=urgent)
        await asyncio.sleep(1000)

    simulate(passes, script)
    assert passes.times() == pytest.approx([0, next_])


@pytest.mark.parametrize(("urgent", "next_"), [(True, 10), (False, 610)])
def test_only_an_urgent_event_during_a_pass_that_fails_spares_the_wait(urgent, next_):
    passes = Passes(seconds=10, outcomes=[Wait(600, failed=True), DONE])

    async def script(queue):
        await queue.add("a")
        await asyncio.sleep(5)
        await queue.add("a", urgent=urgent)
        await asyncio.sleep(1000)

    simulate(passes, script)
    assert passes.times() == pytest.approx([0, next_])


def test_an_urgent_event_does_not_forget_earlier_failures():
    passes = Passes(outcomes=[FAILED] * 4 + [DONE])

    async def script(queue):
        await queue.add("a")
        await asyncio.sleep(3.5)
        await queue.add("a", urgent=True)
        await asyncio.sleep(100)

    simulate(passes, script)
    assert passes.times() == pytest.approx([0, 1, 3, 3.5, 11.5])


def test_an_event_undercuts_the_rest_of_a_key_that_did_not_fail():
    passes = Passes(outcomes=[Wait(300, failed=False), DONE])

    async def script(queue):
        await queue.add("a")
        await asyncio.sleep(10)
        await queue.add("a")
        await asyncio.sleep(1000)

    simulate(passes, script)
    assert passes.times() == pytest.approx([0, 10])


class Name:
    """A key that tells when nobody remembers it."""


@URGENCY
def test_a_key_that_is_done_with_is_forgotten(urgent, gap):
    remembered = weakref.WeakSet()

    async def pass_(key):
        remembered.add(key)
        return DONE

    async def main():
        queue = WorkQueue(pass_, time=now, random=lambda: 0.0)
        task = asyncio.create_task(queue.work())
        for _ in range(10):
            await queue.add(Name(), urgent=urgent)
        await asyncio.sleep(gap + 1)
        gc.collect()
        assert len(remembered) <= 1, "but for the one in the worker's hand"
        await end([task])

    virtual.run(main())


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
    st.sampled_from([0.0, 0.2, 0.5, 3.0, 20.0]),  # seconds since the one before
    st.sampled_from("abc"),
    st.sampled_from([0.0, 0.0, 1.0, 15.0]),  # planned so many seconds ahead
    st.booleans(),  # urgent
)
OUTCOMES = st.sampled_from(
    [DONE, DONE, FAILED, Wait(0, failed=False), Wait(4, failed=False), Wait(9, failed=True)]
)


@settings(max_examples=300)
@given(
    st.lists(ADDS, max_size=25),
    st.sampled_from([0.0, 0.5, 7.0]),
    st.lists(OUTCOMES, max_size=20),
)
def test_every_event_is_followed_in_time_by_a_pass_and_no_pass_comes_too_soon(
    adds, seconds, outcomes
):
    passes = Passes(seconds=seconds, outcomes=[*outcomes, DONE])
    events = []

    async def script(queue):
        for gap, key, after, urgent in adds:
            await asyncio.sleep(gap)
            due = now() + after
            await queue.add(key, after=after, urgent=urgent)
            events.append((key, Event(next(passes.count), due, urgent)))
        await asyncio.sleep(100_000)

    simulate(passes, script)
    for key in "abc":
        made, asked = passes.ended.get(key, []), [event for one, event in events if one == key]
        assert all(in_time(event, made) for event in asked)
        assert all(in_order(one, next_, asked) for one, next_ in itertools.pairwise(made))


@dataclass(frozen=True)
class Event:
    """A key was added as number `number` of all that happened, for `due`."""

    number: int
    due: float
    urgent: bool


def in_time(event, made):
    """Whether a pass begins after the event, as soon as no earlier one holds it back."""
    held = [one.stop if event.urgent else one.free for one in made if one.number < event.number]
    latest = max([event.due, *held[-1:]])
    return any(event.number < one.number and one.start <= latest + EPSILON for one in made)


def in_order(one, next_, asked):
    """Whether a pass begins after the one before it ended, and not without a reason."""
    time, planned = next_.start + EPSILON, one.outcome.seconds
    asks = planned is not None and not one.outcome.failed and one.stop + planned <= time
    retries = one.outcome.failed and one.free <= time
    events = [e for e in asked if one.number < e.number < next_.number and e.due <= time]
    called = any(event.urgent or one.free <= time for event in events)
    return one.stop <= next_.start and (asks or retries or called)


def test_a_closed_queue_ends_what_it_began_and_begins_nothing_more():
    passes = Passes(seconds=5.0, outcomes=[Wait(0.0, failed=False)])

    async def script(queue):
        await queue.add("a")
        await queue.add("b")
        await asyncio.sleep(1)
        assert await queue.close(10)
        assert now() == pytest.approx(5.0)
        await queue.add("c", urgent=True)
        await asyncio.sleep(100)
        assert [key for key, _ in passes.begun] == ["a", "b"]

    simulate(passes, script)


def test_a_closed_queue_does_not_wait_for_ever_and_says_so():
    async def script(queue):
        await queue.add("a")
        await asyncio.sleep(1)
        assert not await queue.close(10)
        assert now() == pytest.approx(11.0)

    simulate(Passes(seconds=60.0), script)


def test_a_key_that_waits_for_a_worker_is_overdue():
    passes = Passes(seconds=10.0)

    async def script(queue):
        assert (queue.waits(), queue.idle()) == ([], float("inf"))
        await queue.add("a")
        await queue.add("b")
        await queue.add("later", after=60)
        await asyncio.sleep(5)
        assert queue.waits() == [pytest.approx(5.0)]
        await asyncio.sleep(10)
        assert (queue.waits(), queue.idle()) == ([], pytest.approx(5.0))

    simulate(passes, script, workers=1)
