"""Everything that was seen of an account, as one tree. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from chatbot_operator.account import Account
from chatbot_operator.cli.checks import Check, Mark, worst
from chatbot_operator.cli.spans import since
from chatbot_operator.cli.unread import Unread
from chatbot_operator.cli.why import conditions, running
from chatbot_operator.cli.why.chatbot import Verdict, parsed
from chatbot_operator.cli.why.remedies import Known, ways
from chatbot_operator.cli.why.running import Running
from chatbot_operator.errors import REASONS
from chatbot_operator.ports import Object
from chatbot_operator.status import parse

KINDS: Final = ("Usable", "Reachable", "RightsFit")
_ABSENT: Final = {"status": "Unknown", "reason": conditions.UNSEEN, "lastTransitionTime": ""}


def verdict(
    body: Object, seen: Running | Unread, now: dt.datetime, kubectl: Callable[..., str]
) -> Verdict:
    """Say how an account stands and why."""
    account = parsed(Account.parse, body)
    operators = None if isinstance(seen, Unread) else seen
    known = Known(
        kubectl=kubectl,
        account=account,
        account_name=account.name,
        operator=next(iter(operators.installed), None) if operators else None,
    )
    there = {c["type"]: c for c in account.status.get("conditions", ())}
    usable = there.get("Usable", {**_ABSENT, "message": "The operator has not looked at it yet."})
    told = [
        (there[kind], replace(known, message=there[kind]["message"]))
        for kind in KINDS
        if kind in there
    ]
    observed = account.status.get("observedGeneration") == account.generation
    below = (
        running.check(seen, "", known, now, fresh=observed),
        *(conditions.check(said, knows, now, granted={}) for said, knows in told),
        *_findings(account, known, shown={c["reason"] for c in there.values()}),
    )
    works = observed and usable["status"] == "True"
    whole = worst(each for check in below for each in check.all())
    mark = whole if whole is not Mark.UNKNOWN else Mark.OK
    mark = Mark.WAITING if mark is Mark.OK and not works else mark
    tree = Check(f"aoai/{account.name}", mark, _summary(account, usable, now), below=below)
    return Verdict(tree, works, usable["reason"], usable["message"], usable["lastTransitionTime"])


def _summary(account: Account, usable: Object, now: dt.datetime) -> str:
    if not usable["lastTransitionTime"]:
        return "not looked at by the operator yet"
    lasted = since(parse(usable["lastTransitionTime"]), now)
    if usable["status"] != "True":
        return f"not usable for {lasted}: {usable['reason']}"
    count = account.status.get("chatbots", 0)
    names = ", ".join(sorted(d["name"] for d in account.status.get("deployments", ()))) or "none"
    return f"usable for {lasted}, at {account.endpoint}; chatbots: {count}; deployments: {names}"


def _findings(account: Account, known: Known, *, shown: set[str]) -> Iterable[Check]:
    """Give what is worth knowing, but for what a condition says already."""
    for found in account.status.get("findings", ()):
        kind, message = found["type"], found["message"]
        if kind in shown:
            continue
        mark = Mark.WRONG if found["severity"] == "Error" else Mark.NOTE
        fix = REASONS[kind].fix if kind in REASONS else ""
        out = ways(kind, replace(known, message=message))
        yield Check(kind, mark, message, fix=fix, ways=out)
