"""The life of a chatbot, read from what the operator tells: its metrics, its log and its spans."""

from __future__ import annotations

import asyncio
import json
import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx2
import pytest
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, CONFIG_MAPS, EVENTS
from cluster_world import Hand, account, chatbot, path
from otlp import attributes, collecting
from sandbox.processes import free_port
from scraping import scrape

SECONDS = 30
QUICK = {"PROOF_RECHECK_SECONDS": "1", "RESYNC_SECONDS": "2"}
"""Azure is read again every two seconds, so that nobody need wait for an hour."""
OF = "chatbot_operator_"
PASSES = f"{OF}reconcile_duration_seconds_count"
STEPS = f"{OF}step_duration_seconds_count"
ARM = f"{OF}arm_request_duration_seconds_count"
WRITES = f"{OF}azure_writes_total"
ROLE, TAG = "create role assignment", "tag identity"
KIND = "AzureOpenAIChatbot"


@dataclass
class Life:
    """An operator of one namespace, as its probe port and its log tell of it."""

    namespace: str
    hand: Hand
    port: int
    told: Path

    def metrics(self):
        return scrape(f"http://127.0.0.1:{self.port}/metrics")

    def log(self):
        """The operator's own lines about passes, and whatever should not be there."""
        lines = [json.loads(line) for line in self.told.read_text().splitlines()]
        own = [line for line in lines if line["logger"] == "chatbot_operator"]
        return [line for line in own if "kind" in line or line["level"] != "info"]

    async def until(self, what):
        """Wait until the metrics say so, being the kubelet meanwhile; give them."""
        async with asyncio.timeout(SECONDS):
            while True:
                await self.hand.run_pods(self.namespace)
                try:
                    if what(seen := self.metrics()):
                        return seen
                except httpx2.ConnectError:  # it starts
                    pass
                await asyncio.sleep(0.1)

    async def until_passes_rest(self, number):
        """Wait until so many passes more had nothing to do."""
        done, before = {"kind": KIND, "outcome": "Done"}, self.metrics()
        return await self.until(
            lambda seen: seen(PASSES, **done) >= before(PASSES, **done) + number
        )

    async def until_ready_is(self, status, reason):
        said = {"condition": "Ready", "status": status, "reason": reason}
        return await self.until(lambda seen: seen(f"{OF}chatbots", **said) == 1)


@pytest.fixture
def life(hand, namespace, tmp_path):
    return Life(namespace, hand, free_port(), tmp_path / "operator.log")


@pytest.fixture
def run(start, life):
    own = {"PROBE_PORT": str(life.port), "WATCH_NAMESPACES": life.namespace}
    return partial(start, **own, **QUICK)


async def test_a_life_is_told_by_the_metrics_and_by_one_line_for_each_change(
    *, run, life, hand, pods, azure, namespace
):
    async with run() as process:
        seen = await life.until(lambda seen: seen(f"{OF}watch_silence_seconds") >= 0)
        assert seen(f"{OF}leader") == seen(f"{OF}build_info") == 1
        assert f"{OF}chatbots{{" not in seen.text

        # It is made, waits for its first answer, and is answered.
        pods.say("PermissionDenied", "Not yet.", proven_at=None)
        await hand.create(account(namespace, identity={"tags": {"cost": "4711"}}))
        await hand.create(chatbot(namespace, account=namespace))
        await life.until_ready_is("Unknown", "RolePropagating")
        seen = life.metrics()
        assert seen(f"{OF}first_proof_seconds_count") == 0
        assert seen(STEPS, step="AccessProven", outcome="RolePropagating") >= 1
        pods.say()
        seen = await life.until_ready_is("True", "Ready")
        assert seen(f"{OF}first_proof_seconds_count") == 1
        assert 0 <= seen(f"{OF}first_proof_seconds_sum") < SECONDS
        for step in ("Permitted", "IdentityReady", "RoleAssigned", "FederationReady"):
            assert seen(STEPS, step=step, outcome="Done") >= 1
        for operation in ("create identity", ROLE, "write federated credential"):
            assert seen(WRITES, operation=operation) == 1
            assert seen(ARM, operation=operation, code="201") == 1
        assert seen(f"{OF}arm_remaining_requests", limit="subscription-writes") > 0
        assert seen(f"{OF}arm_budget_turns", kind="writes") > 100
        assert seen(f"{OF}accounts", condition="Usable", status="True") >= 1

        # At rest it is looked at again and again, and nothing is written or said.
        await life.until_passes_rest(1)  # what is published by a pass is told at its end
        said, events, before = life.log(), await told(hand, namespace), life.metrics()
        seen = await life.until_passes_rest(2)
        assert seen(ARM) > before(ARM)
        assert seen(WRITES) == before(WRITES)
        assert life.log() == said
        assert await told(hand, namespace) == events

        # Drift, in the cluster and in Azure.
        made = {"method": "PATCH", "code": "201"}
        await hand.delete(CONFIG_MAPS, namespace)
        await life.until(
            lambda seen: (
                seen(f"{OF}kubernetes_requests_total", **made)
                > before(f"{OF}kubernetes_requests_total", **made)
            )
        )
        await drop_tag(azure, namespace)
        await life.until(lambda seen: seen(WRITES, operation=TAG) == 1)

        # Azure refuses to put it back; then it throttles.
        refused = {"status": 403, "code": "AuthorizationFailed", "message": "Not yours."}
        await azure.fault(action="respond", method="PATCH", path="userAssigned", **refused)
        await drop_tag(azure, namespace)
        seen = await life.until_ready_is("False", "AzureAccessDenied")
        assert seen(f"{OF}chatbots", condition="Stalled", status="True") == 1
        assert seen(ARM, operation=TAG, code="403") >= 1
        assert seen(PASSES, kind=KIND, outcome="AzureAccessDenied") >= 1
        assert seen(STEPS, step="IdentityReady", outcome="AzureAccessDenied") >= 1
        assert seen(f"{OF}retries_total") >= 1
        assert seen(WRITES, operation=TAG) == 1
        await azure.heal()
        busy = {"status": 429, "code": "TooManyRequests", "message": "Later."}
        later = {"headers": {"Retry-After": "2"}, "method": "GET"}
        await azure.fault(action="respond", path="userAssigned", **later, **busy)
        seen = await life.until(lambda seen: seen(f"{OF}arm_pause_seconds", kind="reads") > 0)
        assert seen(ARM, code="429") >= 1
        assert seen(f"{OF}arm_budget_turns", kind="reads") == 0

        # It recovers.
        await azure.heal()
        seen = await life.until_ready_is("True", "Ready")
        assert seen(WRITES, operation=TAG) == 2
        assert seen(f"{OF}first_proof_seconds_count") == 1, "the first one only"
        assert seen(f"{OF}chatbots", condition="Stalled") == 0

        # It goes, and nothing of it stays.
        await hand.delete(CHATBOTS, namespace)
        seen = await life.until(lambda seen: f"{OF}chatbots{{" not in seen.text)
        for operation in ("delete role assignment", "delete identity"):
            assert seen(WRITES, operation=operation) == 1
        for step in ("PodsGone", "AzureCleared", "ObjectsGone"):
            assert seen(STEPS, step=step, outcome="Done") >= 1
        assert seen(f"{OF}queue_depth") == seen(f"{OF}passes_in_flight") == 0
        for name in (namespace, "support", "contoso"):
            assert name not in seen.text
        await hand.delete(ACCOUNTS, "", namespace)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), SECONDS) == 0
    assert_each_write_has_its_line(life.log(), seen)


async def told(hand, namespace):
    """The operator's events."""
    found = (await hand.api.get(path(EVENTS, namespace)))["items"]
    return [e for e in found if e["reportingController"] == "chatbot-operator.dev/operator"]


async def drop_tag(azure, namespace):
    """Take a tag off the chatbot's identity behind the operator's back."""
    identity = await azure.identity(namespace)
    tags = {name: value for name, value in identity["tags"].items() if name != "cost"}
    await azure.done("PUT", identity["id"], {"location": identity["location"], "tags": tags})


def assert_each_write_has_its_line(lines, seen):
    assert [line for line in lines if "kind" not in line] == []
    about = [line for line in lines if line["kind"] == KIND]
    assert all(line["writes"] or line["level"] == "warning" for line in about)
    assert sum(len(line["requests"]) for line in about) == seen(WRITES)
    assert {"done", "not done"} == {line["message"] for line in about}
    denied = [line for line in about if line["outcome"] == "AzureAccessDenied"]
    assert all(line["request"] and "Not yours." in line["cause"] for line in denied)
    assert {line["level"] for line in denied} == {"warning"}
    keys = {"kind", "namespace", "name", "outcome", "seconds", "writes", "requests"}
    assert all(keys <= line.keys() for line in about)


async def test_a_pass_is_a_trace_and_its_line_belongs_to_it(*, run, life, hand, azure, namespace):
    ledger = await azure.mark()
    with collecting() as collector:
        async with run(OTEL_EXPORTER_OTLP_ENDPOINT=collector.address) as process:
            await hand.create(account(namespace))
            await hand.create(chatbot(namespace, account=namespace))
            await life.until_ready_is("True", "Ready")
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), SECONDS) == 0
    by_id = {span.span_id: span for span in collector.spans()}
    writes = await azure.writes(ledger)
    for write in writes:
        called = [s for s in by_id.values() if asked(s).get("id") == write["requestId"]]
        (span,) = called
        assert (span.kind, asked(span)["status"]) == (3, write["status"])
        step = by_id[span.parent_span_id]
        whole = by_id[step.parent_span_id]
        assert step.name in {"step IdentityReady", "step RoleAssigned", "step FederationReady"}
        assert whole.name == f"reconcile {KIND}"
        about = attributes(whole)
        assert about.pop("chatbot_operator.outcome") in {"PodsStarting", "RollingOut"}
        assert about == {
            "chatbot_operator.kind": KIND,
            "chatbot_operator.namespace": namespace,
            "chatbot_operator.name": "support",
        }
        assert whole.status.code == 0, "what waits is no error"
        assert {span.trace_id, step.trace_id} == {whole.trace_id}
        (line,) = [li for li in life.log() if write["requestId"] in li.get("requests", ())]
        assert line["trace_id"] == whole.trace_id.hex()
        assert line["span_id"] == whole.span_id.hex()
    assert len(writes) == 3


def asked(span):
    found = attributes(span)
    return {
        "id": found.get("az.service_request_id"),
        "status": found.get("http.response.status_code"),
    }
