"""A span for each call of the model, sent by OTLP; needs the extra `telemetry`.

Attributes follow OpenTelemetry's conventions for generative AI
(https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-spans.md);
those that would carry a word of a conversation are never set. Where spans go, as what and how many
is said by OpenTelemetry's own variables.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry import context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers

from chatbot_app.measures import OPERATION, PROVIDER
from chatbot_app.observing import LEFT

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.util.types import AttributeValue
    from starlette.types import ASGIApp, Receive, Scope, Send

    from chatbot_app.observing import Call

HTTPS_PORT = 443
_PROPAGATOR = TraceContextTextMapPropagator()


class Spans:
    """Makes a span of each call of one deployment; `clock` is in nanoseconds since the epoch."""

    def __init__(self, *, endpoint: str, deployment: str, clock: Callable[[], int]) -> None:
        address = urlsplit(endpoint)
        self._deployment = deployment
        self._clock = clock
        self._always: dict[str, AttributeValue] = {
            "gen_ai.operation.name": OPERATION,
            "gen_ai.provider.name": PROVIDER,
            "gen_ai.request.model": deployment,
            "server.address": address.hostname or "",
            "server.port": address.port or HTTPS_PORT,
        }
        self._provider = TracerProvider(resource=Resource.create({"service.name": "chatbot"}))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("chatbot_app")

    def observe(self, call: Call) -> None:
        """Make the span of a call that has ended."""
        ended = self._clock()
        span = self._tracer.start_span(
            f"{OPERATION} {self._deployment}",
            kind=SpanKind.CLIENT,
            attributes=self._always | _attributes(call),
            start_time=ended - round((call.ended - call.begun) * 1e9),
        )
        if call.error not in {"", LEFT}:
            span.set_status(StatusCode.ERROR)
        span.end(ended)

    def continued(self, app: ASGIApp) -> ASGIApp:
        """Let what a request causes belong to the trace that its `traceparent` names."""

        async def continuing(scope: Scope, receive: Receive, send: Send) -> None:
            carrier = dict(Headers(scope=scope)) if scope["type"] == "http" else {}
            token = context.attach(_PROPAGATOR.extract(carrier))
            try:
                await app(scope, receive, send)
            finally:
                context.detach(token)

        return continuing

    async def close(self) -> None:
        """Send what was not sent yet."""
        await asyncio.to_thread(self._provider.shutdown)


def _attributes(call: Call) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {}
    if call.error:
        attributes["error.type"] = str(call.error)
    if call.finish is not None:
        attributes["gen_ai.response.finish_reasons"] = [call.finish.reason]
        attributes["gen_ai.response.model"] = call.finish.model
        attributes["gen_ai.response.id"] = call.finish.id
    if call.usage is not None:
        attributes["gen_ai.usage.input_tokens"] = call.usage.prompt_tokens
        attributes["gen_ai.usage.output_tokens"] = call.usage.completion_tokens
    return attributes
