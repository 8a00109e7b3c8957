"""The metrics as they are kept and served: numbers and closed lists; no word of a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from chatbot_app import measures
from chatbot_app.measures import OPERATION, PROVIDER, Measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.core import Metric

    from chatbot_app.answering import Chat
    from chatbot_app.credential import Credential
    from chatbot_app.observing import Call
    from chatbot_app.standing import Standing


class Calls:
    """Counts the calls of one deployment."""

    def __init__(self, registry: CollectorRegistry, *, deployment: str) -> None:
        self._call = (OPERATION, PROVIDER, deployment)
        self._tokens = _histogram(measures.TOKENS, registry)
        self._duration = _histogram(measures.DURATION, registry)
        self._first = _histogram(measures.FIRST, registry)

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
        yield _single(measures.IN_FLIGHT, chat.places.taken.total())
        yield _by_reason(measures.REFUSED, chat.refused)
        yield _by_reason(measures.RENEWALS, self._credential.exchanges)
        if (expires := self._credential.expires_at) is not None:
            yield _single(measures.EXPIRES, expires - now.timestamp())
        yield _single(measures.USED, chat.budget.used_on(now.date()))
        if chat.budget.daily is not None:
            yield _single(measures.BUDGET, chat.budget.daily)
        standing = self._standing()
        yield _single(measures.PROVEN, standing.proven_at is not None)
        yield _by_reason(measures.STANDING, {str(standing.latest.reason): 1})


def _histogram(measure: Measure, registry: CollectorRegistry) -> Histogram:
    labels, buckets = list(measure.labels), measure.buckets
    return Histogram(measure.name, measure.meaning, labels, buckets=buckets, registry=registry)


def _single(measure: Measure, value: float) -> Metric:
    return GaugeMetricFamily(measure.name, measure.meaning, value=float(value))


def _by_reason(measure: Measure, counted: dict[str, int]) -> Metric:
    make = CounterMetricFamily if measure.kind == "counter" else GaugeMetricFamily
    family = make(measure.name, measure.meaning, labels=list(measure.labels))
    for reason, times in sorted(counted.items()):
        family.add_metric([reason], times)
    return cast("Metric", family)
