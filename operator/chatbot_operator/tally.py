"""How many objects there are by what their conditions say, and when one was first proven. Pure.

Counted as the API server tells of them: after a restart the numbers are there once all were listed,
and a number that nobody makes up any more is gone.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from chatbot_operator.errors import REASONS
from chatbot_operator.status import STEPS, parse

SUMMARIES: Final = ("Ready", *STEPS, "LeastPrivilege", "Reconciling", "Stalled", "Degraded")
"""What may be said of a chatbot."""
OF_ACCOUNTS: Final = ("Usable", "Reachable", "RightsFit")
"""What may be said of an account."""
STATES: Final = ("True", "False", "Unknown")
UNKNOWN: Final = "Other"
"""A reason that is none of ours: who may write a status may write anything there."""
NOT_YET: Final = "NotReached"
"""Of an object of which nothing was said yet."""

Body = Mapping[str, Any]
Said = tuple[str, str, str]
"""A condition's type, status and reason."""


class _Known(NamedTuple):
    uid: str
    version: int
    said: tuple[Said, ...]
    new: bool
    """It was seen before its objects were there, and not proven since."""


class Tally:
    """Counts the objects of one kind, which have these `conditions`, the summary first."""

    def __init__(self, *conditions: str) -> None:
        self._conditions = conditions
        self._known: dict[tuple[str, str], _Known] = {}
        self.counts: Counter[Said] = Counter()

    def see(self, namespace: str, name: str, body: Body) -> float | None:
        """Take in an object as it is; if it was first proven just now, tell in how many seconds.

        Not of a proof after a withdrawal, nor of one that came while nobody watched. What was read
        before the object changed counts for nothing: resource versions grow
        (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions).
        """
        meta, status = body["metadata"], body.get("status", {})
        version = str(meta.get("resourceVersion", ""))
        number = int(version) if version.isdecimal() else 0
        before = self._known.get((namespace, name))
        same = before is not None and before.uid == meta["uid"]
        if before and same and number < before.version:
            return None
        said = self._said(status)
        if before is None or before.said != said:
            self.forget(namespace, name)
            self.counts.update(said)
        new = before.new if before and same else "selector" not in status
        proven = bool(status.get("provenAt"))
        self._known[namespace, name] = _Known(meta["uid"], number, said, new and not proven)
        return _seconds(meta, status) if new and proven else None

    def forget(self, namespace: str, name: str) -> None:
        """Take note that an object is gone."""
        known = self._known.pop((namespace, name), None)
        for each in known.said if known else ():
            self.counts[each] -= 1
            if not self.counts[each]:
                del self.counts[each]

    def _said(self, status: Mapping[str, Any]) -> tuple[Said, ...]:
        found = status.get("conditions") or ()
        said = tuple(
            (each["type"], each["status"], each["reason"] if each["reason"] in REASONS else UNKNOWN)
            for each in found
            if each["type"] in self._conditions and each["status"] in STATES
        )
        return said or ((self._conditions[0], "Unknown", NOT_YET),)


def _seconds(meta: Body, status: Body) -> float | None:
    """Tell how long it took, by the operator's own clock: `provenAt` is the pod's word."""
    proven = [
        parse(each["lastTransitionTime"])
        for each in status.get("conditions") or ()
        if each["type"] == "AccessProven" and each["status"] == "True"
    ]
    begun = dt.datetime.fromisoformat(meta["creationTimestamp"])
    return max(0.0, (proven[0] - begun).total_seconds()) if proven else None
