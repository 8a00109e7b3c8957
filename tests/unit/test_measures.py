"""What is served at /metrics is what the page says, and is named as Prometheus names things."""

from __future__ import annotations

import re
from types import SimpleNamespace

import aiohttp
import chatbot_app.measures
import chatbot_operator.measures
import metrics_page
import pytest
from chatbot_app.metrics import Calls
from chatbot_app.metrics import State as ChatbotState
from chatbot_operator.health import served
from chatbot_operator.metrics import Left, Metrics, Now, State
from chatbot_operator.ports import Request
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from sandbox.processes import free_port

OF_CHATBOTS, OF_THE_OPERATOR = chatbot_app.measures.MEASURES, chatbot_operator.measures.MEASURES
SAID = [(("Ready", "True", "Ready"), 2)]
NOW = Now(waits=[3.0, 1.0], running=4, failed=5, silence=6.0, chatbots=SAID, accounts=SAID)
LEFT = Left([(("s", "reads"), 9.0)], [(("s", "writes"), 2.0)], [(("s", "tenant-reads"), 1.0)])


def of_the_operator(now):
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.passed("AzureOpenAIChatbot", "Done", 1.0)
    metrics.stepped("Permitted", "Done", 1.0)
    metrics.asked_azure(Request("create identity", "PUT", 201, 1.0))
    metrics.asked_cluster("GET", 200)
    metrics.proven(12.0)
    registry.register(State(lambda: now, lambda: LEFT))
    return registry


def of_a_chatbot():
    registry = CollectorRegistry()
    calls, usage = Calls(registry, deployment="gpt"), SimpleNamespace(prompt_tokens=1)
    usage.completion_tokens = 2
    calls.observe(SimpleNamespace(begun=0, ended=2, first_text=1, usage=usage, error=""))
    budget = SimpleNamespace(daily=10, used_on=lambda _: 1)
    places = SimpleNamespace(taken=SimpleNamespace(total=lambda: 0))
    now = SimpleNamespace(date=lambda: None, timestamp=lambda: 0.0)
    chat = SimpleNamespace(budget=budget, places=places, refused={"Busy": 1}, now=lambda: now)
    credential = SimpleNamespace(exchanges={"Renewed": 1}, expires_at=5.0)
    standing = SimpleNamespace(proven_at=1, latest=SimpleNamespace(reason="Proven"))
    registry.register(ChatbotState(chat, credential, lambda: standing))
    return registry


@pytest.mark.parametrize(
    ("registry", "measures"),
    [(of_the_operator(NOW), OF_THE_OPERATOR), (of_a_chatbot(), OF_CHATBOTS)],
    ids=["operator", "chatbot"],
)
def test_all_that_is_described_is_served_with_its_meaning_and_labels_and_no_more(
    registry, measures
):
    found = {}
    for family in registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for s in family.samples for label in s.labels} - {"le"}
        found[name] = (family.type, family.documentation, labels)
    described = {each.name: (each.kind, each.meaning, set(each.labels)) for each in measures}
    assert found == described


@pytest.mark.parametrize("measure", [*OF_THE_OPERATOR, *OF_CHATBOTS], ids=lambda m: m.name)
def test_names_are_as_prometheus_wants_them(measure):
    """https://prometheus.io/docs/practices/naming/"""
    assert re.fullmatch(r"(chatbot|chatbot_operator|gen_ai)_[a-z_]+[a-z]", measure.name)
    assert measure.name.endswith("_total") == (measure.kind == "counter")
    assert bool(measure.buckets) == (measure.kind == "histogram")
    assert list(measure.buckets) == sorted(measure.buckets)
    assert measure.meaning.endswith(".")
    assert not re.search(r"_(ms|milliseconds|minutes|percent|kb)\b", measure.name)


def test_the_page_is_as_the_code_has_it():
    assert metrics_page.PAGE.read_text() == metrics_page.page(), "run `make reference`"


def test_every_metric_of_an_expression_worth_an_alert_is_served():
    served = {each.name for each in (*OF_THE_OPERATOR, *OF_CHATBOTS)}
    for expression in metrics_page.ALERTS.values():
        named = re.findall(r"\b(?:chatbot|gen_ai)_\w+", expression)
        assert named
        assert {re.sub(r"_(count|bucket|sum)$", "", name) for name in named} <= served, expression


async def test_one_that_waits_tells_only_of_itself():
    port = free_port()
    async with (
        served(lambda: None, of_the_operator(None), "127.0.0.1", port),
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as response,
    ):
        text = await response.text()
        assert response.content_type == "text/plain"
    families = {f.name: f for f in text_string_to_metric_families(text)}
    (leader,) = families["chatbot_operator_leader"].samples
    assert leader.value == 0
    assert "chatbot_operator_build_info" in families
    assert not {"chatbot_operator_chatbots", "chatbot_operator_queue_depth"} & families.keys()
