"""How all chatbots are doing, by the reasons that they give. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from chatbot_operator.cli.checks import Check, Mark, worst
from chatbot_operator.cli.doctor.looking import Dark, Kubectl, unknown
from chatbot_operator.errors import REASONS, Pending
from chatbot_operator.ports import Object
from chatbot_operator.status import Condition, by_type

NAME: Final = "chatbots"
_NEW: Final = "NotLookedAt"


def check(found: list[Object] | Dark, kubectl: Kubectl) -> Check:
    """Count chatbots that are Ready, and the others by reason, each with one to ask about."""
    if not isinstance(found, list):
        return unknown(NAME, found)
    if not found:
        return Check(NAME, Mark.NOTE, "there are none")
    ready, others, degraded = 0, defaultdict[tuple[Mark, str], list[str]](list), []
    for body in found:
        name = f"{body['metadata']['namespace']}/{body['metadata']['name']}"
        conditions = by_type(body.get("status") or {})
        summary = conditions.get("Ready")
        if summary is not None and summary.status == "True":
            ready += 1
            degraded += [name] if "Degraded" in conditions else []
            continue
        mark = Mark.WRONG if _stalled(summary, "Stalled" in conditions) else Mark.WAITING
        others[mark, summary.reason if summary else _NEW].append(name)
    below = [
        _reason(*key, names, kubectl) for key, names in sorted(others.items(), key=_worst_first)
    ]
    if degraded:
        below.append(_reason(Mark.NOTE, "Degraded, though Ready", degraded, kubectl))
    words = f"{ready} of {len(found)} Ready"
    return Check(NAME, worst(below), words, below=tuple(below))


def _stalled(summary: Condition | None, said: bool) -> bool:  # noqa: FBT001
    """Tell whether somebody has to act; a deletion that goes its way is False, and is none."""
    if summary is None or said:
        return said
    known = REASONS.get(summary.reason)
    return summary.status == "False" and (known is None or known.fault is not Pending)


def _worst_first(of: tuple[tuple[Mark, str], list[str]]) -> tuple[bool, int, str]:
    (mark, reason), names = of
    return mark is not Mark.WRONG, -len(names), reason


def _reason(mark: Mark, reason: str, names: list[str], kubectl: Kubectl) -> Check:
    namespace, _, name = names[0].partition("/")
    return Check(
        reason,
        mark,
        f"{len(names)}: {', '.join(names[:3])}{' …' if names[3:] else ''}",
        fix=f"Ask why, of {name} first:",
        commands=(kubectl("chatbot", "why", name, "-n", namespace),),
        facts={"chatbots": " ".join(names)},
    )
