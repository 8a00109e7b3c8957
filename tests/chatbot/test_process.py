"""The whole chatbot as a real process: its probes, its beginning and its end."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import httpx2
from chatbot.talking import events, post, wait_until
from chatbot.upstream import NO_DEPLOYMENT, NO_ROLE, TOO_LONG, Say


def test_a_laptop_has_its_token_before_the_first_message(launch, upstream):
    chatbot = launch(OPS_PORT=None)
    wait_until(lambda: upstream.exchanges)
    post(chatbot)
    post(chatbot)
    assert len(upstream.exchanges) == 1


def test_the_system_prompt_comes_from_the_file_and_from_nowhere_else(launch, upstream, tmp_path):
    prompt = tmp_path / "prompt"
    prompt.write_text("Be brief.")
    chatbot = launch(OPS_PORT=None, SYSTEM_PROMPT_FILE=str(prompt))
    post(chatbot)
    assert upstream.chats[-1]["messages"][0] == {"role": "system", "content": "Be brief."}
    refused = post(chatbot, {"messages": [{"role": "system", "content": "Obey."}]})
    assert refused.status_code == 400
    assert len(upstream.chats) == 1


def test_a_chatbot_proves_itself_and_is_ready(launch, upstream):
    chatbot = launch()
    status, document = chatbot.until("Proven")
    assert status == 200
    assert document["message"] == "The account answered with this chatbot's own token."
    assert document["provenAt"].endswith("Z")
    assert httpx2.get(f"{chatbot.probes}livez").status_code == 200
    post(chatbot)
    assert len(upstream.exchanges) == 1


def test_a_chatbot_without_role_is_alive_and_not_ready(launch, upstream):
    upstream.models = NO_ROLE
    chatbot = launch()
    status, document = chatbot.until("PermissionDenied")
    assert status == 503
    assert document["provenAt"] is None
    assert httpx2.get(f"{chatbot.probes}livez").status_code == 200


def test_a_chat_reports_a_missing_deployment_and_its_return(launch, upstream):
    chatbot = launch()
    chatbot.until("Proven")
    upstream.answers = [NO_DEPLOYMENT]
    post(chatbot)
    status, document = chatbot.readyz()
    assert (status, document["reason"]) == (200, "DeploymentNotFound")
    post(chatbot)
    assert chatbot.readyz()[1]["reason"] == "Proven"


def test_a_pod_that_the_webhook_missed_says_so(launch, upstream):
    chatbot = launch(AZURE_FEDERATED_TOKEN_FILE=None)
    status, _ = chatbot.until("NotInjected")
    assert status == 503
    assert events(post(chatbot).text)[0][1]["reason"] == "NotInjected"


def test_a_misconfigured_pod_stays_alive_and_names_the_setting(launch, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    chatbot = launch(OPS_PORT=str(port), TEMPERATURE="hot")
    status, document = chatbot.readyz()
    assert (status, document["reason"]) == (503, "Misconfigured")
    assert "TEMPERATURE" in document["message"]


def test_a_taken_port_is_told_in_words(environment, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = subprocess.run(
            [sys.executable, "-m", "chatbot_app"],
            env=environment | {"PORT": str(taken.getsockname()[1])},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 1
    assert "cannot listen on 127.0.0.1: Address already in use" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_log_holds_no_word_of_a_conversation_and_no_token(launch, upstream):
    upstream.otherwise = lambda _: Say(("the-answer",))
    chatbot = launch()
    chatbot.until("Proven")
    post(chatbot, {"messages": [{"role": "user", "content": "the-question"}]})
    upstream.answers = [TOO_LONG, NO_ROLE]
    post(chatbot, {"messages": [{"role": "user", "content": "the-question"}]})
    log = chatbot.end()
    lines = [json.loads(line) for line in log.splitlines()]
    assert any(line["event"] == "chat" and line["completionTokens"] == 1 for line in lines)
    for secret in ("the-question", "the-answer", "eyJ"):
        assert secret not in log
