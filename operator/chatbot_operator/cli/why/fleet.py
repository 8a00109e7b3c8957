"""Every chatbot in a line: which are not Ready, and why. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from chatbot_operator.cli import show
from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.spans import since
from chatbot_operator.cli.why import conditions
from chatbot_operator.cli.why.remedies import Known, within
from chatbot_operator.ports import Object
from chatbot_operator.status import parse

_ORDER: Final = (Mark.WRONG, Mark.WAITING, Mark.UNKNOWN, Mark.NOTE, Mark.OK)


@dataclass(frozen=True, slots=True)
class Row:
    """A chatbot in a line; `url` is where it is, as far as it is known."""

    namespace: str
    name: str
    mark: Mark
    ready: bool
    reason: str
    message: str
    since: str
    url: str

    def document(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {
            "namespace": self.namespace,
            "name": self.name,
            "mark": str(self.mark),
            "ready": self.ready,
            "reason": self.reason,
            "message": self.message,
            "since": self.since,
            "url": self.url,
        }


def rows(chatbots: Iterable[Object], now: dt.datetime, kubectl: Callable[..., str]) -> list[Row]:
    """Give a line for each, those that need somebody first."""
    found = [_row(body, now, kubectl) for body in chatbots]
    return sorted(found, key=lambda row: (_ORDER.index(row.mark), row.namespace, row.name))


def shown(
    found: list[Row],
    operator: Check,
    now: dt.datetime,
    kubectl: Callable[..., str],
    *,
    namespace: str,
) -> RenderableType:
    """Show them as a table, below an operator that does not work; `namespace` empty: of all."""
    everywhere = not namespace
    columns = ("", *(("NAMESPACE",) if everywhere else ()), "NAME", "FOR", "REASON", "WHAT")
    lines = [
        (
            show.mark(row.mark),
            *((row.namespace,) if everywhere else ()),
            row.name,
            since(parse(row.since), now) if row.since else "",
            row.reason,
            row.url if row.mark is Mark.OK else in_short(row.message),
        )
        for row in found
    ]
    bad = [show.tree(operator), Text()] if operator.mark is Mark.WRONG else []
    return Group(*bad, show.Rows(columns, lines), *_next(found, kubectl, namespace))


def _next(
    found: list[Row], kubectl: Callable[..., str], namespace: str
) -> Iterable[RenderableType]:
    """Say what to type next, where there is anything to ask."""
    if not found:
        where = f"namespace {namespace}" if namespace else "the cluster"
        yield Text(f"There is no chatbot in {where}." + (" Those of all:" if namespace else ""))
        if namespace:
            yield show.typed(kubectl("chatbot", "why", "-A"))
    elif found[0].mark not in {Mark.OK, Mark.NOTE}:
        first = found[0]
        yield Text(f"\nWhat to do about {first.name} says:")
        yield show.typed(kubectl("chatbot", "why", first.name, "-n", first.namespace))


def in_short(message: str) -> str:
    """Give the first sentence of a message."""
    head, dot, _ = message.partition(". ")
    return head + dot.strip()


def _row(body: Object, now: dt.datetime, kubectl: Callable[..., str]) -> Row:
    metadata, status = body["metadata"], body.get("status", {})
    there = {c["type"]: c for c in status.get("conditions", ())}
    observed = status.get("observedGeneration") == metadata["generation"]
    gone = metadata.get("deletionTimestamp", "")
    said = there.get("Ready")
    if said is None or not observed:
        since_, message = metadata["creationTimestamp"], "The operator has not looked at it yet."
        mark, ready, reason = Mark.WAITING, False, conditions.UNSEEN
    else:
        since_, message, reason = said["lastTransitionTime"], said["message"], said["reason"]
        lasted = (now - parse(since_)).total_seconds()
        mark = conditions.mark_of(said, lasted=lasted, limit=within(reason, Known(kubectl)))
        ready = said["status"] == "True" and not gone
    if ready and "Degraded" in there:
        mark, reason, message = (
            Mark.WRONG,
            there["Degraded"]["reason"],
            there["Degraded"]["message"],
        )
    return Row(
        metadata["namespace"],
        metadata["name"],
        mark,
        ready,
        reason,
        message,
        gone or since_,
        status.get("url", ""),
    )
