"""What is told of a pass: its metrics always, a line of the log only when there is something."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging

import pytest
from chatbot_operator import telemetry
from chatbot_operator.errors import Pending, Stuck
from chatbot_operator.metrics import Metrics
from chatbot_operator.observing import Observer
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, Request
from chatbot_operator.reconcile import Again, Key
from prometheus_client import CollectorRegistry

KEY = Key(CHATBOTS, "team", "support")
KIND = "AzureOpenAIChatbot"
PASSES = "chatbot_operator_reconcile_duration_seconds_count"
STEPS = "chatbot_operator_step_duration_seconds_count"


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def observer(registry):
    return Observer(Metrics(registry), None, itertools.count(step=0.5).__next__)


@pytest.fixture
def lines(caplog):
    """What was logged, as the operator writes it."""
    caplog.set_level(logging.INFO, "chatbot_operator")
    form = telemetry._Lines(dict)
    return lambda: [json.loads(form.format(record)) for record in caplog.records]


def counted(registry, name, **labels):
    return registry.get_sample_value(name, labels)


def test_a_pass_at_rest_is_counted_and_says_nothing(observer, registry, lines):
    with observer.passing(KEY) as seen:
        with observer.step("Permitted"):
            pass
        observer.asked_azure(Request("read identity", "GET", 200, 0.1, "id"))
        observer.asked_cluster("GET", 200)
        observer.asked_cluster("PATCH", 409)
        seen.end(Again(seconds=300))
    assert counted(registry, PASSES, kind=KIND, outcome="Done") == 1
    assert counted(registry, STEPS, step="Permitted", outcome="Done") == 1
    assert lines() == []


def test_a_pass_that_wrote_is_one_line(observer, registry, lines):
    with observer.passing(KEY) as seen:
        observer.asked_azure(Request("create identity", "PUT", 201, 0.1, "a-b-c"))
        observer.asked_azure(Request("create role assignment", "PUT", 403, 0.1, "d-e-f"))
        observer.asked_cluster("PATCH", 200)
        seen.end(Again(fault=Pending("RolePropagating", "Soon.")))
    (line,) = lines()
    said = {k: line[k] for k in ("level", "message", "kind", "namespace", "name", "outcome")}
    assert said == {
        "level": "info",
        "message": "not done",
        "kind": KIND,
        "namespace": "team",
        "name": "support",
        "outcome": "RolePropagating",
    }
    assert (line["writes"], line["requests"], line["seconds"]) == (2, ["a-b-c"], 0.5)
    writes = "chatbot_operator_azure_writes_total"
    assert counted(registry, writes, operation="create identity") == 1
    assert counted(registry, writes, operation="create role assignment") is None
    arm = "chatbot_operator_arm_request_duration_seconds_count"
    assert counted(registry, arm, operation="create role assignment", code="403") == 1


def test_a_pass_that_failed_is_one_line_with_cause_and_request(observer, registry, lines):
    fault = Stuck("AzureAccessDenied", "The operator may not.", trace="1-2-3")
    with observer.passing(Key(ACCOUNTS, "", "contoso")) as seen:
        seen.end(Again(failed=True, fault=fault))
    (line,) = lines()
    assert (line["level"], line["message"]) == ("warning", "not done")
    assert (line["outcome"], line["request"]) == ("AzureAccessDenied", "1-2-3")
    assert line["cause"] == "The operator may not."
    outcome = {"kind": "AzureOpenAIAccount", "outcome": "AzureAccessDenied"}
    assert counted(registry, PASSES, **outcome) == 1


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (KeyError("x"), "Unexpected"),
        (TimeoutError(), "CutOff"),
        (asyncio.CancelledError(), "CutOff"),
        (Stuck("NoSuchReason", "?"), "Other"),
    ],
    ids=repr,
)
def test_an_error_passes_on_and_is_the_outcome_of_step_and_pass(
    *, observer, registry, lines, error, outcome
):
    with pytest.raises(type(error)), observer.passing(KEY), observer.step("Permitted"):
        raise error
    assert counted(registry, STEPS, step="Permitted", outcome=outcome) == 1
    assert counted(registry, PASSES, kind=KIND, outcome=outcome) == 1
    (line,) = lines()
    assert (line["message"], line["outcome"]) == ("pass failed", outcome)
    assert type(error).__name__ in line["traceback"]


async def test_what_a_task_of_a_pass_writes_is_the_passes_and_no_others(observer, lines):
    async def write(operation, times):
        for _ in range(times):
            await asyncio.sleep(0)
            observer.asked_azure(Request(operation, "PUT", 200, 0.1, operation))

    async def one(name, times):
        with observer.passing(Key(CHATBOTS, "team", name)) as seen:
            await asyncio.gather(write(name, times), write(name, times))
            seen.end(Again())

    await asyncio.gather(one("a", 1), one("b", 2))
    assert {line["name"]: line["requests"] for line in lines()} == {"a": ["a"] * 2, "b": ["b"] * 4}
    observer.asked_cluster("PATCH", 200)  # in no pass: a Lease, a watch
