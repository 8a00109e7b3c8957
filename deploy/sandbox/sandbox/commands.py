"""What the sandbox's commands do: up, demo, status, env, down."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sandbox import person
from sandbox.conversation import Turn, ask
from sandbox.processes import end
from sandbox.progress import Report, reporter
from sandbox.up import Plan, Sandbox, Status, read_status, running

LOG = "sandbox.log"
NONE = "No sandbox runs here; `make demo` starts one."
COMPLETE = "`make down`, or Ctrl-C if not detached, ends it and leaves nothing behind."

QUESTIONS = {
    "help/support": ("My name is Ada. What can you do for me?", "What is my name?"),
    "help/writer": ("Remember that the deadline is Friday.", "What is the deadline?"),
}


async def up(plan: Plan, *, demo: bool) -> int:
    """Run the sandbox until it is told to stop; `demo`: ask its chatbots something first."""
    console = Console()
    if other := read_status(plan.directory):
        console.print(f"A sandbox runs already (process {other.pid}); `make down` ends it.")
        return 1
    report = reporter(console)
    _end_on_signals()
    try:
        async with running(plan, report) as sandbox:
            if demo:
                await _talk(sandbox, console, report)
            show(console, sandbox.status, plan.directory)
            console.print(f"\n{COMPLETE}", soft_wrap=True)  # `detach` looks for it, whole
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        report("down")
    finally:
        await asyncio.to_thread(_forget, plan.directory)
    return 0


def _forget(directory: Path) -> None:
    """Remove what a sandbox made, keys and tokens among it; the log stays."""
    for part in ("cluster", "operator", "person", "bin", "ca"):
        shutil.rmtree(directory / part, ignore_errors=True)


def _end_on_signals() -> None:
    """Have Ctrl-C and `sandbox down` unwind the running task, however far it is."""
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)


async def _talk(sandbox: Sandbox, console: Console, report: Report) -> None:
    """Ask each sample a question and a follow-up, and print what streams back."""
    for name, questions in QUESTIONS.items():
        url = sandbox.status.chatbots[name]
        turns: list[Turn] = []
        report(f"asking [bold]{name}[/] at {url}")
        for question in questions:
            turns.append({"role": "user", "content": question})
            console.print(f"\n  [bold cyan]you[/]      {question}")
            answer = await _print_answer(console, url, turns)
            turns.append({"role": "assistant", "content": answer})
    console.print()


async def _print_answer(console: Console, url: str, turns: list[Turn]) -> str:
    console.print("  [bold green]chatbot[/]  ", end="")
    pieces: list[str] = []
    async for piece in ask(url, turns):
        pieces.append(piece)
        indented = piece.replace("\n", "\n           ")
        console.print(indented, end="", markup=False, highlight=False, soft_wrap=True)
    console.print()
    return "".join(pieces)


def detach(arguments: list[str], directory: Path) -> int:
    """Run the same command in the background, following its output until it is complete."""
    if other := read_status(directory):
        print(f"A sandbox runs already (process {other.pid}); `make down` ends it.")
        return 1
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / LOG
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "sandbox", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    with log.open(encoding="utf-8", errors="replace") as lines:
        while True:
            finished = child.poll()
            _copy(lines.read())
            status = read_status(directory)
            if status is not None and status.complete and COMPLETE in log.read_text():
                _copy(lines.read())
                return 0
            if finished is not None:
                _copy(lines.read())
                return finished or 1
            time.sleep(0.2)


def _copy(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def status(directory: Path, *, as_json: bool) -> int:
    """Print where everything of the running sandbox is; exit code 1 when none runs."""
    found = read_status(directory)
    if found is None:
        print(NONE, file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps(asdict(found), indent=2))
    else:
        show(Console(), found, directory)
    return 0


def env(directory: Path) -> int:
    """Print what a shell evaluates to mean the running sandbox; exit code 1 when none runs."""
    found = read_status(directory)
    if found is None:
        print(NONE, file=sys.stderr)
        return 1
    print(person.exports(found))
    return 0


async def down(directory: Path) -> int:
    """End the sandbox and remove its state; the log stays."""
    killed = await end(directory)
    await asyncio.to_thread(_forget, directory)
    print(f"down ({', '.join(killed)} had to be killed)" if killed else "down")
    return 0


def show(console: Console, found: Status, directory: Path) -> None:
    """Print where everything is and what to try."""
    table = Table(show_header=False, box=None, pad_edge=False)
    if found.page:
        table.add_row("[bold]open[/]", f"[bold]{found.page}[/]")
    for name, url in found.chatbots.items():
        table.add_row(f"chatbot {name}", url)
    table.add_row("Azure (emulated)", found.arm)
    table.add_row("its ledger", found.ledger)
    table.add_row("its CA", found.ca)
    console.print()
    console.print(table)
    console.print("\nTry:", style="bold")
    for line in (
        f'eval "$({shlex.join(_env_command(directory))})"',
        "kubectl get chatbots -A -o wide",
        "kubectl chatbot why support -n help",
        "kubectl chatbot doctor",
        'kubectl chatbot ask support -n help "My name is Ada. What can you do?"',
        "kubectl chatbot open writer -n help",
        "kubectl chatbot logs support -n help -f",
        "kubectl explain chatbot.spec.openAI",
        "kubectl delete chatbot writer -n help",
    ):
        console.print(f"  {line}", highlight=False, soft_wrap=True, markup=False)


def _env_command(directory: Path) -> list[str]:
    """Spell `sandbox env` for this sandbox, from where the person stands."""
    program = os.path.relpath(Path(sys.executable).with_name("sandbox"))
    usual = directory == default_directory()
    return [program, "env", *([] if usual else ["--directory", str(directory.resolve())])]


def default_directory() -> Path:
    """Give the directory of a sandbox that was given none."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(state) / "chatbot-sandbox"
