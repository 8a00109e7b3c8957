"""Lines of the log, and whether there are spans."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from chatbot_operator import telemetry
from chatbot_operator.ports import Request
from otlp import attributes, collecting

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def line(trace=dict, **fields):
    record = logging.makeLogRecord({"msg": "done", "levelname": "INFO", "fields": fields})
    return json.loads(telemetry._Lines(trace).format(record))


def test_a_line_is_one_object_with_its_fields_and_the_span_that_it_belongs_to():
    ids = {"trace_id": "a" * 32, "span_id": "b" * 16}
    said = line(lambda: ids, namespace="team", seconds=0.5)
    assert said.items() >= {"message": "done", "level": "info", "namespace": "team"}.items()
    assert said.items() >= ids.items()
    assert "trace_id" not in line()


def test_without_a_receiver_nobody_loads_opentelemetry(monkeypatch):
    monkeypatch.setitem(sys.modules, "chatbot_operator.spans", None)
    assert telemetry._spans({}) is None
    assert telemetry._spans({ENDPOINT: ""}) is None


def test_without_the_extra_it_works_and_says_what_is_missing(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "chatbot_operator.spans", None)
    assert telemetry._spans({ENDPOINT: "http://127.0.0.1:4318"}) is None
    assert "install the extra `telemetry`" in caplog.text


def go_wrong(spans):
    with spans.passing("AzureOpenAIAccount", "", "contoso") as tell:
        assert spans.ids().keys() == {"trace_id", "span_id"}
        spans.asked_azure(Request("read account", "GET", 0, 1.5))
        spans.asked_azure(Request("read account", "GET", 403, 0.5, "1-2-3"))
        tell("Unexpected", True)  # noqa: FBT003
        raise ValueError("a secret")


async def test_what_goes_wrong_is_an_error_without_its_words(monkeypatch):
    with collecting() as collector:
        monkeypatch.setenv(ENDPOINT, collector.address)
        spans = telemetry._spans({ENDPOINT: collector.address})
        assert spans is not None
        assert spans.ids() == {}
        with pytest.raises(ValueError, match="a secret"):
            go_wrong(spans)
        await spans.close()
    unanswered, refused, whole = collector.spans()
    assert "secret" not in collector.text()
    assert [span.status.code for span in (unanswered, refused, whole)] == [2, 2, 2]
    assert (len(whole.events), whole.status.message) == (0, "")
    assert attributes(whole)["error.type"] == "Unexpected"
    assert attributes(unanswered) == {"http.request.method": "GET", "error.type": "0"}
    assert attributes(refused)["http.response.status_code"] == 403
    assert unanswered.end_time_unix_nano - unanswered.start_time_unix_nano == 1_500_000_000
