"""How often something may be done to one object."""

from __future__ import annotations

import datetime as dt

from chatbot_operator.allowances import OBJECTS, Allowances
from unit.small_world import NOON

BURST, REFILL_SECONDS = 3, 60.0


def after(seconds):
    return NOON + dt.timedelta(seconds=seconds)


def test_an_object_has_a_burst_and_then_one_in_a_while():
    allowances = Allowances(BURST, REFILL_SECONDS)
    assert all(allowances.take("a", NOON) for _ in range(BURST))
    assert not allowances.take("a", NOON)
    assert not allowances.take("a", after(REFILL_SECONDS - 1))
    assert allowances.take("a", after(REFILL_SECONDS))
    assert not allowances.take("a", after(REFILL_SECONDS))
    assert allowances.take("b", NOON)


def test_what_was_not_used_does_not_pile_up():
    allowances = Allowances(BURST, REFILL_SECONDS)
    assert allowances.take("a", NOON)
    later = after(1000 * REFILL_SECONDS)
    assert [allowances.take("a", later) for _ in range(BURST + 1)] == [True] * BURST + [False]


def test_only_the_objects_that_took_last_are_remembered():
    allowances = Allowances(BURST, REFILL_SECONDS)
    for _ in range(BURST):
        allowances.take("first", NOON)
    for number in range(OBJECTS):
        allowances.take(str(number), NOON)
    assert allowances.take("first", NOON)
