"""From what was answered to the fault that it is for a chatbot."""

from __future__ import annotations

import re
from typing import Final

from chatbot_operator.errors.faults import (
    Blind,
    Fault,
    KubernetesRefusal,
    Refusal,
    Service,
    Transient,
)
from chatbot_operator.errors.reasons import REASONS
from chatbot_operator.errors.table import look_up

_AADSTS: Final = re.compile(r"AADSTS\d{5,8}(?!\d)", re.ASCII)


def entra_code(words: str) -> str:
    """Take the AADSTS number, Entra's code, out of its words; empty when there is none."""
    found = _AADSTS.search(words)
    return found.group() if found else ""


def judge(refusal: Refusal) -> Fault:
    """Turn what Azure said into what it means for a chatbot.

    Entra's answer is about the operator's own token here: it is blind until somebody acts.
    """
    known = REASONS[look_up(refusal.service, refusal.status, refusal.code).reason]
    message = f"{known.cause} {known.fix} {_spoken(refusal)}"
    kind = known.fault or Transient
    if refusal.service is Service.ENTRA and kind is not Transient:
        message = f"Entra refuses the operator's own token. {message}"
        fault: Fault = Blind("OperatorNotAuthenticated", message, trace=refusal.request_id)
    else:
        wait = refusal.retry_after
        fault = kind(known.name, message, retry_after=wait, trace=refusal.request_id)
    fault.unseen = refusal.reading
    return fault


def judge_cluster(refusal: KubernetesRefusal) -> Fault:
    """Turn what the Kubernetes API said into what it means for a chatbot."""
    known = REASONS[look_up(Service.KUBERNETES, refusal.status, refusal.reason).reason]
    spoken = f"{refusal.operation}: {refusal.reason} {refusal.message}"
    fault = (known.fault or Transient)(known.name, f"{known.cause} {known.fix} {spoken}")
    fault.unseen = isinstance(fault, Transient)
    return fault


def _spoken(refusal: Refusal) -> str:
    code = f"{refusal.code}: " if refusal.code else ""
    return f"{refusal.operation}: {code}{refusal.message}"
