"""Events as events.k8s.io/v1 wants them."""

from __future__ import annotations

import datetime as dt

from chatbot_operator.ports import EVENTS, Note, Object
from chatbot_operator.words import plain

CONTROLLER = "chatbot-operator.dev/operator"
TAIL_BYTES = 100
NOTE_LIMIT = 1024
"""Bytes of an event's note."""


def body_of(regarding: Object, note: Note, at: dt.datetime, *, instance: str) -> Object:
    """Write an event as events.k8s.io/v1 wants it, within its bounds.

    About something without a namespace it goes to `default`
    (https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/validation/events.go).
    """
    metadata = regarding["metadata"]
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {
            "namespace": metadata.get("namespace", "default"),
            "generateName": f"{metadata['name']}-",
        },
        "eventTime": at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": CONTROLLER,
        "reportingInstance": instance[:128],
        "type": "Warning" if note.warning else "Normal",
        "reason": note.reason[:128],
        "action": note.action[:128],
        "note": _within(plain(note.message), NOTE_LIMIT),
        "regarding": {
            "apiVersion": regarding["apiVersion"],
            "kind": regarding["kind"],
            "namespace": metadata.get("namespace", ""),
            "name": metadata["name"],
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
        },
    }


def _within(text: str, limit: int) -> str:
    """Cut a text to so many bytes, in the middle: at its end may be the id of a request."""
    whole = text.encode()
    if len(whole) <= limit:
        return text
    head, tail = whole[: limit - TAIL_BYTES - 3], whole[-TAIL_BYTES:]
    return f"{head.decode(errors='ignore')}…{tail.decode(errors='ignore')}"
