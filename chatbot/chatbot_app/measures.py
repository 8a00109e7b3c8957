"""What Prometheus can read of a chatbot: each metric's name, labels and meaning.

docs/metrics.md is written from it, and a test holds what is served to it. Calls of the model have
the names, attributes and buckets of OpenTelemetry's conventions
(https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-metrics.md)
in Prometheus' spelling. What is the chatbot's own begins with `chatbot_`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from chatbot_app.reasons import ChatReason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric; `labels` says of each what its values are, `buckets` are a histogram's bounds."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: Mapping[str, str] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()


OPERATION: Final = "chat"
PROVIDER: Final = "azure.ai.openai"
OF_A_CALL: Final = (
    *(ChatReason.CONTENT_FILTERED, ChatReason.CONTEXT_TOO_LONG, ChatReason.REQUEST_REFUSED),
    *(ChatReason.TIMED_OUT, ChatReason.INTERRUPTED, ChatReason.UNEXPECTED),
)
OF_THE_DOOR: Final = (
    *(ChatReason.BUSY, ChatReason.TOO_MANY_AT_ONCE, ChatReason.BUDGET_SPENT),
    ChatReason.REQUEST_REFUSED,
)
"""Why a call of the model ended without an answer, and why there was none."""


def _any(reasons: Iterable[str]) -> str:
    return ", ".join(f"`{reason}`" for reason in reasons)


_CONTRACTS: Final = "one of [the contract's reasons](contract.md#the-readiness-document)"
_TOKENS: Final = tuple(float(4**n) for n in range(14))
_SECONDS: Final = tuple(0.01 * 2**n for n in range(14))
_CALL: Final = {
    "gen_ai_operation_name": f"`{OPERATION}`",
    "gen_ai_provider_name": f"`{PROVIDER}`",
    "gen_ai_request_model": "the deployment",
}

TOKENS: Final = Measure(
    "gen_ai_client_token_usage",
    "histogram",
    "Tokens of a call, as the model reports them.",
    {**_CALL, "gen_ai_token_type": "`input` or `output`"},
    _TOKENS,
)
DURATION: Final = Measure(
    "gen_ai_client_operation_duration_seconds",
    "histogram",
    "How long a call took to its last word.",
    {
        **_CALL,
        "error_type": "absent for an answer; `Cancelled` if the visitor stopped or left;"
        f" {_any(OF_A_CALL)}; else {_CONTRACTS}",
    },
    _SECONDS,
)
FIRST: Final = Measure(
    "gen_ai_client_operation_time_to_first_chunk_seconds",
    "histogram",
    "How long a call took to its first word.",
    _CALL,
    _SECONDS,
)
IN_FLIGHT: Final = Measure("chatbot_chats_in_flight", "gauge", "Answers under way.")
REFUSED: Final = Measure(
    "chatbot_chats_refused_total",
    "counter",
    "Requests refused before the model was asked.",
    {"reason": _any(OF_THE_DOOR)},
)
RENEWALS: Final = Measure(
    "chatbot_token_renewals_total",
    "counter",
    "Exchanges with Entra.",
    {"reason": f"`Renewed`, else {_CONTRACTS}"},
)
EXPIRES: Final = Measure(
    "chatbot_token_expires_seconds", "gauge", "Seconds until the token in use ends."
)
USED: Final = Measure(
    "chatbot_budget_used_tokens", "gauge", "Tokens that this pod has used on this day of UTC."
)
BUDGET: Final = Measure(
    "chatbot_budget_tokens", "gauge", "Tokens that this pod has for a day, if they are limited."
)
PROVEN: Final = Measure("chatbot_proven", "gauge", "1 once access was proven, 0 before.")
STANDING: Final = Measure(
    "chatbot_standing",
    "gauge",
    "Always 1, for the reason that /readyz gives.",
    {"reason": _CONTRACTS},
)

MEASURES: Final = (
    *(DURATION, FIRST, TOKENS, IN_FLIGHT, REFUSED),
    *(USED, BUDGET, RENEWALS, EXPIRES, PROVEN, STANDING),
)
