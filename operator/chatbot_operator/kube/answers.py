"""What the API server answers: an object, or why not."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.ports import Object

TERMINATING = "NamespaceTerminating"
"""https://pkg.go.dev/k8s.io/api/core/v1#NamespaceTerminatingCause"""


def answer(operation: str, status: int, text: bytes) -> Object:
    """Read the object that was answered; raises KubernetesRefusal for a refusal, or none."""
    try:
        answer: Any = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        message = text[:200].decode(errors="replace")
        raise KubernetesRefusal(operation, status, "NoObject", message)
    if status >= HTTPStatus.BAD_REQUEST:
        raise KubernetesRefusal(operation, status, _reason(answer), str(answer.get("message", "")))
    found: Object = answer
    return found


def _reason(status: Object) -> str:
    """Give the reason of a Status; of a namespace that is going, the cause, which says more."""
    causes = (status.get("details") or {}).get("causes") or ()
    if any(cause.get("reason") == TERMINATING for cause in causes):
        return TERMINATING
    return str(status.get("reason", ""))
