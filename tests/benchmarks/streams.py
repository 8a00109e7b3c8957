"""Two hundred answers at once on one process: whether they stay real-time, and what they weigh."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.account import Wish
from benchmarks.table import Row

if TYPE_CHECKING:
    from benchmarks.processes import Running
    from benchmarks.subjects import Chatbot, Direct, Gradio, Heard, Subject

STREAMS = 200
WISH = Wish(tokens=100)
ROUNDS = 3
SLOWEST = 1.3
"""Times as long as the account itself takes."""
HEAVIEST = 80.0
"""MB."""
CHUNKS = STREAMS * WISH.tokens


@dataclass(frozen=True, slots=True)
class Crowd:
    """All streams of one round: seconds from the first question to the last end."""

    wall: float
    first: float
    failed: int
    heaviest: float = 0.0
    processor_time: float = 0.0

    @property
    def slowness(self) -> float:
        """How many times as long as the account takes."""
        return self.wall / WISH.seconds


async def measure(
    direct: Direct, chatbot: Chatbot, gradio: Gradio, ours: Running, theirs: Running
) -> list[Row]:
    """Let crowds ask the account and the chatbot in turns, and Gradio once, for it takes long."""
    straight, through = [], []
    for _ in range(ROUNDS):
        straight.append(await _crowd(direct))
        through.append(await _weighed(chatbot, ours))
    beside = await _weighed(gradio, theirs)
    return _rows(straight, through, beside)


def _rows(straight: list[Crowd], through: list[Crowd], beside: Crowd) -> list[Row]:
    slowness = median(crowd.slowness for crowd in through)
    failed = sum(crowd.failed for crowd in through)
    heaviest = max(crowd.heaviest for crowd in through)
    used = median(crowd.processor_time for crowd in through)
    return [
        Row(
            f"{STREAMS} streams of {1 / WISH.every:.0f} tokens/s: time over ideal "
            f"({WISH.seconds:.0f} s)",
            f"{slowness:.2f} ×",
            f"{beside.slowness:.2f} ×",
            f"{median(crowd.slowness for crowd in straight):.2f} ×",
            f"{SLOWEST} ×",
            slowness <= SLOWEST,
        ),
        Row(
            "of them, not whole",
            f"{failed} of {STREAMS * len(through)}",
            f"{beside.failed} of {STREAMS}",
            f"{sum(crowd.failed for crowd in straight)} of {STREAMS * len(straight)}",
            "none",
            not failed,
        ),
        Row(
            "of them, first token (median)",
            f"{median(crowd.first for crowd in through):.2f} s",
            f"{beside.first:.2f} s",
            f"{median(crowd.first for crowd in straight):.2f} s",
        ),
        Row(
            "of them, processor time a token",
            f"{used / CHUNKS * 1000:.2f} ms",
            f"{beside.processor_time / CHUNKS * 1000:.2f} ms",
        ),
        Row(
            "of them, memory (PSS)",
            f"{heaviest:.0f} MB",
            f"{beside.heaviest:.0f} MB",
            bound=f"{HEAVIEST:.0f} MB",
            kept=heaviest <= HEAVIEST,
        ),
    ]


async def _weighed(subject: Subject, running: Running) -> Crowd:
    used = running.processor_time()
    weights: list[float] = []
    scale = asyncio.create_task(_weigh(running, weights))
    try:
        crowd = await _crowd(subject)
    finally:
        scale.cancel()
    used = running.processor_time() - used
    return Crowd(crowd.wall, crowd.first, crowd.failed, max(weights), used)


async def _weigh(running: Running, weights: list[float]) -> None:
    while True:
        weights.append(running.weight())
        await asyncio.sleep(WISH.seconds / 5)


async def _crowd(subject: Subject) -> Crowd:
    loop = asyncio.get_running_loop()
    began = loop.time()
    heard = await asyncio.gather(*(_one(subject) for _ in range(STREAMS)))
    wall = loop.time() - began
    whole = [each for each in heard if each is not None and each.whole]
    first = median(each.first for each in whole) if whole else wall
    return Crowd(wall, first, STREAMS - len(whole))


async def _one(subject: Subject) -> Heard | None:
    try:
        async with subject.connect() as wire:
            return await subject.ask(wire, WISH)
    except (OSError, ValueError, KeyError):  # hung up, too late, or refused
        return None
