"""Seeing passes from outside: what each took, did and came to, as metrics, spans and log lines.

A pass at rest is counted and says nothing. No body, prompt or token is in any argument here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from chatbot_operator.errors import REASONS, Fault, Pending
from chatbot_operator.measures import CUT_OFF, DONE, UNEXPECTED
from chatbot_operator.metrics import Metrics
from chatbot_operator.ports import Request, Tell, wrote
from chatbot_operator.reconcile import Again, Key
from chatbot_operator.tally import UNKNOWN

log = logging.getLogger("chatbot_operator")


class Tracing(Protocol):
    """Makes spans; what it gives as a context takes in, as it ends, how the block came out."""

    def passing(self, kind: str, namespace: str, name: str) -> AbstractContextManager[Tell]:
        """Make the span of a pass over an object."""

    def step(self, name: str) -> AbstractContextManager[Tell]:
        """Make the span of a step, within the pass."""

    def asked_azure(self, request: Request) -> None:
        """Make the span of a request that has just ended, within the step."""


@dataclass(slots=True)
class Pass:
    """A pass under way: what it came to, how much it wrote, which requests of Azure tell of it."""

    outcome: str = DONE
    fault: Fault | None = None
    failed: bool = False
    wrong: bool = False
    writes: int = 0
    requests: list[str] = field(default_factory=list)

    def end(self, again: Again) -> None:
        """Take in how the pass has ended."""
        self.fault, self.failed = again.fault, again.failed
        if again.fault is not None:
            self.outcome, self.wrong = _outcome(again.fault), _wrong(again.fault)


_PASS: ContextVar[Pass | None] = ContextVar("pass", default=None)
"""The pass that a request belongs to."""


class Observer:
    """Tells `metrics` and, if there is one, `tracing` of passes; `clock` gives seconds."""

    def __init__(
        self, metrics: Metrics, tracing: Tracing | None, clock: Callable[[], float]
    ) -> None:
        self._metrics = metrics
        self._tracing = tracing
        self._clock = clock

    @contextmanager
    def passing(self, key: Key) -> Iterator[Pass]:
        """Watch a pass; one that changed something or failed is logged, an error passes on."""
        begun, seen = self._clock(), Pass()
        current = _PASS.set(seen)
        try:
            with self._span_of(key) as tell:
                try:
                    yield seen
                except BaseException as error:
                    seen.outcome, seen.failed, seen.wrong = _outcome(error), True, True
                    self._log(key, seen, self._clock() - begun, error)
                    raise
                else:
                    if seen.writes or seen.failed:
                        self._log(key, seen, self._clock() - begun, None)
                finally:
                    tell(seen.outcome, seen.wrong)
                    self._metrics.passed(key.resource.kind, seen.outcome, self._clock() - begun)
        finally:
            _PASS.reset(current)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Watch a step."""
        begun, outcome, wrong = self._clock(), DONE, False
        with self._tracing.step(name) if self._tracing else nullcontext(_ignore) as tell:
            try:
                yield
            except BaseException as error:
                outcome, wrong = _outcome(error), _wrong(error)
                raise
            finally:
                tell(outcome, wrong)
                self._metrics.stepped(name, outcome, self._clock() - begun)

    def asked_azure(self, request: Request) -> None:
        """Take in a request of Azure."""
        self._metrics.asked_azure(request)
        if self._tracing:
            self._tracing.asked_azure(request)
        if (seen := _PASS.get()) and request.wrote:
            seen.writes += 1
            seen.requests.append(request.request_id)

    def asked_cluster(self, method: str, status: int) -> None:
        """Take in a request of the API server."""
        self._metrics.asked_cluster(method, status)
        if (seen := _PASS.get()) and wrote(method, status):
            seen.writes += 1

    def proven(self, seconds: float) -> None:
        """Take in that a chatbot was proven for the first time, so long after it was made."""
        self._metrics.proven(seconds)

    def _span_of(self, key: Key) -> AbstractContextManager[Tell]:
        if self._tracing is None:
            return nullcontext(_ignore)
        return self._tracing.passing(key.resource.kind, key.namespace, key.name)

    def _log(self, key: Key, seen: Pass, seconds: float, error: BaseException | None) -> None:
        fields: dict[str, Any] = {
            "kind": key.resource.kind,
            "namespace": key.namespace,
            "name": key.name,
            "outcome": seen.outcome,
            "seconds": round(seconds, 3),
            "writes": seen.writes,
            "requests": list(filter(None, seen.requests)),
        }
        if seen.fault is not None:
            fields |= {"cause": seen.fault.message, "request": seen.fault.trace}
        level = logging.WARNING if seen.failed else logging.INFO
        message = "pass failed" if error else "not done" if seen.fault else "done"
        log.log(level, message, exc_info=error, extra={"fields": fields})


def _ignore(_: str, __: bool) -> None:  # noqa: FBT001 - as Tell has it
    """Tell nobody."""


def _outcome(error: BaseException) -> str:
    if isinstance(error, Fault):
        return error.reason if error.reason in REASONS else UNKNOWN
    cut_off = isinstance(error, TimeoutError | asyncio.CancelledError)
    return CUT_OFF if cut_off else UNEXPECTED


def _wrong(error: BaseException) -> bool:
    return not isinstance(error, Pending)
