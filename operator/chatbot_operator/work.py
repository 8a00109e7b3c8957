"""The operator at work: watches, lists, queue and passes, from the first to the last."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from chatbot_operator import ports
from chatbot_operator.health import Vital
from chatbot_operator.metrics import Now
from chatbot_operator.observing import Observer
from chatbot_operator.ports import World
from chatbot_operator.reconcile import Key, Memory, reconcile
from chatbot_operator.resync import FIRST_SECONDS, Lists, resync
from chatbot_operator.told import Enqueue, Told
from chatbot_operator.work_queue import Wait, WorkQueue

PASS_SECONDS = 120.0
"""A pass that hangs must not hold a worker for ever."""
DRAIN_SECONDS = 20.0
"""For passes under way when told to stop; the pod's grace is 30 seconds."""
ALSO_SECONDS = 30.0
"""An account is not looked at each time that a chatbot asks for a deployment it has not."""

Watch = Callable[[Told, Enqueue, Callable[[], None]], Coroutine[Any, Any, None]]
"""Tells of every event, puts owners of what changed on the queue, and calls at each event."""


@dataclass
class Work:
    """One term of work; `watch` runs until it is cancelled."""

    world: World
    lists: Lists
    watch: Watch
    workers: int
    observer: Observer
    memory: Memory = field(default_factory=Memory)
    last_heard: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Join the parts that know one another."""
        self.queue: WorkQueue[Key] = WorkQueue(
            self._pass, time=time.monotonic, random=random.random
        )
        self.told = Told(self.queue.add, proven=self.observer.proven)

    def heard(self) -> None:
        """Note that the API server was heard of."""
        self.last_heard = time.monotonic()

    def vital(self) -> Vital:
        """Tell how the work goes."""
        return Vital(
            silence=time.monotonic() - self.last_heard,
            silence_limit=2 * self.world.installation.resync + FIRST_SECONDS,
            overdue=max(self.queue.waits(), default=0.0),
            idle=self.queue.idle(),
        )

    def now(self) -> Now:
        """Tell what Prometheus reads of the work."""
        return Now(
            waits=self.queue.waits(),
            running=self.queue.running(),
            failed=self.queue.failed,
            silence=time.monotonic() - self.last_heard,
            chatbots=self.told.standing.counts.items(),
            accounts=self.told.usable.counts.items(),
        )

    async def until(self, stop: asyncio.Event) -> bool:
        """Work until told to stop; tell whether the last passes came to their end."""
        every = self.world.installation.resync
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self.watch(self.told, self.queue.add, self.heard))
            watching.add_done_callback(lambda _: stop.set())
            comparing = resync(
                self.lists, self.told, every=every, random=random.random, heard=self.heard
            )
            tasks = [watching, group.create_task(comparing)]
            tasks += [group.create_task(self.queue.work()) for _ in range(self.workers)]
            await stop.wait()
            ended = await self.queue.close(DRAIN_SECONDS)
            # Not before: kopf, when it ends, cancels whatever tasks began after it did.
            for task in tasks:
                task.cancel()
        return ended

    async def _pass(self, key: Key) -> Wait:
        """Make a pass; what nobody foresaw is tried again."""
        count = len(self.told.users.of(key.name)) if key.resource == ports.ACCOUNTS else 0
        try:
            with self.observer.passing(key) as seen:
                async with asyncio.timeout(PASS_SECONDS):
                    again = await reconcile(self.world, key, memory=self.memory, chatbots=count)
                seen.end(again)
        except Exception:  # noqa: BLE001 - the observer has logged it
            return Wait(0.0, failed=True)
        for other in again.also:
            await self.queue.add(other, after=ALSO_SECONDS)
        return Wait(again.seconds, failed=again.failed)
