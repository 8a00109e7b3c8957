"""docs/reasons.md, as the code has it: `make reference` writes it, a test compares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from chatbot_operator.errors import REASONS, TABLE, Pending, Reason, Row, Service, Stuck, Transient
from chatbot_operator.errors.faults import Blind
from chatbot_operator.errors.reasons import CHAPTERS
from chatbot_operator.status import ACCOUNT_CONDITIONS, CHATBOT_CONDITIONS

PAGE: Final = Path(__file__).parents[1] / "docs" / "reasons.md"

HEAD: Final = """# Conditions and reasons

Every condition of a chatbot and of an account, and every reason that a condition or an event can give, and what to do about it.
Written from the code by `make reference`. A condition's message says the same in the particular case, with
what Azure said and the id of the request, by which Microsoft's support and the activity log find it.

What happens next: **waits** looks again soon, nobody has to act; **tries again** backs off, up to ten
minutes; **blind**: the operator lacks a right or a token, what works goes on working; **stalls**:
somebody has to act, and it is looked at again slowly.
"""
CONDITIONS: Final = {
    "Conditions of a chatbot": CHATBOT_CONDITIONS,
    "Conditions of an account": ACCOUNT_CONDITIONS,
}
ANSWERS: Final = "From answer to reason"
NEXT: Final = {
    Pending: "waits",
    Transient: "tries again",
    Blind: "blind",
    Stuck: "stalls",
    None: "",
}
SERVICES: Final = {
    Service.ARM: "Azure Resource Manager",
    Service.ENTRA: "Entra",
    Service.KUBERNETES: "Kubernetes",
    Service.POD: "A chatbot's pod (docs/contract.md)",
}


def page() -> str:
    """Write the whole page."""
    return "\n".join([HEAD, *_contents(), *_conditions(), *_chapters(), *_answers()])


def _contents() -> Iterator[str]:
    for title in (*CONDITIONS, *CHAPTERS, ANSWERS):
        yield f"- [{title}](#{title.lower().replace(' ', '-')})"
    yield ""


def _conditions() -> Iterator[str]:
    for title, conditions in CONDITIONS.items():
        yield f"## {title}\n"
        yield "| condition | true when |\n|---|---|"
        yield from (f"| `{name}` | {when} |" for name, when in conditions.items())
        yield ""


def _chapters() -> Iterator[str]:
    for title, reasons in CHAPTERS.items():
        yield f"## {title}\n"
        yield "| reason | cause | what to do | next |\n|---|---|---|---|"
        yield from map(_reason, sorted(reasons, key=lambda reason: reason.name))
        yield ""


def _reason(reason: Reason) -> str:
    return f"| `{reason.name}` | {reason.cause} | {reason.fix} | {NEXT[reason.fault]} |"


def _answers() -> Iterator[str]:
    yield f"## {ANSWERS}\n"
    yield "The most exact row counts. A dash is any; 500 stands for all of 5xx, 0 for no answer.\n"
    for service, title in SERVICES.items():
        rows = [row for row in TABLE if row.service is service]
        spreads = any(row.meanwhile for row in rows)
        yield f"### {title}\n"
        yield f"| status | code | reason | next |{' while it may still be spreading |' * spreads}"
        yield f"|---|---|---|---|{'---|' * spreads}"
        yield from (_row(row, spreads=spreads) for row in rows)
        yield ""


def _row(row: Row, *, spreads: bool) -> str:
    status = "-" if row.status is None else row.status
    code = f"`{row.code}`" if row.code else "-"
    meanwhile = f"`{row.meanwhile}`" if row.meanwhile else ""
    known = f"| {status} | {code} | `{row.reason}` | {NEXT[REASONS[row.reason].fault]} |"
    return f"{known} {meanwhile} |" if spreads else known


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
