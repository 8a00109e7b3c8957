"""The whole chain under the eyes of those who run it: what they can read holds no secret of anybody.

Real traffic, then everything is gathered that operator and chatbots tell: logs, events, statuses,
metrics and spans. Prompts, questions and answers bear canaries; every token that Entra issued and
every one that the kubelet projected is known.
"""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import yaml
from background import running
from e2e_talk import ACCOUNT_ID, GROUP, answer, chatbot
from otlp import Collector, collecting
from sandbox import up
from sandbox.azure.openai import answers
from sandbox.azure.settings import Settings
from sandbox.azure.tokens import Tokens
from sandbox.conversation import Refused
from scraping import scrape
from waiting import until

MONITORS = Path(__file__).parents[2] / "deploy/observability/podmonitors.yaml"
PROMPT, OTHER_PROMPT = "canary-of-the-prompt", "canary-of-the-prompt-in-a-configmap"
FORGED_PROMPT = "canary-of-a-hand-in-the-configmap"
ASKED, SAID = "canary-of-the-question", "canary-of-the-answer"
PIECE = 20
TEAM = "team"
ACCOUNT = {
    "apiVersion": GROUP,
    "kind": "AzureOpenAIAccount",
    "metadata": {"name": "contoso"},
    "spec": {
        "accountId": ACCOUNT_ID,
        "allowedNamespaces": {"names": [TEAM]},
        "identity": {"resourceGroup": "chatbot-identities"},
    },
}


@dataclass
class Chain:
    """A running sandbox in this process, what was issued in it, and who receives its spans."""

    sandbox: up.Sandbox
    issued: list[str]
    collector: Collector

    def kubectl(self, *arguments, body=None):
        plane = self.sandbox.cluster.plane
        done = subprocess.run(
            [plane.binaries / "kubectl", f"--kubeconfig={plane.kubeconfig}", *arguments],
            input=json.dumps(body) if body else None,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def get(self, *what):
        return json.loads(self.kubectl("get", *what, "-o", "json"))["items"]

    def url(self, name):
        address = self.sandbox.cluster.services.addresses
        return until(lambda: address().get((TEAM, name)), "the chatbot's address")

    def pods(self, label, port):
        """The addresses at which pods tell of themselves, with what is known of each pod."""
        pods = self.get("pods", "-A", "-l", f"app.kubernetes.io/name={label}")
        return [(pod, f"http://{pod['status']['podIP']}:{port}/metrics") for pod in pods]

    def projected(self):
        """Every token that lies in a pod's volume, read with the node's eyes."""
        volumes = (self.sandbox.plan.directory / "cluster/node/pods").glob("*/volumes/**/*")
        texts = [file.read_text() for file in volumes if file.is_file()]
        return [text.strip() for text in texts if text.startswith("eyJ")]

    def logs(self):
        files = (self.sandbox.plan.directory / "cluster/node/pods").glob("*/logs/**/*")
        return {file: file.read_text() for file in files if file.is_file()}


@pytest.fixture
def chain(tmp_path, monkeypatch):
    issued = []
    issue, cluster = Tokens.issue, up.cluster

    def issuing(*arguments):
        issued.append(issue(*arguments))
        return issued[-1]

    monkeypatch.setattr(Tokens, "issue", issuing)
    monkeypatch.setattr(answers.model, "answer", lambda *_: f"The {SAID} for you.")
    with collecting() as collector:
        told = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        monkeypatch.setattr(up, "cluster", lambda *a, **k: cluster(*a, **{**k, "extra_env": told}))
        plan = up.Plan(tmp_path, Settings(), samples=False, port=0)
        with running(up.running(plan, lambda _: None)) as sandbox:
            yield Chain(sandbox, issued, collector)


def test_whoever_watches_learns_all_but_words_and_tokens(chain):
    chain.kubectl("create", "namespace", TEAM)
    prompts = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "prompts"}}
    chain.kubectl("apply", "-f", "-", f"-n={TEAM}", body={**prompts, "data": {"it": OTHER_PROMPT}})
    source = {"configMapKeyRef": {"name": "prompts", "key": "it"}}
    for body in (
        ACCOUNT,
        chatbot(TEAM, chat={"systemPrompt": PROMPT}),
        chatbot(TEAM, "writer", chat={"systemPromptFrom": source}, api={"openAI": True}),
    ):
        chain.kubectl("apply", "-f", "-", body=body)
    chain.kubectl(
        "wait", "chatbot", "--all", "--for=condition=Ready", f"-n={TEAM}", "--timeout=90s"
    )
    assert SAID in answer(chain.url("support"), f"The {ASKED}?")
    assert SAID in answer(chain.url("writer"), f"The {ASKED}?", f"The {SAID}.", f"And {ASKED}?")
    assert SAID in answer(chain.url("writer"), f"The {ASKED}?")
    refuse(chain)
    forge(chain)

    assert_whose_numbers_they_are(chain)
    assert_nothing_gets_out(chain)


def refuse(chain):
    """Have the account refuse a question by repeating it."""
    echo = {"code": "context_length_exceeded", "message": f"{PROMPT} {ASKED} {SAID} is too long."}
    fault = {"plane": "openai", "action": "respond", "status": 400, "times": 1, **echo}
    with emulator(chain.sandbox) as http:
        assert http.post("/_emulator/faults", json=fault).status_code == 201
    with contextlib.suppress(Refused):
        answer(chain.url("support"), f"The {ASKED}?")


def emulator(sandbox):
    context = ssl.create_default_context(cafile=sandbox.authority.certificate)
    return httpx2.Client(base_url=sandbox.arm, verify=context)


def forge(chain):
    """Edit what the operator wrote, and wait until it says that it was put right."""
    patch = json.dumps({"data": {"system-prompt": FORGED_PROMPT}})
    chain.kubectl("patch", "configmap", "support", f"-n={TEAM}", "--type=merge", "-p", patch)

    def told():
        return "PutRight" in {event["reason"] for event in chain.get("events", f"-n={TEAM}")}

    until(told, "the event")


def assert_whose_numbers_they_are(chain):
    """Tokens and calls by namespace and chatbot, as Prometheus has them by the shipped PodMonitor."""
    tokens, calls = Counter(), Counter()
    for pod, url in chain.pods("chatbot", 8088):
        whose = target_labels(pod)
        seen = scrape(url)
        tokens[whose] += seen("gen_ai_client_token_usage_sum")
        calls[whose] += seen("gen_ai_client_operation_duration_seconds_count", error_type="")
    support, writer = ((TEAM, name) for name in ("support", "writer"))
    assert calls == {support: 1, writer: 2}
    assert 0 < tokens[support] < tokens[writer]


def target_labels(pod):
    """Whose a target is: what Prometheus' operator always says, then the shipped relabelings."""
    monitor, _ = yaml.safe_load_all(MONITORS.read_text())
    wanted = monitor["spec"]["selector"]["matchLabels"]
    labels, spec = pod["metadata"]["labels"], pod["spec"]["containers"][0]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert wanted.items() <= labels.items()
    assert endpoint["port"] in {port["name"] for port in spec["ports"]}
    meta = {
        f"__meta_kubernetes_pod_label_{re.sub(r'[^a-zA-Z0-9_]', '_', name)}": value
        for name, value in labels.items()
    }
    target = {"namespace": pod["metadata"]["namespace"]}
    for rule in endpoint["relabelings"]:
        assert rule.keys() == {"sourceLabels", "targetLabel"}, "the default action replaces"
        target[rule["targetLabel"]] = ";".join(meta[source] for source in rule["sourceLabels"])
    return target["namespace"], target["chatbot"]


def assert_nothing_gets_out(chain):
    told = gathered(chain)
    tokens = {*chain.issued, *chain.projected()}
    assert len(chain.issued) >= 3, "the operator's and both chatbots'"
    assert len(tokens - set(chain.issued)) >= 4, "theirs from the kubelet, and the API server's"
    pieces = {token[at : at + PIECE] for token in tokens for at in range(len(token) - PIECE + 1)}
    canaries = (PROMPT, OTHER_PROMPT, FORGED_PROMPT, ASKED, SAID)
    assert finds(f"x {next(iter(tokens))[-PIECE:]} y", pieces), "this would be found"
    for source, text in told.items():
        assert [canary for canary in canaries if canary in text] == [], source
        assert finds(text, pieces) == [], source


def finds(text, pieces):
    """The pieces of tokens that are in a text."""
    words = re.findall(rf"[-\w.]{{{PIECE},}}", text, re.ASCII)
    return [
        word[at : at + PIECE]
        for word in words
        for at in range(len(word) - PIECE + 1)
        if word[at : at + PIECE] in pieces
    ]


def gathered(chain):
    """All that is told, by where; each has something in it."""
    statuses = [each.get("status") for each in chain.get("chatbots,aoai", "-A")]
    told = {
        "events": json.dumps(chain.get("events", "-A")),
        "statuses": json.dumps(statuses),
        "workloads": json.dumps(chain.get("pods,deployments", "-A")),
        **{str(file): text for file, text in chain.logs().items()},
    }
    for name, port in (("chatbot", 8088), ("chatbot-operator", 8080)):
        told |= {url: scrape(url).text for _, url in chain.pods(name, port)}
    names = {"chat gpt-4o", "reconcile AzureOpenAIChatbot", "create identity"}
    until(lambda: names <= {span.name for span in chain.collector.spans()}, "the spans")
    told["spans"] = chain.collector.text()
    for word, where in {
        "CredentialWritten": "events",
        "AccessProven": "statuses",
        '"done"': "operator",
        '"event": "chat"': "chatbot",
        "gen_ai_client_token_usage": ":8088",
        "chatbot_operator_first_proof_seconds_count 2.0": ":8080",
    }.items():
        assert any(word in text for at, text in told.items() if where in at), word
    return told
