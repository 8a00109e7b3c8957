"""Trees of checks and tables, for a terminal.

A mark is a sign, a word and a colour, never a colour alone. Whatever comes from a cluster or from
Azure is put in as Text, so that nothing in it is taken for markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.words import plain

_ENDLESS = 10_000
_SIGNS = {
    Mark.OK: ("✔", "green"),
    Mark.WRONG: ("✘", "bold red"),
    Mark.WAITING: ("…", "yellow"),
    Mark.UNKNOWN: ("?", "magenta"),
    Mark.NOTE: ("i", "cyan"),
}


class Typed:
    """A command to type: whole on a line of its own, however narrow the terminal, to be copied."""

    def __init__(self, command: str) -> None:
        self._command = "".join(each if each.isprintable() else " " for each in command)

    def __rich_console__(self, console: Console, _: ConsoleOptions) -> RenderResult:
        yield Text(self._command, style="bold", no_wrap=True, overflow="ignore")


def typed(command: str) -> RenderableType:
    """Show a command to type below the words that say what for."""
    return Typed(f"    {command}")


class Rows:
    """Rows below their columns, of which only the last is ever broken into lines.

    Where there is little room for it beside the others, what is long stands below them.
    """

    ROOM = 32

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> None:
        self._columns = columns
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self._rows:
            return
        whole = len(self._columns) - 1
        head = table(self._columns[:-1], (row[:-1] for row in self._rows), whole=whole)
        width = console.measure(head, options=options.update(width=_ENDLESS)).maximum
        if width + self.ROOM <= options.max_width:
            yield table(self._columns, self._rows, whole=whole)
            return
        heads = console.render_lines(head, options.update(width=width), pad=False)
        for line, last in zip(heads, ("", *(row[-1] for row in self._rows)), strict=True):
            start = Text(no_wrap=True, overflow="ignore")
            start.append_text(Text.assemble(*((each.text, each.style or "") for each in line)))
            start.rstrip()
            rest = last if isinstance(last, Text) else Text(plain(last))
            fits = start.cell_len + 2 + rest.cell_len <= options.max_width
            yield Text.assemble(start, "  ", rest) if rest and fits else start
            if rest and not fits:
                yield _indented(rest, 4)


def tree(check: Check) -> RenderableType:
    """Show checks as a tree, and below it what to do about each that is not as it should be."""
    root = Tree(_line(check), guide_style="dim")
    _grow(root, check)
    return Group(root, *_remedies(check))


def mark(of: Mark) -> Text:
    """Show a mark: its sign and its word."""
    sign, style = _SIGNS[of]
    return Text(f"{sign} {of}", style=style)


def table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, whole: int = 0) -> Table:
    """Show rows below their columns; the first `whole` columns are never broken into lines."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for at, column in enumerate(columns, 1):
        made.add_column(column, overflow="fold", no_wrap=at <= whole)
    for row in rows:
        made.add_row(*(each if isinstance(each, Text) else Text(plain(each)) for each in row))
    return made


def _grow(node: Tree, check: Check) -> None:
    for each in check.below:
        _grow(node.add(_line(each)), each)


def _line(check: Check) -> Text:
    sign, style = _SIGNS[check.mark]
    line = Text.assemble((f"{sign} ", style), (plain(check.name), style))
    if check.mark not in {Mark.OK, Mark.NOTE}:
        line.append(f" ({check.mark})", style)
    if check.found:
        line.append("  ").append(plain(check.found))
    return line


def _remedies(check: Check) -> Iterable[RenderableType]:
    for each in check.all():
        said = each.fix or each.commands or each.ways
        if each.mark is Mark.OK or not (said or (each.cause and each.mark is not Mark.UNKNOWN)):
            continue
        yield Text()
        sign, style = _SIGNS[each.mark]
        yield Text.assemble((f"{sign} {plain(each.name)}", style))
        for words in filter(None, (each.cause, each.fix)):
            yield _indented(Text(plain(words)))
        if each.said:
            yield _indented(Text(f"It was said: {plain(each.said)}"))
        yield from map(typed, each.commands)
        for way in each.ways:
            yield _indented(Text.assemble((f"{plain(way.who)}: ", "bold"), plain(way.what)))
            yield from map(typed, way.commands)


def _indented(words: Text, by: int = 2) -> RenderableType:
    return Padding(words, (0, 0, 0, by))
