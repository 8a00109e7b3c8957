"""Lengths of time, and what may not be read, in words."""

from __future__ import annotations

import pytest
from chatbot_operator.cli.spans import span
from chatbot_operator.cli.unread import Unread, allowed
from chatbot_operator.errors import KubernetesRefusal


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "0 seconds"),
        (1, "1 second"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (7199, "119 minutes"),
        (7200, "2 hours"),
        (200_000, "2 days"),
    ],
)
def test_a_length_of_time_in_one_unit(seconds, said):
    assert span(seconds) == said


async def refused(status):
    raise KubernetesRefusal("GET /x", status, "Why", "")


async def test_what_may_not_be_read_says_which_right_is_missing():
    found = await allowed(refused(403), "list pods in team-a")
    assert found == Unread("list pods in team-a")
    assert str(found) == "not known: you may not list pods in team-a"


async def test_what_fails_otherwise_is_no_missing_right():
    with pytest.raises(KubernetesRefusal):
        await allowed(refused(500), "list pods in team-a")
