"""The status of a chatbot: its conditions and what sums them up. Pure.

    Ready ─┬─ Permitted ── IdentityReady ─┬─ RoleAssigned
           │                              └─ FederationReady
           ├─ WorkloadReady
           └─ AccessProven
    LeastPrivilege: beside them; whatever it says, nothing is stopped or deleted
    Reconciling, Stalled, Degraded: there only while true

Read by kstatus (Flux, Argo CD, `kubectl wait`): Stalled=True is Failed, Reconciling=True or
Ready!=True is InProgress, an observedGeneration that is not the generation is InProgress
(https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, cast

from chatbot_operator.errors import Fault
from chatbot_operator.words import plain

State = Literal["True", "False", "Unknown"]

STEPS: Final = (
    "Permitted",
    "IdentityReady",
    "RoleAssigned",
    "FederationReady",
    "WorkloadReady",
    "AccessProven",
)
CHATBOT_CONDITIONS: Final = {
    "Ready": "all of the following are; its reason and message are those of the first that is not",
    "Permitted": "the account allows this namespace what it asks for",
    "IdentityReady": "the managed identity is there and this chatbot's",
    "RoleAssigned": "the identity may use the account",
    "FederationReady": "the identity trusts the service account's tokens",
    "WorkloadReady": "the pods run, and visitors come to them",
    "AccessProven": "a pod was answered by the account with its own token",
    "LeastPrivilege": "nothing was found that can do more than the chatbot needs, and nobody else"
    " who can be it; bars nothing",
    "Reconciling": "there only while true: something is on its way",
    "Stalled": "there only while true: somebody has to act",
    "Degraded": "there only while true: it works, and something is wrong all the same",
}
"""Every condition of a chatbot and when it is true, in words that follow its name."""
ACCOUNT_CONDITIONS: Final = {
    "Usable": "chatbots may be made for it: it is there, takes Entra tokens and is of the right"
    " kind",
    "Reachable": "its network lets chatbots in; Unknown where that depends on where they run",
    "RightsFit": "the operator holds the rights in Azure that it needs, and no others",
    "Reconciling": "there only while true: it is being looked at",
    "Stalled": "there only while true: somebody has to act",
}
"""Every condition of an account and when it is true."""
AWAITING_PROOF: Final = "AwaitingProof"
"""Of a step that is not done because a later one is not; Ready names that one."""
MESSAGE_LIMIT: Final = 2048
_LONG_AGO: Final = dt.datetime.fromtimestamp(0, dt.UTC)
_TRACED: Final = re.compile(r"(.*) \(request ([-.:\w]{1,100})\)", re.DOTALL | re.ASCII)
_TIME: Final = re.compile(r"(?<![-\w])\d[-:./TZ\d]*(?![-\w])", re.ASCII)
"""Numbers and times that stand alone; those within a name count."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is true, false or not known, with a word for programs and words for people.

    `trace` is the id of the request whose answer says so, if one does.
    """

    type: str
    status: State
    reason: str
    message: str = ""
    trace: str = ""

    @property
    def words(self) -> str:
        """The message with the trace, as a person reads them."""
        return f"{self.message} (request {self.trace})" if self.trace else self.message


@dataclass(frozen=True, slots=True)
class Surplus:
    """More than a chatbot needs, by which somebody else could be it; `what` is found, in words."""

    reason: str
    what: str


def least_privilege(found: Iterable[Surplus]) -> Condition:
    """Say whether nobody but the chatbot can be it, with all that was found; stops nothing."""
    surplus = sorted(found, key=lambda each: (each.reason, each.what))
    if not surplus:
        return true("LeastPrivilege", "NothingForeign", "Nothing beyond what it needs was found.")
    what = " ".join(each.what for each in surplus)
    return false("LeastPrivilege", surplus[0].reason, what[:MESSAGE_LIMIT])


def true(kind: str, reason: str, message: str = "") -> Condition:
    """Say that something is so."""
    return Condition(kind, "True", reason, message)


def false(kind: str, reason: str, message: str = "") -> Condition:
    """Say that something is not so."""
    return Condition(kind, "False", reason, message)


def unknown(kind: str, reason: str, message: str = "") -> Condition:
    """Say that it is not known yet."""
    return Condition(kind, "Unknown", reason, message)


def because(kind: str, state: State, fault: Fault) -> Condition:
    """Say why something is not as it should be, or not known to be."""
    return Condition(kind, state, fault.reason, fault.message, fault.trace)


def summarize(steps: Iterable[Condition], *, stalled: bool) -> list[Condition]:
    """Put Ready before the steps, filling in those not reached, and Reconciling or Stalled.

    Ready takes reason and message of the first step that is not true, unless that one only waits
    for the proof. `stalled`: that step needs a person.
    """
    reached = {step.type: step for step in steps}
    waiting = next((c for c in reached.values() if c.status != "True" and c.type in STEPS), None)
    behind = f"Waits for {waiting.type}." if waiting else ""
    ordered = [reached.get(t) or unknown(t, "NotReached", behind) for t in STEPS]
    extra = [c for c in reached.values() if c.type not in STEPS]
    undone = [step for step in ordered if step.status != "True"]
    blocking = min(undone, key=lambda step: step.reason == AWAITING_PROOF, default=None)
    if blocking is None:
        ready = true("Ready", "Ready", "The account answers this chatbot's own pods.")
        return [ready, *ordered, *extra]
    ready = replace(blocking, type="Ready")
    summary = replace(blocking, type="Stalled" if stalled else "Reconciling", status="True")
    return [ready, *ordered, *extra, summary]


def document(
    conditions: Iterable[Condition],
    facts: Mapping[str, Any],
    *,
    generation: int,
    previous: Mapping[str, Any],
    now: dt.datetime,
) -> dict[str, Any]:
    """Write the whole status: `facts` beside the conditions, empty ones left out.

    A condition keeps its lastTransitionTime for as long as its status stays, and its words for as
    long as only what differs with every try would be new.
    """
    before, since = by_type(previous), _since(previous)
    return {
        "observedGeneration": generation,
        **{key: value for key, value in facts.items() if value not in ("", None, {})},
        "conditions": [
            {
                "type": condition.type,
                "status": condition.status,
                "observedGeneration": generation,
                "reason": condition.reason,
                "message": _steady(condition, before.get(condition.type)).words,
                "lastTransitionTime": since.get((condition.type, condition.status), stamp(now)),
            }
            for condition in conditions
        ],
    }


def _since(status: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    return {(c["type"], c["status"]): c["lastTransitionTime"] for c in status.get("conditions", ())}


def _steady(condition: Condition, before: Condition | None) -> Condition:
    """Give what was said before if nothing but the try is another.

    Each answer has an id of its own, and Azure's words count seconds and tell the time.
    """
    condition = replace(condition, message=plain(condition.message)[:MESSAGE_LIMIT])
    if before is None or not (before.trace and condition.trace):
        return condition
    same = _untimed(before) == _untimed(condition)
    return before if same else condition


def _untimed(condition: Condition) -> tuple[str, str, str]:
    return condition.status, condition.reason, _TIME.sub("#", condition.message)


def turn(before: Mapping[str, Any], after: Mapping[str, Any]) -> Condition | None:
    """Give the condition that a person wants to hear of because it has turned, if one has.

    Stalled when it comes or has another reason, else Ready (Usable, of an account) when its state
    is another; one that is not known yet has not turned.
    """
    known, found = by_type(before), by_type(after)
    stalled = found.get("Stalled")
    if stalled and ("Stalled" not in known or known["Stalled"].reason != stalled.reason):
        return stalled
    summary = found.get("Ready") or found.get("Usable")
    if summary is None:
        return None
    was = known[summary.type].status if summary.type in known else "Unknown"
    return summary if summary.status != was else None


def by_type(status: Mapping[str, Any]) -> dict[str, Condition]:
    """Read the conditions of a status, in their order."""
    return {c["type"]: _parsed(c) for c in status.get("conditions", ())}


def _parsed(condition: Mapping[str, str]) -> Condition:
    traced = _TRACED.fullmatch(condition["message"])
    message, trace = traced.groups() if traced else (condition["message"], "")
    return Condition(
        condition["type"], cast("State", condition["status"]), condition["reason"], message, trace
    )


def transitioned(previous: Mapping[str, Any], kind: str, state: State) -> dt.datetime | None:
    """Tell since when a condition has had this status; None if it has another."""
    for condition in previous.get("conditions", ()):
        if condition["type"] == kind and condition["status"] == state:
            return parse(condition["lastTransitionTime"])
    return None


def stamp(time: dt.datetime) -> str:
    """Write a time as Kubernetes does, to the second."""
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(text: str) -> dt.datetime:
    """Read a time as Kubernetes writes it; what it would not write was forged, and is long ago.

    The API server takes `2026-01-31T12:00:00+99:99` for a time
    (https://github.com/kubernetes/kube-openapi/blob/master/pkg/validation/strfmt/time.go): a pass
    that ends at it would never come to a withdrawal.
    """
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return _LONG_AGO
