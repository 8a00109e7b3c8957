"""What was measured, as a table that a person reads."""

from __future__ import annotations

from dataclasses import dataclass

from rich.table import Table

COLUMNS = ("measured", "chatbot", "Gradio", "direct", "bound", "")


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement, in words; `kept` is whether the bound was, None without one."""

    name: str
    chatbot: str
    gradio: str = ""
    direct: str = ""
    bound: str = ""
    kept: bool | None = None

    @property
    def verdict(self) -> str:
        """Say whether the bound was kept."""
        return {True: "kept", False: "BROKEN", None: ""}[self.kept]

    @property
    def cells(self) -> tuple[str, ...]:
        """Give what stands in the columns."""
        return (self.name, self.chatbot, self.gradio, self.direct, self.bound, self.verdict)


def for_terminal(rows: list[Row], conditions: str) -> Table:
    """Lay the rows out for a terminal."""
    table = Table(*COLUMNS, caption=conditions, caption_justify="left")
    for row in rows:
        table.add_row(*row.cells, style="bold red" if row.kept is False else "")
    return table


def markdown(rows: list[Row], conditions: str) -> str:
    """Lay the rows out for a README."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *(row.cells for row in rows)]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", conditions])
