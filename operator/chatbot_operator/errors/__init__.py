"""What can go wrong: the faults, the reasons, and the table from answers to reasons. Pure."""

from chatbot_operator.errors.faults import (
    Blind,
    Denied,
    Fault,
    KubernetesRefusal,
    Pending,
    Refusal,
    Service,
    Stuck,
    Transient,
)
from chatbot_operator.errors.judging import entra_code, judge, judge_cluster
from chatbot_operator.errors.reasons import REASONS, Reason
from chatbot_operator.errors.reasons.permission import DENIALS
from chatbot_operator.errors.table import TABLE, Row, look_up

__all__ = [
    "DENIALS",
    "REASONS",
    "TABLE",
    "Blind",
    "Denied",
    "Fault",
    "KubernetesRefusal",
    "Pending",
    "Reason",
    "Refusal",
    "Row",
    "Service",
    "Stuck",
    "Transient",
    "entra_code",
    "judge",
    "judge_cluster",
    "look_up",
]
