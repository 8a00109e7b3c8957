"""A span for each pass, its steps and its requests of Azure; needs the extra `telemetry`.

Where they are sent to by OTLP, as what and how many is said by OpenTelemetry's own variables.
Attributes say which object, which operation, what came of it and under which id Azure knows it;
nothing that is written or answered, and no text of an error.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue

from chatbot_operator.ports import Request, Tell


class Spans:
    """Makes the spans of one process."""

    def __init__(self) -> None:
        resource = Resource.create({"service.name": "chatbot-operator"})
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("chatbot_operator")

    @contextmanager
    def passing(self, kind: str, namespace: str, name: str) -> Iterator[Tell]:
        """Make the span of a pass over an object."""
        about = {"kind": kind, "namespace": namespace, "name": name}
        with self._span(f"reconcile {kind}", about) as tell:
            yield tell

    @contextmanager
    def step(self, name: str) -> Iterator[Tell]:
        """Make the span of a step within the pass."""
        with self._span(f"step {name}", {"step": name}) as tell:
            yield tell

    def asked_azure(self, request: Request) -> None:
        """Make the span of a request that has just ended, within the step."""
        ended = time.time_ns()
        attributes: dict[str, AttributeValue] = {"http.request.method": request.method}
        if request.request_id:
            attributes["az.service_request_id"] = request.request_id
        if request.status:
            attributes["http.response.status_code"] = request.status
        span = self._tracer.start_span(
            request.operation,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            start_time=ended - round(request.seconds * 1e9),
        )
        if not request.status or request.status >= HTTPStatus.BAD_REQUEST:
            span.set_attribute("error.type", str(request.status))
            span.set_status(StatusCode.ERROR)
        span.end(ended)

    def ids(self) -> Mapping[str, str]:
        """Give the ids of the span that is open here, as log lines carry them; none without one."""
        context = trace.get_current_span().get_span_context()
        if not context.is_valid:
            return {}
        return {
            "trace_id": trace.format_trace_id(context.trace_id),
            "span_id": trace.format_span_id(context.span_id),
        }

    async def close(self) -> None:
        """Send what was not sent yet."""
        await asyncio.to_thread(self._provider.shutdown)

    @contextmanager
    def _span(self, name: str, about: Mapping[str, str]) -> Iterator[Tell]:
        with self._tracer.start_as_current_span(
            name,
            attributes={f"chatbot_operator.{key}": value for key, value in about.items()},
            # An exception's text may hold what Azure or a person said.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:

            def tell(outcome: str, wrong: bool) -> None:  # noqa: FBT001 - called by place
                span.set_attribute("chatbot_operator.outcome", outcome)
                if wrong:
                    span.set_attribute("error.type", outcome)
                    span.set_status(StatusCode.ERROR)

            yield tell
