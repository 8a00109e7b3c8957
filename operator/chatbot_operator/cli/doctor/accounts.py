"""Azure OpenAI accounts, and the resource groups of chatbots' identities. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from chatbot_operator.account import Account
from chatbot_operator.cli.checks import Check, Mark, worst
from chatbot_operator.cli.doctor.looking import Absent, Dark, Kubectl, unknown
from chatbot_operator.cli.pod.in_azure import Lock, short
from chatbot_operator.errors import Stuck
from chatbot_operator.naming import TAG_PREFIX
from chatbot_operator.status import by_type
from chatbot_operator.steps.account import Examination

_TYPED: Final = re.compile(r"`(az [^`…]+)`")
_OWNER: Final = f"{TAG_PREFIX}owner"
_GONE: Final = ("AccountNotFound", "AccountSoftDeleted")
_LEVELS: Final = ("CanNotDelete", "ReadOnly")
_NO_GROUP: Final = ("ResourceGroupNotFound", "SubscriptionNotFound")
_ALLOWED: Final = f"{TAG_PREFIX}allow"


def in_azure(account: Account, found: Examination | Dark | Absent) -> tuple[Check, ...]:
    """Judge an account as Azure has it; where nobody may look, as the operator saw it last."""
    if isinstance(found, Absent):
        words = f"Azure has none, or you do not see it ({found.code})"
        return (Check("in Azure", Mark.WRONG, words, cause=f"Asked for was {account.account_id}."),)
    if not isinstance(found, Examination):
        return (_as_seen(account, found),)
    if found.fault is not None:
        mark = Mark.WRONG if isinstance(found.fault, Stuck) else Mark.WAITING
        message = found.fault.message
        commands = tuple(_TYPED.findall(message))
        return (Check("in Azure", mark, found.fault.reason, cause=message, commands=commands),)
    told = tuple(_finding(each) for each in found.facts.get("findings", ()))
    models = ", ".join(each["name"] for each in found.facts.get("deployments", ())) or "none"
    there = Check("in Azure", Mark.OK, f"takes Entra tokens; deployments: {models}")
    return (there, *told)


def is_gone(found: Examination | Dark | Absent) -> bool:
    """Tell whether Azure has no such account, or has it only as deleted."""
    if isinstance(found, Examination):
        return found.fault is not None and found.fault.reason in _GONE
    return isinstance(found, Absent)


def as_operator_saw(account: Account, found: Examination | Dark | Absent) -> Iterable[Check]:
    """Tell where the operator says otherwise than Azure does now."""
    usable = by_type(account.status).get("Usable")
    if not isinstance(found, Examination) or found.fault is not None:
        return
    if usable is None:
        yield Check("status", Mark.WAITING, "no operator has looked at it yet")
    elif usable.status != "True":
        yield Check(
            "status",
            Mark.WAITING,
            f"the operator still says {usable.reason}",
            cause=usable.message,
            fix="It looks again by itself; where it goes on saying so, that is what to mend.",
        )


def orphans(account: Account, kubectl: Kubectl) -> Check | None:
    """Tell how many identities the operator found whose chatbots are gone."""
    told = account.status.get("findings") or ()
    count = sum(each["type"] == "OrphanedIdentity" for each in told)
    if not count:
        return None
    words = f"{count} left of chatbots that are gone, says the operator"
    look = kubectl("chatbot", "orphans")
    return Check("orphans", Mark.NOTE, words, fix="See what they can still do:", commands=(look,))


def _as_seen(account: Account, dark: Dark) -> Check:
    known = by_type(account.status)
    usable, reachable = known.get("Usable"), known.get("Reachable")
    if usable is None:
        return unknown("in Azure", dark)
    if usable.status != "True":
        return Check(
            "in Azure", Mark.WRONG, f"{usable.reason}, says the operator", cause=usable.message
        )
    if reachable is not None and reachable.status == "False":
        return Check(
            "in Azure",
            Mark.WRONG,
            f"{reachable.reason}, says the operator",
            cause=reachable.message,
        )
    return Check("in Azure", Mark.UNKNOWN, f"{dark}; the operator says: {usable.message}")


def _finding(each: Mapping[str, Any]) -> Check:
    mark = Mark.WRONG if each["severity"] == "Error" else Mark.NOTE
    commands = tuple(_TYPED.findall(each["message"]))
    return Check(each["type"], mark, each["message"], commands=commands)


@dataclass(frozen=True, slots=True)
class Content:
    """A resource group's: ids of resources, and the tags of its identities by their ids."""

    resources: tuple[str, ...]
    tags: Mapping[str, Mapping[str, str]]


def group(
    group_id: str, found: Content | Dark | Absent, create: str, locked: Check | None = None
) -> Check:
    """Judge a group for identities: it is there, and holds nothing that is not a chatbot's.

    Whoever may make identities may delete any of the group's, and become it. `locked` is what locks
    bar.
    """
    name = f"identities' group {group_id.rpartition('/')[2]}"
    if isinstance(found, Absent) and found.code in _NO_GROUP:
        return Check(
            name,
            Mark.WRONG,
            f"Azure has no {group_id} ({found.code})",
            cause="Chatbots' identities have nowhere to go.",
            fix="Make it, where you want it:",
            commands=(create,),
        )
    if not isinstance(found, Content):
        return unknown(name, found)
    below = () if locked is None else (locked,)
    others = [
        one.rpartition("/providers/")[2]
        for one in found.resources
        if not _chatbots(found.tags.get(one.lower(), {}))
    ]
    if others:
        shown = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if others[5:] else "")
        return Check(
            name,
            Mark.NOTE if worst(below) is Mark.OK else worst(below),
            f"holds other things, too: {shown}",
            cause="The operator's role lets it become or delete any identity of the group.",
            fix="Keep it for chatbots' identities alone.",
            below=below,
        )
    words = f"holds chatbots' identities ({len(found.resources)}), nothing else"
    return Check(name, worst(below), words, below=below)


def _chatbots(tags: Mapping[str, str]) -> bool:
    return bool({_OWNER, _ALLOWED} & {key.lower() for key in tags})


def locks(found: tuple[Lock, ...] | Dark | Absent | None, *, writes: bool) -> Check | None:
    """Judge locks where the operator has to write, if it `writes`: they bar what they forbid."""
    if found is None or not writes:
        return None
    if not isinstance(found, tuple):
        return unknown("locks", found)
    bars = tuple(one for one in found if one.level in _LEVELS)
    if not bars:
        return None
    said = ", ".join(f"{one.name} ({one.level})" for one in bars)
    commands = tuple(f"az lock delete --ids {_id(one)}" for one in bars)
    closed = any(one.level == "ReadOnly" for one in bars)
    return Check(
        "locks",
        Mark.WRONG if closed else Mark.NOTE,
        said,
        cause="Nothing can be made for a chatbot there."
        if closed
        else "A chatbot's deletion waits until it is gone.",
        fix="Where its owners agree, take it away:",
        commands=commands,
    )


def _id(lock: Lock) -> str:
    return f"{lock.scope}/providers/Microsoft.Authorization/locks/{lock.name}"


def provider(namespace: str, subscription: str, state: str | Dark | Absent) -> Check:
    """Judge whether a subscription knows a resource provider."""
    if not isinstance(state, str):
        return unknown(namespace, state)
    if state == "Registered":
        return Check(namespace, Mark.OK, "is registered")
    if state == "Registering":
        return Check(namespace, Mark.WAITING, "is being registered")
    return Check(
        namespace,
        Mark.WRONG,
        f"is {state or 'not registered'} in subscription {subscription}",
        cause="Azure makes nothing of a kind whose provider is not registered.",
        fix="Register it, which takes Contributor on the subscription:",
        commands=(f"az provider register --namespace {namespace} --subscription {subscription}",),
    )


def rights_as_seen(account: Account) -> Iterable[Check]:
    """Tell what the operator says of its own rights, where nobody here knows who it is."""
    known = by_type(account.status).get("RightsFit")
    if known is None:
        return
    mark = {"True": Mark.OK, "False": Mark.WRONG}.get(known.status, Mark.UNKNOWN)
    cause = "" if mark is Mark.OK else known.message
    yield Check("operator's rights", mark, f"{known.reason}, says the operator", cause=cause)


def summed(account: Account, below: Iterable[Check]) -> Check:
    """Sum up what was found of an account."""
    every = tuple(below)
    facts = {"id": account.account_id}
    found = short(account.account_id)
    return Check(f"account {account.name}", worst(every), found, facts=facts, below=every)
