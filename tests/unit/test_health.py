"""What the kubelet is told."""

from __future__ import annotations

import pytest
from chatbot_operator.health import STUCK_SECONDS, Vital, answer

LONG = STUCK_SECONDS + 1


def vital(*, silence=0.0, overdue=0.0, idle=0.0):
    return Vital(silence=silence, silence_limit=7260.0, overdue=overdue, idle=idle)


def test_one_that_waits_is_well():
    assert answer(None) == (200, {"leading": False})


@pytest.mark.parametrize(
    "well",
    [
        vital(),
        vital(idle=float("inf")),  # nothing is due, or nothing was yet
        vital(overdue=LONG),  # a long queue that moves
        vital(silence=7260.0),
    ],
)
def test_what_works_or_rests_is_well(well):
    status, document = answer(well)
    assert (status, document["trouble"]) == (200, "")


@pytest.mark.parametrize("ill", [vital(idle=LONG, overdue=LONG), vital(silence=7261.0)])
def test_what_stands_still_is_told_to_the_kubelet(ill):
    status, document = answer(ill)
    assert status == 503
    assert document["trouble"]
