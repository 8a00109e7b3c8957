"""Spans of a whole chatbot, as a collector receives them; and that nothing tells what was said."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest
from chatbot.talking import post, wait_until
from chatbot.upstream import FILTERED, NO_ROLE, TOO_LONG, Say
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
ASKED = "the-question-of-a-visitor"
SAID = "the-answer-of-the-model"


@pytest.fixture
def collector():
    """A receiver of OTLP over HTTP; gives its address and the bodies that it received."""
    received = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    server.server_close()


def spans(received):
    """Every span: its name, kind, parent, status and attributes."""
    found = []
    for body in received:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            found += [span for scope in resource.scope_spans for span in scope.spans]
    return found


def attributes(span):
    def value(of):
        kind = of.WhichOneof("value")
        plain = getattr(of, kind)
        return [value(each) for each in plain.values] if kind == "array_value" else plain

    return {each.key: value(each.value) for each in span.attributes}


def test_each_call_is_a_span_of_the_callers_trace(launch, upstream, collector):
    address, received = collector
    chatbot = launch(OTEL_EXPORTER_OTLP_ENDPOINT=address)
    chatbot.until("Proven")
    post(chatbot, traceparent=f"00-{TRACE}-{PARENT}-01")
    upstream.answers = [NO_ROLE]
    post(chatbot)
    chatbot.end()
    answered, refused = spans(received)
    assert answered.name == refused.name == "chat gpt"
    assert answered.kind == refused.kind == 3, "CLIENT"
    assert (answered.trace_id.hex(), answered.parent_span_id.hex()) == (TRACE, PARENT)
    assert refused.trace_id.hex() != TRACE
    assert answered.end_time_unix_nano > answered.start_time_unix_nano
    account = {"server.address": "127.0.0.1", "server.port": upstream.port}
    always = account | {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.request.model": "gpt",
    }
    assert attributes(answered) == always | {
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 2,
    }
    assert attributes(refused) == always | {"error.type": "PermissionDenied"}
    assert (answered.status.code, refused.status.code) == (0, 2)


def test_nothing_tells_what_was_asked_or_answered_nor_a_token(launch, upstream, collector):
    address, received = collector
    upstream.otherwise = lambda _: Say((SAID,))
    chatbot = launch(OTEL_EXPORTER_OTLP_ENDPOINT=address)
    chatbot.until("Proven")
    conversation = [
        {"role": "user", "content": ASKED},
        {"role": "assistant", "content": SAID},
        {"role": "user", "content": ASKED},
    ]
    echo = {"error": {"message": f"{ASKED} was refused", "code": "context_length_exceeded"}}
    upstream.answers = [
        Say((SAID,)),
        TOO_LONG,
        NO_ROLE,
        FILTERED,
        Say((SAID,), finish=None),
        Say((SAID,), error=echo["error"]),
    ]
    for _ in range(6):
        post(chatbot, {"messages": conversation})
    upstream.answers = [Say((SAID,) * 1000, pause=0.05)]
    left = {"messages": conversation}
    with httpx2.stream("POST", f"{chatbot.page}api/chat", json=left) as response:
        pieces = response.iter_text()  # held: its end would end the stream
        assert SAID in next(pieces)
    wait_until(lambda: "Cancelled" in httpx2.get(f"{chatbot.probes}metrics").text)
    httpx2.post(f"{chatbot.page}api/chat", content=ASKED)
    metrics = httpx2.get(f"{chatbot.probes}metrics").text
    told = {"log": chatbot.end(), "metrics": metrics, "spans": b"".join(received).decode("latin-1")}
    assert all("gpt" in told[kind] for kind in ("metrics", "spans"))
    assert told["log"].count('"event": "chat"') == 6
    for kind, text in told.items():
        for secret in (ASKED, SAID, "eyJ", "Bearer"):
            assert secret not in text, kind
    assert len(spans(received)) == len(upstream.chats)


def test_a_collector_that_is_away_costs_no_answer(launch):
    chatbot = launch(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    chatbot.until("Proven")
    assert post(chatbot).status_code == 200
    chatbot.end()
    assert chatbot.popen.returncode == 0
