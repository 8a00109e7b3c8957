"""An asynchronous context kept open by a thread of its own, for fixtures that outlive one loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractAsyncContextManager

T = TypeVar("T")


@contextlib.contextmanager
def running(context: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Enter `context` in a background loop, give its value, leave it when the block ends."""
    entered: Future[T] = Future()
    loop = asyncio.new_event_loop()
    leave = asyncio.Event()

    async def keep() -> None:
        try:
            async with context as value:
                entered.set_result(value)
                await leave.wait()
        except BaseException as error:
            if entered.done():
                raise
            entered.set_exception(error)

    done: Future[None] = Future()

    def work() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            try:
                done.set_result(runner.run(keep()))
            except BaseException as error:  # noqa: BLE001  the fixture's thread raises it
                done.set_exception(error)

    thread = threading.Thread(target=work, name="background")
    thread.start()
    try:
        yield entered.result()
    finally:
        with contextlib.suppress(RuntimeError):  # the loop is closed if entering failed
            loop.call_soon_threadsafe(leave.set)
        thread.join()
    done.result()
