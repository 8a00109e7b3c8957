"""Everything that was seen of a chatbot, as one tree. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from chatbot_operator.account import Account
from chatbot_operator.chatbot import FINALIZER, LEAVE_AZURE, Chatbot
from chatbot_operator.cli.checks import Check, Mark, Way, worst
from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.doctor import definitions, shipped
from chatbot_operator.cli.doctor.running import tag
from chatbot_operator.cli.spans import since, span
from chatbot_operator.cli.unread import Unread
from chatbot_operator.cli.why import conditions, events, pods, running
from chatbot_operator.cli.why.remedies import Known
from chatbot_operator.cli.why.remedies.known import CLUSTER, OPERATOR, TEAM
from chatbot_operator.cli.why.seen import DEFINITION, Seen
from chatbot_operator.ports import Object
from chatbot_operator.status import STEPS, parse, stamp

T = TypeVar("T")

LOOK_SECONDS: Final = 60.0
"""Seconds within which an operator that runs has looked at a change."""
_BELOW: Final = {"IdentityReady": ("RoleAssigned", "FederationReady")}
_NEVER: Final = {"status": "Unknown", "reason": "", "message": "", "lastTransitionTime": ""}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What comes of it: a tree, and how it all stands in one line."""

    tree: Check
    ready: bool
    reason: str
    message: str
    since: str

    def document(self, namespace: str) -> dict[str, Any]:
        """Give it as JSON."""
        said = {"ready": self.ready, "reason": self.reason, "message": self.message}
        return {"namespace": namespace, **said, "since": self.since, **self.tree.document()}


def parsed(parse: Callable[[Object], T], body: Object) -> T:
    """Read an object; raises UnansweredError where the cluster keeps it by an older CRD."""
    try:
        return parse(body)
    except KeyError as missing:
        raise UnansweredError(
            f"The {body.get('kind', 'object')} has no {missing}, which the CRD of this version"
            " gives it: the CRDs in the cluster are older than this program. Apply those of this"
            " version; `kubectl chatbot doctor` compares them."
        ) from missing


def known_of(seen: Seen, chatbot: Chatbot) -> Known:
    """Gather what commands are spelled from."""
    account = parsed(Account.parse, seen.account) if isinstance(seen.account, dict) else None
    operators = None if isinstance(seen.running, Unread) else seen.running
    known = Known(
        kubectl=seen.kubectl,
        chatbot=chatbot,
        account=account,
        account_name=chatbot.account,
        accounts=seen.accounts,
        operator=operators.of(chatbot.namespace) if operators else None,
    )
    mine = [] if isinstance(seen.pods, Unread) else pods.of_chatbot(seen.pods, chatbot.name)
    return replace(known, pods=pods.worst_first(mine, known, seen.now))


def verdict(seen: Seen) -> Verdict:
    """Say how a chatbot stands and why, what the conditions cannot know first."""
    chatbot = parsed(Chatbot.parse, seen.chatbot)
    known, now = known_of(seen, chatbot), seen.now
    there = {c["type"]: c for c in chatbot.status.get("conditions", ())}
    ready = there.get("Ready", _NEVER)
    operator = running.check(seen.running, chatbot.namespace, known, now, fresh=chatbot.observed)
    works_on = operator.mark is not Mark.WRONG
    first = [operator, *_definition(seen, known), *_namespace(seen)]
    first += _freshness(seen, chatbot, known, works_on=works_on)
    if chatbot.deleted_at is not None:
        first += _deletion(chatbot, ready, known, now)
    else:
        first += _steps(seen, chatbot, there, known)
    works = ready["status"] == "True" and chatbot.observed and chatbot.deleted_at is None
    first += _warnings(seen, chatbot, ready, works=works)
    below = tuple(first)
    tree = Check(
        chatbot.name, _mark(below, works=works), _summary(chatbot, ready, now), below=below
    )
    reason, message = _said(chatbot, ready)
    return Verdict(tree, works, reason, message, ready["lastTransitionTime"])


def _warnings(seen: Seen, chatbot: Chatbot, ready: Object, *, works: bool) -> Iterable[Check]:
    if isinstance(seen.warnings, Unread):
        yield Check("events", Mark.UNKNOWN, str(seen.warnings))
        return
    over = parse(ready["lastTransitionTime"]) if works else None
    told = events.checks(seen.warnings, chatbot, seen.now, said=ready["reason"], over=over)
    if told:
        yield Check("recent warnings", Mark.NOTE, below=told)


def _said(chatbot: Chatbot, ready: Object) -> tuple[str, str]:
    """Give reason and message in short, for a program and for a table."""
    if not ready["reason"]:
        return conditions.UNSEEN, "The operator has not looked at the chatbot yet."
    if not chatbot.observed:
        what = "deletion" if chatbot.deleted_at else "last change"
        return conditions.UNSEEN, f"The operator has not looked at the {what} yet."
    return ready["reason"], ready["message"]


def _mark(below: tuple[Check, ...], *, works: bool) -> Mark:
    """Sum up: what could not be looked at does not make a chatbot that works doubtful."""
    whole = worst(each for check in below for each in check.all())
    if whole is Mark.UNKNOWN and works:
        return Mark.OK
    return Mark.WAITING if whole in {Mark.OK, Mark.UNKNOWN} and not works else whole


def _summary(chatbot: Chatbot, ready: Object, now: dt.datetime) -> str:
    if chatbot.deleted_at is not None:
        return f"being deleted, for {since(chatbot.deleted_at, now)}"
    if not ready["reason"]:
        return "not looked at by the operator yet"
    lasted = since(parse(ready["lastTransitionTime"]), now)
    if not chatbot.observed:
        return f"changed, and not looked at by the operator since; before: {ready['reason']}"
    if ready["status"] == "True":
        url = chatbot.status.get("url", "")
        return f"Ready for {lasted}" + (f", at {url}" if url else "")
    return f"not Ready for {lasted}: {ready['reason']}"


def _definition(seen: Seen, known: Known) -> Iterable[Check]:
    """Tell of a CRD that is not the one that came with this program, where that matters."""
    if seen.definition is None:
        return
    file, wanted = next(d for d in shipped.definitions() if d[1]["metadata"]["name"] == DEFINITION)
    image = known.operator.image if known.operator else ""
    found = definitions.check(
        wanted,
        seen.definition,
        same_release=tag(image) in {"", shipped.release()},
        file=str(file),
        kubectl=seen.kubectl,
    )
    if found.mark in {Mark.WRONG, Mark.WAITING}:
        yield found


def _namespace(seen: Seen) -> Iterable[Check]:
    if isinstance(seen.namespace, dict):
        gone = seen.namespace["metadata"].get("deletionTimestamp")
        if gone:
            found = (
                f"is being deleted, for {since(parse(gone), seen.now)}: the chatbot goes with it"
            )
            yield Check(f"namespace {seen.namespace['metadata']['name']}", Mark.WRONG, found)


def _freshness(seen: Seen, chatbot: Chatbot, known: Known, *, works_on: bool) -> Iterable[Check]:
    """Tell whether the operator, if it `works_on`, has looked at the chatbot as it is now."""
    if chatbot.observed:
        return
    never = chatbot.status.get("observedGeneration", -1) < 0
    since_ = chatbot.deleted_at or _changed(seen.chatbot)
    waited = (seen.now - since_).total_seconds()
    what = "at the chatbot" if never else "at the last change"
    what = "at the deletion" if chatbot.deleted_at else what
    found = f"the operator has not looked {what} for {span(waited)}"
    if not works_on:
        yield Check("status", Mark.WRONG, found)
        return
    if waited < LOOK_SECONDS:
        yield Check("status", Mark.WAITING, found, fix="Nothing to type: wait. It takes seconds.")
        return
    which = ("-n", known.home, "-l", f"app.kubernetes.io/name={OPERATOR}")
    looks = (
        known.kubectl("get", "pods", *which),
        known.logs,
        known.kubectl("chatbot", "doctor"),
    )
    yield Check(
        "status",
        Mark.WRONG,
        found,
        cause="An operator that runs looks within seconds: none is there, none works, or it looks"
        " at other namespaces. What follows is how it was before.",
        ways=(Way(CLUSTER, "find out why the operator does not look.", looks),),
    )


def _changed(body: Object) -> dt.datetime:
    """Tell when somebody last wrote the chatbot, other than the operator."""
    metadata = body["metadata"]
    times = [
        entry["time"]
        for entry in metadata.get("managedFields", ())
        if not entry.get("subresource") and entry.get("manager") != OPERATOR and "time" in entry
    ]
    return max(map(parse, times), default=parse(metadata["creationTimestamp"]))


def _deletion(chatbot: Chatbot, ready: Object, known: Known, now: dt.datetime) -> Iterable[Check]:
    """Say what a deletion that the operator has looked at waits for."""
    if not chatbot.observed or chatbot.deleted_at is None:
        return
    others = [each for each in chatbot.finalizers if each != FINALIZER]
    if FINALIZER not in chatbot.finalizers:
        found = f"the operator is done; finalizer {', '.join(others)} holds the chatbot"
        off = known.patch_chatbot({"op": "remove", "path": "/metadata/finalizers"})
        way = Way(TEAM, "have whoever put it there take it off; else, by hand:", (off,))
        yield Check("deletion", Mark.WRONG, found, ways=(way,))
        return
    waits = {**ready, "type": "deletion", "lastTransitionTime": stamp(chatbot.deleted_at)}
    told = replace(known, message=ready["message"])
    check = conditions.check({**waits, "status": "False"}, told, now, granted={})
    if check.mark is Mark.WRONG and not chatbot.leaves_azure:
        let = known.here("annotate", "chatbot", chatbot.name, f"{LEAVE_AZURE}=true")
        what = "or let the chatbot go, and leave what it has in Azure for somebody."
        check = replace(check, ways=(*check.ways, Way(TEAM, what, (let,))))
    yield check


def _steps(seen: Seen, chatbot: Chatbot, there: dict[str, Object], known: Known) -> Iterable[Check]:
    """Give the steps in the order of `status.STEPS`, and what is beside them."""
    granted = chatbot.status.get("grantedAt", {})

    def one(kind: str) -> Check | None:
        said = there.get(kind)
        if said is None:
            return None
        return conditions.check(
            said, replace(known, message=said["message"]), seen.now, granted=granted
        )

    if chatbot.suspended:
        yield _suspended(known)
    below = {kind for kinds in _BELOW.values() for kind in kinds}
    for kind in STEPS:
        check = one(kind)
        if check is None or kind in below:
            continue
        more = tuple(filter(None, map(one, _BELOW.get(kind, ()))))
        if kind == "WorkloadReady":
            more = _pods(seen, chatbot, known)
            if check.mark is Mark.WAITING and worst(more) is Mark.WRONG:
                # Nobody is told to wait for what will not come.
                check = replace(check, cause="", fix="", said="")
        yield replace(check, below=more)
    if "Degraded" in there:
        # True is what is wrong here, unlike with the others.
        trouble = {**there["Degraded"], "status": "False"}
        told = replace(known, message=trouble["message"])
        yield conditions.check(trouble, told, seen.now, granted=granted)
    beside = one("LeastPrivilege")
    if beside is not None:
        yield beside


def _suspended(known: Known) -> Check:
    return Check(
        "suspend",
        Mark.WRONG,
        "spec.suspend is true",
        cause="The operator writes nothing while it is; what follows is how it was before.",
        ways=(Way(TEAM, "let the operator go on.", (known.merge_chatbot({"suspend": False}),)),),
    )


def _pods(seen: Seen, chatbot: Chatbot, known: Known) -> tuple[Check, ...]:
    if isinstance(seen.pods, Unread):
        return (Check("pods", Mark.UNKNOWN, str(seen.pods)),)
    return pods.checks(pods.of_chatbot(seen.pods, chatbot.name), known, seen.now)
