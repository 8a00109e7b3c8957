"""A rolling update while somebody waits for an answer: real processes, a real Deployment."""

from __future__ import annotations

import threading

from e2e_talk import answer, chatbot
from waiting import until

ASKED = "Tell me something long."
THINKING = 30.0
"""Seconds to the first word: longer than any pod had to end by default, or had here before."""


def pods(sandbox, namespace):
    """Name, address and whether it is ending, of each pod."""
    found = sandbox.get("pods", "-n", namespace)["items"]
    return {
        pod["metadata"]["uid"]: (
            f"http://{pod['status'].get('podIP')}:8080",
            "deletionTimestamp" in pod["metadata"],
        )
        for pod in found
    }


def test_an_answer_from_a_pod_that_is_replaced_comes_whole(sandbox, namespace):
    sandbox.kubectl("apply", "-f", "-", body=chatbot(namespace))
    sandbox.wait_ready(namespace, "support")
    ((old, (address, _)),) = pods(sandbox, namespace).items()
    whole = answer(address, ASKED)
    assert len(whole.split()) > 500

    sandbox.azure("PATCH", "/_emulator/settings", {"latency_first_token": THINKING})
    said = []
    visitor = threading.Thread(target=lambda: said.append(answer(address, ASKED)), daemon=True)
    visitor.start()
    changed = {"systemPrompt": "You are Ada's 🤖 assistant.", "title": "Another title"}
    try:
        sandbox.kubectl("apply", "-f", "-", body=chatbot(namespace, chat=changed))
        until(lambda: len(pods(sandbox, namespace)) == 2, "a new pod")
        until(lambda: pods(sandbox, namespace)[old][1], "the old pod's end")
        sandbox.azure("PATCH", "/_emulator/settings", {"latency_first_token": 0})
        assert said == []
        sandbox.wait_ready(namespace, "support")
        visitor.join(timeout=THINKING + 60)
    finally:
        sandbox.azure("PATCH", "/_emulator/settings", {"latency_first_token": 0})
    assert said == [whole]
    until(lambda: old not in pods(sandbox, namespace), "the old pod to be gone", seconds=20)
