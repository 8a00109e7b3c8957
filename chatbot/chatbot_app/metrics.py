"""What Prometheus reads at `/metrics`: numbers, and reasons of closed lists; no word of a chat.

Calls of the model have the names, attributes and buckets of OpenTelemetry's conventions
(https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-metrics.md)
in Prometheus' spelling. What is the chatbot's own begins with `chatbot_`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.core import Metric

    from chatbot_app.answering import Chat
    from chatbot_app.credential import Credential
    from chatbot_app.observing import Call
    from chatbot_app.standing import Standing

OPERATION = "chat"
PROVIDER = "azure.ai.openai"
_TOKENS = tuple(float(4**n) for n in range(14))
_SECONDS = tuple(0.01 * 2**n for n in range(14))
_CALL = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model")


class Calls:
    """Counts the calls of one deployment."""

    def __init__(self, registry: CollectorRegistry, *, deployment: str) -> None:
        self._call = (OPERATION, PROVIDER, deployment)
        self._tokens = Histogram(
            "gen_ai_client_token_usage",
            "Tokens of a call, as the model reports them.",
            (*_CALL, "gen_ai_token_type"),
            buckets=_TOKENS,
            registry=registry,
        )
        self._duration = Histogram(
            "gen_ai_client_operation_duration_seconds",
            "How long a call took to its last word.",
            (*_CALL, "error_type"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._first = Histogram(
            "gen_ai_client_operation_time_to_first_chunk_seconds",
            "How long a call took to its first word.",
            _CALL,
            buckets=_SECONDS,
            registry=registry,
        )

    def observe(self, call: Call) -> None:
        """Take in a call that has ended."""
        self._duration.labels(*self._call, call.error).observe(call.ended - call.begun)
        if call.first_text is not None:
            self._first.labels(*self._call).observe(call.first_text - call.begun)
        if call.usage is not None:
            self._tokens.labels(*self._call, "input").observe(call.usage.prompt_tokens)
            self._tokens.labels(*self._call, "output").observe(call.usage.completion_tokens)


class State(Collector):
    """Reads how the chatbot is at this moment."""

    def __init__(
        self, chat: Chat, credential: Credential, standing: Callable[[], Standing]
    ) -> None:
        self._chat = chat
        self._credential = credential
        self._standing = standing

    def collect(self) -> Iterator[Metric]:
        """Give the metrics as they are."""
        chat, now = self._chat, self._chat.now()
        yield _gauge("chats_in_flight", "Answers under way.", chat.places.taken.total())
        yield _counter(
            "chats_refused", "Requests refused before the model was asked.", chat.refused
        )
        yield _counter("token_renewals", "Exchanges with Entra.", self._credential.exchanges)
        if (expires := self._credential.expires_at) is not None:
            left = expires - now.timestamp()
            yield _gauge("token_expires_seconds", "Seconds until the token in use ends.", left)
        used = chat.budget.used_on(now.date())
        yield _gauge("budget_used_tokens", "Tokens used on this day of UTC.", used)
        if chat.budget.daily is not None:
            yield _gauge("budget_tokens", "Tokens for a day.", chat.budget.daily)
        standing = self._standing()
        yield _gauge("proven", "Whether access was ever proven.", standing.proven_at is not None)
        latest = GaugeMetricFamily(
            "chatbot_standing", "The reason at /readyz is 1.", labels=["reason"]
        )
        latest.add_metric([str(standing.latest.reason)], 1)
        yield latest


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"chatbot_{name}", meaning, value=float(value))


def _counter(name: str, meaning: str, counted: dict[str, int]) -> Metric:
    family = CounterMetricFamily(f"chatbot_{name}", meaning, labels=["reason"])
    for reason, times in sorted(counted.items()):
        family.add_metric([reason], times)
    return family
