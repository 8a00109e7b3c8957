"""Hours of requests on tokens that live one minute, in time that passes only when a test says so."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from chatbot.simulated import Time
from chatbot_app.credential import Credential, Token
from chatbot_app.reasons import Reason, Refusal, RefusedError

MINUTE = 60.0
HOUR = 3600.0


class Entra:
    """Takes `latency` seconds for a token; fails from `outages[n][0]` until `outages[n][1]`."""

    def __init__(self, time: Time, *, latency: float = 1.0) -> None:
        self.time = time
        self.latency = latency
        self.outages: list[tuple[float, float]] = []
        self.asked: list[float] = []

    async def __call__(self) -> Token:
        self.asked.append(self.time.now)
        await self.time.sleep(self.latency)
        if any(begin <= self.time.now < end for begin, end in self.outages):
            raise RefusedError(Refusal(Reason.AUTHORITY_UNREACHABLE))
        return Token(f"token-{len(self.asked)}", self.time.now + MINUTE)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def entra(time: Time) -> Entra:
    return Entra(time)


@pytest.fixture
async def credential(time, entra):
    made = Credential(entra, clock=time.clock, sleep=time.sleep, random=lambda: 1.0)
    made.open()
    keeper = asyncio.create_task(made.keep())
    first = asyncio.create_task(made.token())
    await time.pass_by(entra.latency)
    await first
    yield made
    keeper.cancel()
    await made.close()


def at_once(credential):
    """The token, from a request that waits for nothing: not even for one turn of the loop."""
    request = credential.token()
    try:
        request.send(None)
    except StopIteration as done:
        return done.value
    request.close()
    raise AssertionError("a request waited for its token")


async def requests(credential, time, *, seconds):
    """Ask for the token each second; give the tokens."""
    tokens = []
    for _ in range(int(seconds)):
        await time.pass_by(1)
        tokens.append(at_once(credential))
    return tokens


async def test_no_request_of_hours_waits_and_no_renewal_is_for_nothing(credential, entra, time):
    tokens = await requests(credential, time, seconds=3 * HOUR)
    assert 3 * 60 <= len(set(tokens)) <= 3 * 130
    assert len(entra.asked) <= 3 * 130
    assert all(later - earlier >= 10 for earlier, later in pairwise(entra.asked))


@pytest.mark.parametrize("step", [7, 11, 17, 19, 20.5])
async def test_an_outage_that_ends_before_the_token_is_noticed_by_nobody(
    credential, entra, time, step
):
    begins = [time.now + n * (300 + step) for n in range(11)]
    entra.outages = [(begin, begin + 24) for begin in begins]
    tokens = await requests(credential, time, seconds=HOUR)
    assert len(set(tokens)) >= 60
    assert len(entra.asked) <= 130 + 11 * 8


async def test_a_long_outage_hurts_only_once_the_token_has_ended(credential, entra, time):
    begun = time.now
    entra.outages = [(begun, begun + 600)]
    await requests(credential, time, seconds=MINUTE - 1)
    await time.pass_by(2)
    request = asyncio.create_task(credential.token())
    await time.pass_by(2)
    with pytest.raises(RefusedError):
        await request
    await time.pass_by(600 - (time.now - begun))
    assert len(entra.asked) <= 8 + 600 / 20
    await time.pass_by(MINUTE + 2)
    await requests(credential, time, seconds=HOUR)
