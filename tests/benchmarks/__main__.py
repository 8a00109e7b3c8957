"""The chatbot measured beside Gradio's ChatInterface and a direct call: `make bench`.

All of it is on this machine, the account, too. Who else uses the machine shows in every number;
what is compared is therefore asked in turns, and the load average stands below the table.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import platform
import ssl
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import first_load, first_token, frames, streams
from benchmarks.processes import Place, installed, place
from benchmarks.subjects import Chatbot, Direct, Gradio
from benchmarks.table import Row, for_terminal, markdown
from rich.console import Console

if TYPE_CHECKING:
    from benchmarks.processes import Running

STARTS = 3
LIGHTEST = 60.0
"""MB that the chatbot may weigh at rest."""

progress = Console(stderr=True, style="dim")


def parse(words: list[str]) -> argparse.Namespace:
    """Read what was typed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="print the table for a README")
    parser.add_argument("--chatbot", type=_path, required=True, help="Python that has the chatbot")
    parser.add_argument("--gradio", type=_path, required=True, help="Python that has Gradio")
    return parser.parse_args(words)


def _path(word: str) -> Path:
    return Path(word).absolute()  # not resolved: an environment's Python is a link out of it


def main() -> int:
    """Measure, print, and return 1 when a bound was broken."""
    chosen = parse(sys.argv[1:])
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as directory, place(Path(directory)) as here:
        rows = _measured(here, chosen.chatbot, chosen.gradio)
    progress.print("35 KB of Markdown grow in Chromium (a minute and a half)")
    rows.append(_frames())
    conditions = _conditions(before)
    if chosen.markdown:
        print(markdown(rows, conditions))  # noqa: T201
    else:
        Console().print(for_terminal(rows, conditions))
    return 1 if any(row.kept is False for row in rows) else 0


def _measured(here: Place, chatbot: Path, gradio: Path) -> list[Row]:
    ours: list[Running] = []
    theirs: list[Running] = []
    with contextlib.ExitStack() as ends:
        for turn in range(1, STARTS + 1):
            progress.print(f"start {turn} of {STARTS}, of the chatbot and of Gradio")
            ends.close()
            ours.append(here.chatbot(chatbot))
            ends.callback(ours[-1].end)
            theirs.append(here.gradio(gradio))
            ends.callback(theirs[-1].end)
        rows = [_start(ours, theirs), _install(chatbot, gradio), *_rest(ours, theirs)]
        progress.print("a first visit, in Chromium")
        rows += first_load.measure(ours[-1].address, theirs[-1].address)
        rows += asyncio.run(_talks(here, ours[-1], theirs[-1]))
    return rows


async def _talks(here: Place, ours: Running, theirs: Running) -> list[Row]:
    trusted = ssl.create_default_context(cafile=str(here.authority.certificate))
    direct = Direct(here.account, trusted)
    chatbot, gradio = Chatbot(ours.address), Gradio(theirs.address)
    progress.print(f"first tokens, {first_token.TRIES} times in turns")
    rows = await first_token.measure(direct, chatbot, gradio)
    progress.print(f"{streams.STREAMS} streams, {streams.ROUNDS} times in turns")
    return rows + await streams.measure(direct, chatbot, gradio, ours, theirs)


def _start(ours: list[Running], theirs: list[Running]) -> Row:
    return Row("process start to first page", _seconds(ours), _seconds(theirs))


def _seconds(many: list[Running]) -> str:
    return f"{median(each.seconds for each in many):.1f} s"


def _install(chatbot: Path, gradio: Path) -> Row:
    return Row("installed", f"{installed(chatbot):.0f} MB", f"{installed(gradio):.0f} MB")


def _rest(ours: list[Running], theirs: list[Running]) -> list[Row]:
    weight, fetching = ours[-1].weight(), median(each.heaviest for each in ours)
    return [
        Row(
            "memory at rest (PSS)",
            f"{weight:.0f} MB",
            f"{theirs[-1].weight():.0f} MB",
            bound=f"{LIGHTEST:.0f} MB",
            kept=weight <= LIGHTEST,
        ),
        Row("while its token is fetched, by a process of its own", f"{fetching:.0f} MB"),
    ]


def _frames() -> Row:
    seen = frames.measure()
    return Row(
        "35 KB answer: scripts a frame (p95)",
        f"{seen.script_p95:.1f} ms",
        bound=f"{frames.FRAME:.1f} ms",
        kept=seen.smooth,
    )


def _conditions(before: float) -> str:
    return (
        f"{os.cpu_count()} processors, Python {platform.python_version()}; load average "
        f"{before:.1f} before and {os.getloadavg()[0]:.1f} after, what was measured among it"
    )


if __name__ == "__main__":
    sys.exit(main())
