"""The whole chain, through processes: apply, Ready, question, answer, delete, nothing left."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from uuid import uuid4

import pytest
from e2e_talk import answer, chatbot
from sandbox.conversation import Refused
from waiting import until

OPERATOR = "system:serviceaccount:chatbot-operator:chatbot-operator"


def mine(state, namespace):
    """What the emulator holds for chatbots of a namespace."""
    identities = [i for i in state["identities"] if namespace in i["name"]]
    assignments = [a for a in state["assignments"] if f"/{namespace}/" in (a["description"] or "")]
    return identities, assignments


def test_a_chatbot_lives_answers_remembers_and_leaves_nothing(sandbox, namespace):
    sandbox.kubectl("apply", "-f", "-", body=chatbot(namespace))
    sandbox.wait_ready(namespace, "support")
    url = sandbox.url(namespace, "support")

    first = answer(url, "My name is Ada.")
    assert "Ada" in first
    assert "Ada" in answer(url, "My name is Ada.", first, "What is my name?")
    assert "Ada" not in answer(url, "What is my name?"), "another browser's memory"

    identities, assignments = mine(sandbox.state(), namespace)
    assert [len(identities), len(assignments), len(identities[0]["credentials"])] == [1, 1, 1]
    assert sandbox.condition(namespace, "support", "LeastPrivilege")["status"] == "True"
    sandbox.kubectl("delete", "chatbot", "support", "-n", namespace, "--timeout=60s")

    assert mine(sandbox.state(), namespace) == ([], [])
    left = sandbox.get("deploy,rs,pod,svc,cm,sa", "-n", namespace)["items"]
    names = {item["metadata"]["name"] for item in left}
    assert names <= {"default", "kube-root-ca.crt"}
    assert_the_order_of_things(history(sandbox, namespace))


def history(sandbox, namespace):
    """What was done for a namespace, oldest first, from the ledger and the audit log together."""
    seen = []
    for entry in sandbox.ledger():
        if namespace in entry["path"] or entry["plane"] != "arm":
            seen.append((entry["time"], f"{entry['plane']} {entry['method']}", entry["path"]))
        elif "roleAssignments/" in entry["path"] and entry["method"] in ("PUT", "DELETE"):
            seen.append((entry["time"], f"arm {entry['method']}", entry["path"]))
    for event in sandbox.audit():
        ref = event.get("objectRef", {})
        if ref.get("namespace") != namespace or event["stage"] != "ResponseComplete":
            continue
        if event["verb"] in ("create", "patch", "delete") and event["responseStatus"]["code"] < 300:
            begun = dt.datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp()
            kind = "/".join(filter(None, (ref["resource"], ref.get("subresource"))))
            who = "operator" if event["user"]["username"] == OPERATOR else "cluster"
            seen.append((begun, f"{who} {event['verb']}", kind))
    return sorted(seen)


def assert_the_order_of_things(seen):
    def first(deed, what=""):
        return next(n for n, (_, d, w) in enumerate(seen) if d == deed and what in w)

    def last(deed, what=""):
        return max(n for n, (_, d, w) in enumerate(seen) if d == deed and w.endswith(what))

    finalizer = first("operator patch", "azureopenaichatbots")
    identity = next(n for n, (_, d, w) in enumerate(seen) if d == "arm PUT" and "/cb-" in w)
    credential = first("arm PUT", "federatedIdentityCredentials")
    role = next(
        n
        for n, (_, d, w) in enumerate(seen)
        if d == "arm PUT" and "roleAssignments" in w and n > identity
    )
    account = first("operator patch", "serviceaccounts")
    deployment = first("operator patch", "deployments")
    pod = first("cluster create", "pods")
    exchange = next(n for n, (_, d, _) in enumerate(seen) if d == "entra POST" and n > pod)
    proof = next(n for n, (_, d, _) in enumerate(seen) if d == "openai GET" and n > exchange)
    assert finalizer < identity < min(credential, role)
    assert max(credential, role) < account < deployment < pod < exchange < proof

    stopped = last("operator delete", "deployments")
    withdrawn = next(
        n for n, (_, d, w) in enumerate(seen) if d == "arm DELETE" and "roleAssignments" in w
    )
    removed = next(n for n, (_, d, w) in enumerate(seen) if d == "arm DELETE" and "/cb-" in w)
    released = last("operator patch", "azureopenaichatbots")
    assert proof < stopped < withdrawn < removed < released


def test_a_changed_prompt_rolls_the_pods(sandbox, namespace):
    sandbox.kubectl("apply", "-f", "-", body=chatbot(namespace))
    sandbox.wait_ready(namespace, "support")
    before = sandbox.get("pods", "-n", namespace)["items"][0]["metadata"]["uid"]
    changed = {"systemPrompt": "You are Grace, a compiler expert."}
    sandbox.kubectl("apply", "-f", "-", body=chatbot(namespace, chat=changed))

    def rolled():
        pods = sandbox.get("pods", "-n", namespace)["items"]
        return [p["metadata"]["uid"] for p in pods] and before not in {
            p["metadata"]["uid"] for p in pods
        }

    until(rolled, "new pods")
    sandbox.wait_ready(namespace, "support")
    assert "Grace" in answer(sandbox.url(namespace, "support"), "Who are you?")


def test_a_namespace_that_is_not_allowed_gets_nothing(sandbox, namespaces):
    namespaces()
    name = f"e2e-{uuid4().hex[:6]}"
    sandbox.kubectl("create", "namespace", name)
    sandbox.kubectl("apply", "-f", "-", body=chatbot(name))
    refused = until(
        lambda: (c := sandbox.condition(name, "support", "Ready"))["status"] == "False" and c,
        "a refusal",
    )
    assert refused["reason"] == "NamespaceNotAllowed"
    assert f"does not allow namespace {name}" in refused["message"]
    assert mine(sandbox.state(), name) == ([], [])
    assert sandbox.get("deploy,svc", "-n", name)["items"] == []


def test_a_role_that_is_taken_away_is_told_to_the_visitor_and_in_the_status(sandbox, namespace):
    sandbox.kubectl("apply", "-f", "-", body=chatbot(namespace))
    sandbox.wait_ready(namespace, "support")
    url = sandbox.url(namespace, "support")
    (assignment,) = mine(sandbox.state(), namespace)[1]
    at = f"{assignment['scope']}/providers/Microsoft.Authorization/roleAssignments/{assignment['name']}"
    fault = {
        "plane": "arm",
        "method": "PUT",
        "path": "roleAssignments",
        "action": "respond",
        "status": 403,
        "code": "AuthorizationFailed",
        "message": "withheld by the test",
    }
    held = sandbox.azure("POST", "/_emulator/faults", fault).json()["id"]
    try:
        assert sandbox.azure("DELETE", at).status_code == 200
        with pytest.raises(Refused, match=r"(?i)permission|role|access"):
            answer(url, "Hello?")
        refused = until(
            lambda: (
                (c := sandbox.condition(namespace, "support", "Ready"))["status"] == "False" and c
            ),
            "the status",
        )
        assert refused["reason"] in ("AzureAccessDenied", "RoleMisconfigured", "RolePropagating")
        pods = sandbox.get("deploy", "support", "-n", namespace)["status"]
        assert pods["availableReplicas"] == 1, "the page stays, to explain"
    finally:
        sandbox.azure("DELETE", f"/_emulator/faults/{held}")
    sandbox.wait_ready(namespace, "support", seconds=120)
    assert answer(url, "Hello?")


def test_a_credential_for_another_service_account_is_named_and_put_right(sandbox, namespace):
    sandbox.kubectl("apply", "-f", "-", body=chatbot(namespace))
    sandbox.wait_ready(namespace, "support")
    ((identity,), _) = mine(sandbox.state(), namespace)
    (credential,) = identity["credentials"]
    wrong = {
        "issuer": credential["issuer"],
        "subject": f"system:serviceaccount:{namespace}:someone-else",
        "audiences": [credential["audience"]],
    }
    fault = {
        "plane": "arm",
        "method": "PUT",
        "path": f"{identity['name']}/federated",
        "action": "respond",
        "status": 503,
        "code": "ServiceUnavailable",
        "message": "withheld by the test",
    }
    assert sandbox.azure("PUT", credential["id"], {"properties": wrong}).status_code == 200
    held = sandbox.azure("POST", "/_emulator/faults", fault).json()["id"]
    try:
        refused = until(
            lambda: (
                (c := sandbox.condition(namespace, "support", "Ready"))["status"] != "True" and c
            ),
            "the status",
        )
        assert refused["reason"] in (
            "FederationPropagating",
            "AzureError",
            "FederationMisconfigured",
        )
    finally:
        sandbox.azure("DELETE", f"/_emulator/faults/{held}")
    sandbox.wait_ready(namespace, "support", seconds=150)
    ((identity,), _) = mine(sandbox.state(), namespace)
    assert identity["credentials"][0]["subject"] == f"system:serviceaccount:{namespace}:support"


def test_status_without_a_sandbox_says_so(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "status", "--directory", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "make demo" in done.stderr
