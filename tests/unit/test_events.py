"""What is told of a pass, and how much."""

from __future__ import annotations

import datetime as dt

from chatbot_operator.ports import Journal, Note, Receipt
from chatbot_operator.reconcile.events import BURST, OBJECTS, REFILL_SECONDS, Allowances
from unit.small_world import NOON


def after(seconds):
    return NOON + dt.timedelta(seconds=seconds)


def test_a_note_with_a_receipt_names_the_target_and_the_request():
    journal = Journal()
    journal.note("RoleWithdrawn", "Deleted.", Receipt("delete role assignment", "/a/b", "r-1"))
    journal.note("PutBack", "It was gone.")
    assert journal.notes == [
        Note("RoleWithdrawn", "Deleted. /a/b (request r-1)", "DeleteRoleAssignment"),
        Note("PutBack", "It was gone."),
    ]


def test_an_object_has_a_burst_and_then_one_event_in_a_while():
    allowances = Allowances()
    assert all(allowances.take("a", NOON) for _ in range(BURST))
    assert not allowances.take("a", NOON)
    assert not allowances.take("a", after(REFILL_SECONDS - 1))
    assert allowances.take("a", after(REFILL_SECONDS))
    assert not allowances.take("a", after(REFILL_SECONDS))
    assert allowances.take("b", NOON)


def test_what_was_not_used_does_not_pile_up():
    allowances = Allowances()
    assert allowances.take("a", NOON)
    later = after(1000 * REFILL_SECONDS)
    assert [allowances.take("a", later) for _ in range(BURST + 1)] == [True] * BURST + [False]


def test_only_the_objects_that_spoke_last_are_remembered():
    allowances = Allowances()
    for _ in range(BURST):
        allowances.take("first", NOON)
    for number in range(OBJECTS):
        allowances.take(str(number), NOON)
    assert allowances.take("first", NOON)
