"""What Prometheus can read of the operator: each metric's name, labels and meaning. Pure.

docs/metrics.md is written from it, and a test holds what is served to it. Labels have values of
closed lists; of chatbots there are numbers here and no names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What Prometheus makes of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric; `labels` says of each what its values are, `buckets` are a histogram's bounds."""

    name: str
    kind: Kind
    meaning: str
    labels: Mapping[str, str] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()


def _counter(name: str, meaning: str, **labels: str) -> Measure:
    return Measure(f"chatbot_operator_{name}_total", Kind.COUNTER, meaning, labels)


def _gauge(name: str, meaning: str, **labels: str) -> Measure:
    return Measure(f"chatbot_operator_{name}", Kind.GAUGE, meaning, labels)


def _histogram(name: str, meaning: str, buckets: tuple[float, ...], **labels: str) -> Measure:
    named = f"chatbot_operator_{name}_seconds"
    return Measure(named, Kind.HISTOGRAM, meaning, labels, buckets)


DONE: Final = "Done"
CUT_OFF: Final = "CutOff"
UNEXPECTED: Final = "Unexpected"
"""Outcomes that are no fault: all is well; it took too long, or the operator ends; an error that
nobody foresaw."""

_PASS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 120.0)
_CALL: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_PROOF: Final = (15.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)
_OUTCOME: Final = (
    f"`{DONE}`, the [reason](reasons.md) of what it ended at, `{CUT_OFF}` or `{UNEXPECTED}`"
)
_SUBSCRIPTION: Final = "id of the Azure subscription"
_KIND: Final = "`AzureOpenAIChatbot` or `AzureOpenAIAccount`"
_SAID: Final = {
    "condition": "type of the condition",
    "status": "`True`, `False` or `Unknown`",
    "reason": "[why](reasons.md); `Other` for one that the operator would not give",
}

PASSES: Final = _histogram(
    "reconcile_duration", "How long a pass took.", _PASS, kind=_KIND, outcome=_OUTCOME
)
STEPS: Final = _histogram(
    "step_duration",
    "How long a step of a pass took.",
    _PASS,
    step="the condition that it settles; of a deletion `PodsGone`, `AzureCleared`, `ObjectsGone`;"
    " of a withdrawal `AccessTaken`",
    outcome=_OUTCOME,
)
QUEUE_DEPTH: Final = _gauge("queue_depth", "Chatbots and accounts that are due for a pass.")
QUEUE_OLDEST: Final = _gauge(
    "queue_oldest_due_seconds", "For how long the one has been due that waits longest."
)
RUNNING: Final = _gauge("passes_in_flight", "Passes under way.")
RETRIES: Final = _counter("retries", "Passes that failed and are made again after a while.")
ARM_CALLS: Final = _histogram(
    "arm_request_duration",
    "How long a request of Azure Resource Manager took, without the wait for its turn.",
    _CALL,
    operation="what it was for, such as `create identity`",
    code="HTTP status, `0` where no answer came",
)
AZURE_WRITES: Final = _counter(
    "azure_writes", "Writes that Azure carried out.", operation="what it was for"
)
ARM_TURNS: Final = _gauge(
    "arm_budget_turns",
    "Requests that the operator would let out at once, below Azure's own limits.",
    subscription=_SUBSCRIPTION,
    kind="what is limited, such as `reads` or `writes of a credential`",
)
ARM_PAUSE: Final = _gauge(
    "arm_pause_seconds",
    "For how long it lets none out, because Azure answered 429.",
    subscription=_SUBSCRIPTION,
    kind="the same",
)
ARM_REMAINING: Final = _gauge(
    "arm_remaining_requests",
    "What Azure said within the last minute that is left (x-ms-ratelimit-remaining-*).",
    subscription=_SUBSCRIPTION,
    limit="the end of the header's name, such as `subscription-reads`",
)
CLUSTER_CALLS: Final = _counter(
    "kubernetes_requests",
    "Requests of the API server; watches and those for the Lease left out.",
    method="HTTP method",
    code="HTTP status, `0` where no answer came",
)
CHATBOTS: Final = _gauge("chatbots", "Chatbots by what their conditions say.", **_SAID)
ACCOUNTS: Final = _gauge("accounts", "Accounts by what their conditions say.", **_SAID)
FIRST_PROOF: Final = _histogram(
    "first_proof", "From a chatbot's making until a pod of it was first answered.", _PROOF
)
LEADER: Final = _gauge(
    "leader", "1 where this replica works, 0 where it waits; most others are told by the one."
)
SILENCE: Final = _gauge(
    "watch_silence_seconds", "Since anything was last heard of the API server's watches and lists."
)
BUILD: Final = _gauge("build_info", "Always 1.", version="of the operator", python="its Python")

MEASURES: Final = (
    *(CHATBOTS, ACCOUNTS, FIRST_PROOF),
    *(PASSES, STEPS, RUNNING, QUEUE_DEPTH, QUEUE_OLDEST, RETRIES),
    *(ARM_CALLS, AZURE_WRITES, ARM_TURNS, ARM_PAUSE, ARM_REMAINING),
    *(CLUSTER_CALLS, SILENCE, LEADER, BUILD),
)
