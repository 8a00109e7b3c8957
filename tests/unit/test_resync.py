"""Comparisons in virtual time."""

from __future__ import annotations

import asyncio

from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.resync import FIRST_SECONDS, resync
from chatbot_operator.told import Told
from unit import virtual


def heard_at(every, *, seconds, fails=lambda _now: False):
    """When comparisons succeeded, in seconds from the start."""
    found = []

    class Lists:
        async def every(self, _resource):
            if fails(asyncio.get_running_loop().time()):
                raise KubernetesRefusal("list", 503, "Unavailable", "")
            return []

    async def enqueue(*_key, **_how):
        raise AssertionError("nothing is news")

    async def main():
        loop = asyncio.get_running_loop()
        heard = lambda: found.append(loop.time())  # noqa: E731
        comparing = resync(Lists(), Told(enqueue), every=every, random=lambda: 0.5, heard=heard)
        task = asyncio.create_task(comparing)
        await asyncio.sleep(seconds)
        task.cancel()

    virtual.run(main())
    return found


def test_the_first_comparison_is_soon_and_the_others_are_rare():
    assert heard_at(3600, seconds=7500) == [FIRST_SECONDS, FIRST_SECONDS + 3600, 7260.0]


def test_a_list_that_fails_is_asked_for_again_soon():
    (first, *_) = heard_at(3600, seconds=300, fails=lambda now: now < 100)
    assert 100 <= first < 160
