"""How much later than from the account itself the first token comes, with nobody else there."""

from __future__ import annotations

from contextlib import AsyncExitStack
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.account import Wish
from benchmarks.table import Row

if TYPE_CHECKING:
    from benchmarks.subjects import Chatbot, Direct, Gradio, Heard, Subject

TRIES = 50
WARM_UP = 3
WISH = Wish(tokens=2)
SHARE = 1 / 3
"""Of Gradio's overhead, at most."""


async def measure(direct: Direct, chatbot: Chatbot, gradio: Gradio) -> list[Row]:
    """Ask in turns, each on a connection that is kept; the first turns do not count."""
    turns: list[list[Heard]] = []
    subjects: tuple[Subject, ...] = (direct, chatbot, gradio)
    async with AsyncExitStack() as wires:
        connections = [await wires.enter_async_context(each.connect()) for each in subjects]
        for _ in range(WARM_UP + TRIES):
            pairs = zip(subjects, connections, strict=True)
            turns.append([await subject.ask(wire, WISH) for subject, wire in pairs])
    return _rows(turns[WARM_UP:])


def _rows(turns: list[list[Heard]]) -> list[Row]:
    whole = all(heard.whole for turn in turns for heard in turn)
    first = [median(turn[at].first for turn in turns) for at in range(3)]
    ours, theirs = (median(turn[at].first - turn[0].first for turn in turns) for at in (1, 2))
    total = Row("first token, one visitor", _ms(first[1]), _ms(first[2]), _ms(first[0]))
    over = Row(
        "over the direct call",
        f"+{_ms(ours)}",
        f"+{_ms(theirs)}",
        bound=f"a third of Gradio's: {_ms(theirs * SHARE)}",
        kept=whole and ours <= theirs * SHARE,
    )
    return [total, over]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
