"""The metrics as they are kept and served, in a registry that is an argument."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import cast

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from chatbot_operator import measures
from chatbot_operator.measures import Kind, Measure
from chatbot_operator.ports import Request

Samples = Iterable[tuple[tuple[str, ...], float]]
"""Values, each with the labels of a measure, in its order."""


class Metrics:
    """Counts passes, steps, requests and proofs."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._passes = _histogram(measures.PASSES, registry)
        self._steps = _histogram(measures.STEPS, registry)
        self._arm = _histogram(measures.ARM_CALLS, registry)
        self._proof = _histogram(measures.FIRST_PROOF, registry)
        self._writes = _counter(measures.AZURE_WRITES, registry)
        self._cluster = _counter(measures.CLUSTER_CALLS, registry)

    def passed(self, kind: str, outcome: str, seconds: float) -> None:
        """A pass has ended."""
        self._passes.labels(kind, outcome).observe(seconds)

    def stepped(self, step: str, outcome: str, seconds: float) -> None:
        """A step has ended."""
        self._steps.labels(step, outcome).observe(seconds)

    def asked_azure(self, request: Request) -> None:
        """A request of Azure has ended."""
        self._arm.labels(request.operation, str(request.status)).observe(request.seconds)
        if request.wrote:
            self._writes.labels(request.operation).inc()

    def asked_cluster(self, method: str, status: int) -> None:
        """A request of the API server has ended."""
        self._cluster.labels(method, str(status)).inc()

    def proven(self, seconds: float) -> None:
        """A chatbot was proven for the first time, so long after it was made."""
        self._proof.observe(seconds)


@dataclass(frozen=True, slots=True)
class Now:
    """How an operator that leads is at this moment; what waits, by how many seconds it has."""

    waits: list[float]
    running: int
    failed: int
    silence: float
    chatbots: Samples
    accounts: Samples


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of the budget of Azure, each by subscription and kind of call or limit."""

    turns: Samples
    pauses: Samples
    said: Samples


class State(Collector):
    """Reads how this process is; `look` gives None while another one leads."""

    def __init__(self, look: Callable[[], Now | None], left: Callable[[], Left]) -> None:
        self._look = look
        self._left = left
        self._build = (version("chatbot-operator"), platform.python_version())

    def collect(self) -> Iterator[Metric]:
        """Give the metrics as they are."""
        now, left = self._look(), self._left()
        yield _family(measures.BUILD, [(self._build, 1.0)])
        yield _single(measures.LEADER, float(now is not None))
        yield _family(measures.ARM_TURNS, left.turns)
        yield _family(measures.ARM_PAUSE, left.pauses)
        yield _family(measures.ARM_REMAINING, left.said)
        if now is None:
            return
        yield _single(measures.QUEUE_DEPTH, len(now.waits))
        yield _single(measures.QUEUE_OLDEST, max(now.waits, default=0.0))
        yield _single(measures.RUNNING, now.running)
        yield _single(measures.RETRIES, now.failed)
        yield _single(measures.SILENCE, now.silence)
        yield _family(measures.CHATBOTS, now.chatbots)
        yield _family(measures.ACCOUNTS, now.accounts)


def _single(measure: Measure, value: float) -> Metric:
    return _family(measure, [((), float(value))])


def _family(measure: Measure, samples: Samples) -> Metric:
    make = CounterMetricFamily if measure.kind is Kind.COUNTER else GaugeMetricFamily
    family = make(measure.name, measure.meaning, labels=list(measure.labels))
    for labels, value in samples:
        family.add_metric(labels, value)
    return cast("Metric", family)


def _counter(measure: Measure, registry: CollectorRegistry) -> Counter:
    return Counter(measure.name, measure.meaning, list(measure.labels), registry=registry)


def _histogram(measure: Measure, registry: CollectorRegistry) -> Histogram:
    return Histogram(
        measure.name,
        measure.meaning,
        list(measure.labels),
        buckets=measure.buckets,
        registry=registry,
    )
