"""How long the operator waits."""

from __future__ import annotations

import statistics
import uuid

from chatbot_operator.backoff import LIMIT_SECONDS, delay, phase
from hypothesis import example, given
from hypothesis import strategies as st

ATTEMPTS = st.integers(1, 10_000)
RANDOM = st.floats(0, 1, exclude_max=True)


@given(ATTEMPTS, RANDOM)
def test_a_wait_is_at_least_a_second_and_at_most_ten_minutes(attempt, random):
    assert 1 <= delay(attempt, random=random) <= LIMIT_SECONDS == 600


@given(ATTEMPTS, RANDOM)
def test_waits_grow_from_attempt_to_attempt(attempt, random):
    assert delay(attempt, random=random) <= delay(attempt + 1, random=random)


def test_the_first_wait_is_short_and_the_tenth_is_the_longest():
    assert delay(1, random=0.0) == 1
    assert delay(2, random=0.0) == 2
    assert delay(10, random=0.0) == 300


def test_chatbots_refused_together_do_not_come_back_together():
    waits = {delay(6, random=step / 100) for step in range(100)}
    assert len(waits) == 100
    assert max(waits) - min(waits) > 30


@given(ATTEMPTS, st.floats(0, 7200), RANDOM)
@example(5, 30.0, 0.0)
def test_what_azure_asks_for_is_honoured_and_hardly_exceeded(attempt, asked, random):
    wait = delay(attempt, at_least=asked, random=random)
    assert wait >= asked
    assert wait <= max(delay(attempt, random=random), asked * 1.1)


def test_chatbots_told_to_wait_for_the_same_time_spread_after_it():
    assert delay(1, at_least=60, random=0.0) == 60
    assert delay(1, at_least=60, random=0.5) == 63


@given(st.uuids(), st.floats(1, 86400))
def test_a_look_at_rest_comes_at_its_own_time_within_ten_percent(uid, period):
    first = phase(str(uid), period)
    assert period * 0.9 <= first <= period * 1.1
    assert phase(str(uid), period) == first


def test_a_fleet_made_at_once_comes_round_spread_out():
    looks = [phase(str(uuid.uuid5(uuid.NAMESPACE_URL, str(n))), 1000) for n in range(500)]
    quarters = [sum(low <= look < low + 50 for look in looks) for low in (900, 950, 1000, 1050)]
    assert min(quarters) > 80
    assert 980 < statistics.mean(looks) < 1020
