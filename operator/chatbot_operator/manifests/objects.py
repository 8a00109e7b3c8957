"""What every Kubernetes object of a chatbot has in common. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from chatbot_operator import ports
from chatbot_operator.chatbot import GROUP, KIND, VERSION, Chatbot
from chatbot_operator.ports import Identity, Installation, Object

MANAGER: Final = "chatbot-operator"
INTENT: Final = f"{GROUP}/intent"
WATCH: Final = f"{GROUP}/watch"
"""Label of ConfigMaps whose changes the operator hears of at once, its own and teams' prompts."""
TEMPLATE: Final = f"{GROUP}/template"
"""Annotation of pods: tells those that are wanted from those that they replace."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the objects of a chatbot are made from.

    `replicas` is None where an autoscaler says how many; `daily_tokens` is what a pod may use in a
    day.
    """

    chatbot: Chatbot
    identity: Identity
    endpoint: str
    image: str
    replicas: int | None
    daily_tokens: int | None
    installation: Installation


def selector(name: str) -> dict[str, str]:
    """Give the labels that pick a chatbot's pods. Immutable in a Deployment, so nothing more.

    The workload identity label stays out of it: it is the webhook's, not a name.
    """
    return {
        "app.kubernetes.io/name": "chatbot",
        "app.kubernetes.io/instance": name,
        "app.kubernetes.io/managed-by": MANAGER,
    }


def make(
    resource: ports.Resource,
    chatbot: Chatbot,
    *,
    annotations: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
    **body: Any,
) -> Object:
    """Make an object of the chatbot's name, controlled by it and marked with its own intent."""
    manifest: Object = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {
            "name": chatbot.name,
            "namespace": chatbot.namespace,
            "labels": {**(labels or {}), **selector(chatbot.name)},
            "annotations": dict(annotations or {}),
            "ownerReferences": [
                {
                    "apiVersion": f"{GROUP}/{VERSION}",
                    "kind": KIND,
                    "name": chatbot.name,
                    "uid": chatbot.uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        **body,
    }
    intent = digest(json.dumps(manifest, sort_keys=True))
    manifest["metadata"]["annotations"][INTENT] = intent
    return manifest


def digest(text: str) -> str:
    """Give 16 hexadecimal characters that stand for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
