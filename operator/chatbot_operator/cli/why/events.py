"""Recent warnings about a chatbot and what it is made of. Pure."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from chatbot_operator.chatbot import KIND, Chatbot
from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.spans import since
from chatbot_operator.ports import Object
from chatbot_operator.status import parse
from chatbot_operator.words import plain

SHOWN: Final = 5
_HASH: Final = "[bcdfghjklmnpqrstvwxz2456789]"
"""What names of ReplicaSets and pods end in
(https://github.com/kubernetes/apimachinery/blob/master/pkg/util/rand/rand.go)."""
_NAMED: Final = frozenset(
    {
        *(KIND, "Deployment", "Service", "ServiceAccount", "ConfigMap", "Ingress", "HTTPRoute"),
        *("HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy"),
    }
)


def checks(
    warnings: list[Object],
    chatbot: Chatbot,
    now: dt.datetime,
    *,
    said: str,
    over: dt.datetime | None,
) -> tuple[Check, ...]:
    """Give the newest warnings about a chatbot, each once.

    What the operator told with the reason `said` is left out: the conditions say the same. So is
    what was before `over`, the time since when all is well, and what an earlier chatbot of the
    same name was told.
    """
    newest: dict[tuple[str, str, str], Object] = {}
    for event in sorted(warnings, key=_at):
        regarding, reason = event.get("regarding", {}), event.get("reason", "")
        told = regarding.get("kind") == KIND and reason == said
        past = over is not None and _at(event) <= over
        earlier = regarding.get("kind") == KIND and regarding.get("uid", chatbot.uid) != chatbot.uid
        if _about(regarding, chatbot.name) and not (told or past or earlier):
            newest[reason, regarding.get("kind", ""), plain(event.get("note", ""))] = event
    shown = sorted(newest.values(), key=_at, reverse=True)[:SHOWN]
    return tuple(_check(event, now) for event in shown)


def _check(event: Object, now: dt.datetime) -> Check:
    regarding = event["regarding"]
    what = f"{regarding.get('kind', '')} {regarding.get('name', '')}"
    found = f"{since(_at(event), now)} ago, of {what}: {plain(event.get('note', ''))}"
    return Check(event.get("reason", ""), Mark.NOTE, found)


def _about(regarding: Object, name: str) -> bool:
    kind, of = regarding.get("kind", ""), regarding.get("name", "")
    if kind in _NAMED:
        return bool(of == name)
    tail = {"ReplicaSet": f"-{_HASH}{{1,10}}", "Pod": f"-{_HASH}{{1,10}}-{_HASH}{{5}}"}.get(kind)
    return tail is not None and re.fullmatch(re.escape(name) + tail, of) is not None


def _at(event: Object) -> dt.datetime:
    """Tell when it happened last; writers of events fill different fields."""
    series = event.get("series") or {}
    return parse(
        series.get("lastObservedTime")
        or event.get("deprecatedLastTimestamp")
        or event.get("eventTime")
        or event["metadata"]["creationTimestamp"]
    )
