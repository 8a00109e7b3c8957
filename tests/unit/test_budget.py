"""Turns of calls to Azure, in virtual time."""

from __future__ import annotations

import asyncio

import pytest
from chatbot_operator.azure.budget import (
    LIMITS,
    PATIENCE,
    SAID_SECONDS,
    Bucket,
    Budget,
    Limit,
    PausedError,
    kinds,
)
from unit import virtual

GROUP = "/subscriptions/S/resourceGroups/ai/providers/Microsoft.ManagedIdentity"
IDENTITY = f"{GROUP}/userAssignedIdentities/cb-one"
CREDENTIALS = f"{IDENTITY}/federatedIdentityCredentials"
ELSEWHERE = CREDENTIALS.replace("/S/", "/T/")


def now():
    return asyncio.get_running_loop().time()


def with_budget(script):
    async def main():
        await script(Budget(now, asyncio.sleep))

    virtual.run(main())


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", IDENTITY, ["reads"]),
        ("PUT", IDENTITY, ["writes"]),
        ("PATCH", IDENTITY, ["writes"]),
        ("DELETE", IDENTITY, ["deletes"]),
        ("GET", CREDENTIALS, ["reads", "lists of credentials"]),
        ("GET", f"{CREDENTIALS}/cb", ["reads", "reads of a credential"]),
        ("PUT", f"{CREDENTIALS}/cb", ["writes", "writes of a credential"]),
        ("DELETE", f"{CREDENTIALS}/cb".lower(), ["deletes", "deletes of a credential"]),
    ],
)
def test_a_call_falls_under_its_limits(method, path, expected):
    assert list(kinds(method, path)) == expected
    assert set(expected) <= LIMITS.keys()


def test_turns_come_at_the_rate_and_a_rest_gives_some_at_once():
    bucket = Bucket(Limit(size=3, rate=2))
    assert [bucket.take(100.0) for _ in range(5)] == [0.0, 0.0, 0.0, 0.5, 1.0]
    assert [bucket.take(110.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


def test_many_new_credentials_are_written_two_a_second():
    async def script(budget):
        for _ in range(300):
            await budget.turn("PUT", f"{CREDENTIALS}/cb")
        assert now() == pytest.approx(149.5)

    with_budget(script)


def test_credentials_hold_up_neither_other_writes_nor_another_subscription():
    async def script(budget):
        waiting = [asyncio.create_task(budget.turn("PUT", f"{CREDENTIALS}/cb")) for _ in range(10)]
        await asyncio.sleep(0.01)
        await budget.turn("PUT", IDENTITY)
        await budget.turn("PUT", f"{ELSEWHERE}/cb")
        assert now() == pytest.approx(0.01)
        await asyncio.gather(*waiting)

    with_budget(script)


def test_one_that_is_throttled_keeps_all_of_its_kind_waiting():
    async def script(budget):
        budget.throttled("GET", IDENTITY, 7)
        await budget.turn("PUT", IDENTITY)
        await budget.turn("GET", IDENTITY.replace("/S/", "/T/"))
        assert now() == 0.0
        await asyncio.gather(*(budget.turn("GET", IDENTITY) for _ in range(5)))
        assert now() == pytest.approx(7.0)

    with_budget(script)


def test_a_pause_of_credentials_leaves_other_reads_alone():
    async def script(budget):
        budget.throttled("GET", f"{CREDENTIALS}/cb", 0)
        await budget.turn("GET", IDENTITY)
        assert now() == 0.0
        await budget.turn("GET", f"{CREDENTIALS}/cb")
        assert now() == pytest.approx(2.0)

    with_budget(script)


def test_a_pause_that_begins_while_a_call_waits_holds_it_too():
    async def script(budget):
        await budget.turn("PUT", f"{CREDENTIALS}/cb")
        waiting = asyncio.create_task(budget.turn("PUT", f"{CREDENTIALS}/cb"))
        await asyncio.sleep(0.1)
        budget.throttled("PUT", f"{CREDENTIALS}/cb", 3)
        await waiting
        assert now() == pytest.approx(3.1)

    with_budget(script)


def test_a_long_pause_is_left_to_the_queue():
    async def script(budget):
        budget.throttled("GET", IDENTITY, PATIENCE + 5)
        with pytest.raises(PausedError) as caught:
            await budget.turn("GET", IDENTITY)
        assert caught.value.seconds == PATIENCE + 5
        assert now() == 0.0

    with_budget(script)


def test_what_is_left_can_be_read():
    async def script(budget):
        assert (budget.turns(), budget.pauses(), budget.said()) == ({}, {}, {})
        await budget.turn("PUT", f"{CREDENTIALS}/x")
        writes, credential = ("s", "writes"), ("s", "writes of a credential")
        left = budget.turns()
        assert left[credential] == pytest.approx(0.0)
        assert left[writes] == pytest.approx(LIMITS["writes"].size - 1)
        budget.throttled("PUT", f"{CREDENTIALS}/x", 7)
        assert budget.pauses() == {credential: pytest.approx(7)}
        await asyncio.sleep(5)
        assert budget.turns()[credential] == 0.0
        assert budget.turns()[writes] == LIMITS["writes"].size
        await asyncio.sleep(5)
        assert budget.pauses() == {}
        assert budget.turns()[credential] == LIMITS["writes of a credential"].size

    with_budget(script)


def test_what_azure_says_is_left_is_believed_for_a_minute():
    async def script(budget):
        prefix = "x-ms-ratelimit-remaining-"
        headers = {
            f"{prefix}subscription-reads": "249",
            f"{prefix}subscription-global-reads": "3749",
            f"{prefix}tenant-writes": "no number",
            f"{prefix}something-new": "1",
        }
        budget.heed("GET", IDENTITY, headers)
        said = {("s", "subscription-reads"): 249.0, ("s", "subscription-global-reads"): 3749.0}
        assert budget.said() == said
        await asyncio.sleep(SAID_SECONDS + 1)
        assert budget.said() == {}

    with_budget(script)
