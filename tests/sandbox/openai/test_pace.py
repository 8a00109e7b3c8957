"""How fast answers come, and what happens when nobody waits for them any more."""

from __future__ import annotations

import asyncio


async def test_the_first_token_and_the_next_ones_have_their_own_waits(emulate, new_account):
    waits = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    account = new_account(first_token=0.5)
    async with emulate(account, sleep=sleep, token_interval=0.25) as emulator:
        await emulator.chat(stream=True)
        assert waits == [0.5, 0.25, 0.25, 0.25, 0.25, 0.25]
        waits.clear()
        await emulator.chat()
        assert waits == [0.5 + 6 * 0.25]


async def test_a_client_that_leaves_ends_the_answer(emulate, new_account):
    ended = asyncio.Event()

    async def sleep(_: float) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.set()
            raise

    async with emulate(new_account(), sleep=sleep) as emulator:
        stream = await emulator.client.chat.completions.create(
            model="chat", messages=[{"role": "user", "content": "hello"}], stream=True
        )
        await anext(aiter(stream))
        assert not ended.is_set()
        await stream.close()
        await asyncio.wait_for(ended.wait(), 30)
