"""A plan: what would be written for each object, what bars it, who loses access. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from chatbot_operator.chatbot import CONFIRM
from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.command import Code
from chatbot_operator.cli.plan.laying import Laid
from chatbot_operator.cli.plan.rehearsal import Part
from chatbot_operator.cli.plan.writes import Difference, Side, Verb, Write
from chatbot_operator.cli.why.conditions import words
from chatbot_operator.cli.why.remedies import Known, ways
from chatbot_operator.errors import DENIALS, Blind, Denied, Fault, Pending, Transient
from chatbot_operator.ports import Object
from chatbot_operator.reconcile.withdrawal import HELD, TAKEN
from chatbot_operator.status import by_type

_NAMES: Final = {
    Mark.WRONG: "goes no further",
    Mark.WAITING: "waits",
    Mark.UNKNOWN: "could not look on",
}
WRITTEN: Final = (Verb.CREATE, Verb.CHANGE, Verb.DELETE)


class Access(StrEnum):
    """What becomes of the access that a chatbot has."""

    KEPT = "kept"
    LOST = "lost"
    HELD = "held"
    """It would be lost, if not so many others would lose it at once."""
    NONE = "none"
    """It is denied, and has none."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What would come of one object.

    `manifest` is what a person does to it, None: nothing; `bar` what keeps the operator from going
    on, WAITING where nobody has to act; `remains` tells in words what a deletion leaves in Azure.
    """

    kind: str
    name: str
    manifest: Laid | None
    writes: tuple[Write, ...]
    left: tuple[Write, ...]
    access: Access
    bar: Check | None
    remains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be written; `notes` say what it rests on and what it cannot show.

    `grace`: seconds from a denial to the end of the access that a chatbot has; `confirmations`:
    what to type where many would lose it at once, and that is meant.
    """

    outlooks: tuple[Outlook, ...]
    notes: tuple[str, ...]
    grace: float
    confirmations: tuple[str, ...]

    @property
    def code(self) -> Code:
        """FINE where nothing would be written and nothing bars; UNANSWERED where it is not all."""
        bars = {each.bar.mark for each in self.outlooks if each.bar}
        if Mark.UNKNOWN in bars:
            return Code.UNANSWERED
        found = Mark.WRONG in bars or any(
            each.writes or _is_written(each.manifest) for each in self.outlooks
        )
        return Code.FOUND if found else Code.FINE

    def count(self) -> Counter[tuple[Side, Verb]]:
        """Count the operator's own writes."""
        all_writes = (write for each in self.outlooks for write in each.writes)
        return Counter((write.side, write.verb) for write in all_writes if not write.command)

    def document(self) -> dict[str, Any]:
        """Give it as JSON."""
        count = self.count()
        return {
            "objects": [_outlook(each) for each in self.outlooks],
            "summary": {
                side.lower(): {str(verb): count[side, verb] for verb in WRITTEN} for side in Side
            },
            "graceSeconds": self.grace,
            "confirmations": list(self.confirmations),
            "notes": list(self.notes),
        }


def outlook(part: Part, laid: Laid | None, known: Known) -> Outlook:
    """Sum up the passes over one object; `known` is what commands are spelled from."""
    where = f"{part.key.namespace}/" if part.key.namespace else ""
    return Outlook(
        kind=part.key.resource.kind,
        name=f"{where}{part.key.name}",
        manifest=laid,
        writes=tuple(part.record.writes),
        left=tuple(part.record.untouched()),
        access=_access(part),
        bar=_bar(part, known),
        remains=tuple(part.record.left),
    )


def confirmations(outlooks: Iterable[Outlook], spell: Callable[..., str]) -> tuple[str, ...]:
    """Give the commands by which somebody confirms that chatbots are to lose access.

    `spell` makes a command of kubectl's words.
    """
    by_namespace: dict[str, list[str]] = {}
    for each in outlooks:
        if each.access is Access.HELD:
            namespace, _, name = each.name.partition("/")
            by_namespace.setdefault(namespace, []).append(name)
    return tuple(
        spell("annotate", "chatbot", "-n", namespace, *names, f"{CONFIRM}=true")
        for namespace, names in by_namespace.items()
    )


def barred(reason: str, message: str, known: Known, *, mark: Mark = Mark.WRONG) -> Check:
    """Say what keeps the operator from going on, as `why` says it.

    `mark` is WAITING where nobody has to act, UNKNOWN where it could not be found out.
    """
    cause, fix, said = words(reason, message)
    return Check(
        _NAMES[mark],
        mark,
        reason,
        cause=cause,
        fix=fix,
        said=said,
        ways=ways(reason, replace(known, message=message)) if mark is Mark.WRONG else (),
        facts={"reason": reason, "message": message},
    )


def _bar(part: Part, known: Known) -> Check | None:
    fault: Fault | None = part.fault
    held = by_type((part.after or {}).get("status", {})).get("Permitted")
    if isinstance(fault, Denied) and held is not None and held.reason == HELD:
        return barred(HELD, held.message, known)
    if fault is not None:
        return barred(fault.reason, fault.message, known, mark=_mark(fault))
    if not part.rests:
        return Check("not at rest", Mark.UNKNOWN, fix="The plan may not be all: it went on and on.")
    return None


def _mark(fault: Fault) -> Mark:
    if isinstance(fault, Pending):
        return Mark.WAITING
    # In a rehearsal, nothing but a reading of the person's own can fail.
    return Mark.UNKNOWN if isinstance(fault, Transient | Blind) else Mark.WRONG


def _access(part: Part) -> Access:
    before, after = _status(part.before), _status(part.after)
    had, permitted = by_type(before), by_type(after).get("Permitted")
    if permitted is None or permitted.status != "False":
        return Access.KEPT
    if permitted.reason == HELD:
        return Access.HELD
    taken = any(c.reason in TAKEN and c != had.get(c.type) for c in by_type(after).values())
    if taken and permitted.reason in DENIALS:
        return Access.LOST
    return Access.NONE


def _status(body: Object | None) -> dict[str, Any]:
    return dict((body or {}).get("status") or {})


def _is_written(laid: Laid | None) -> bool:
    return laid is not None and laid.verb is not Verb.LEAVE


def _outlook(one: Outlook) -> dict[str, Any]:
    whole = {
        "kind": one.kind,
        "name": one.name,
        "manifest": _manifest(one.manifest),
        "writes": [_write(each) for each in one.writes],
        "untouched": [_write(each) for each in one.left],
        "access": str(one.access),
        "bar": one.bar and one.bar.document(),
        "remains": list(one.remains),
    }
    return {key: value for key, value in whole.items() if value not in (None, [])}


def _manifest(laid: Laid | None) -> dict[str, Any] | None:
    if laid is None:
        return None
    return {"verb": str(laid.verb), "fields": _fields(laid.differences)}


def _write(one: Write) -> dict[str, Any]:
    whole = {
        "side": str(one.side),
        "verb": str(one.verb),
        "kind": one.kind,
        "name": one.name,
        "target": one.target,
        "fields": _fields(one.differences),
        "note": one.note,
        "command": one.command,
    }
    return {key: value for key, value in whole.items() if value not in ("", [])}


def _fields(found: Iterable[Difference]) -> list[dict[str, Any]]:
    return [
        {"path": each.path, "before": each.before, "after": each.after}
        if each.characters is None
        else {"path": each.path, "charactersChanged": each.characters}
        for each in found
    ]
