"""Spans of a whole chatbot, as a collector receives them; and that nothing tells what was said."""

from __future__ import annotations

import httpx2
import pytest
from chatbot.talking import post, wait_until
from chatbot.upstream import FILTERED, NO_ROLE, TOO_LONG, Say
from otlp import attributes, collecting

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
ASKED = "the-question-of-a-visitor"
SAID = "the-answer-of-the-model"


@pytest.fixture
def collector():
    with collecting() as collector:
        yield collector


def test_each_call_is_a_span_of_the_callers_trace(launch, upstream, collector):
    chatbot = launch(OTEL_EXPORTER_OTLP_ENDPOINT=collector.address)
    chatbot.until("Proven")
    post(chatbot, traceparent=f"00-{TRACE}-{PARENT}-01")
    upstream.answers = [NO_ROLE]
    post(chatbot)
    chatbot.end()
    answered, refused = collector.spans()
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
    upstream.otherwise = lambda _: Say((SAID,))
    chatbot = launch(OTEL_EXPORTER_OTLP_ENDPOINT=collector.address)
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
    told = {"log": chatbot.end(), "metrics": metrics, "spans": collector.text()}
    assert all("gpt" in told[kind] for kind in ("metrics", "spans"))
    assert told["log"].count('"event": "chat"') == 6
    for kind, text in told.items():
        for secret in (ASKED, SAID, "eyJ", "Bearer"):
            assert secret not in text, kind
    assert len(collector.spans()) == len(upstream.chats)


def test_a_collector_that_is_away_costs_no_answer(launch):
    chatbot = launch(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    chatbot.until("Proven")
    assert post(chatbot).status_code == 200
    chatbot.end()
    assert chatbot.popen.returncode == 0
