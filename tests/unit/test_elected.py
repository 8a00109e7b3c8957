"""Who leads, and for how long: the composition of an election and the work."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from chatbot_operator.app import _elected


@dataclass
class Election:
    """Wins after so many seconds; `trouble` is what it ends with instead."""

    seconds: float = 0.0
    trouble: Exception | None = None
    said: list[str] = field(default_factory=list)

    async def win(self):
        await asyncio.sleep(self.seconds)
        if self.trouble is not None:
            raise self.trouble

    async def keep(self):
        await asyncio.sleep(3600)

    async def give_back(self):
        self.said.append("given back")


async def lead_with(election, *, idle=True, stopped=False):
    stop = asyncio.Event()
    if stopped:
        stop.set()

    async def lead():
        election.said.append("led")
        return idle

    await _elected(election, lead, stop)
    return election.said


async def test_who_wins_leads_and_gives_back():
    assert await lead_with(Election()) == ["led", "given back"]


async def test_a_pass_that_was_cut_off_keeps_the_lease_from_others():
    assert await lead_with(Election(), idle=False) == ["led"]


async def test_one_that_is_told_to_stop_while_it_waits_never_leads():
    assert await lead_with(Election(seconds=60), stopped=True) == []


async def test_one_that_cannot_stand_for_election_never_leads():
    election = Election(trouble=ValueError("a Lease that says nothing"))
    with pytest.raises(ValueError, match="says nothing"):
        await lead_with(election)
    assert election.said == []
