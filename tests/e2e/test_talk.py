"""`kubectl chatbot ask`, `logs` and `open` in a sandbox, as a person types them there."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from uuid import uuid4

import pytest
from e2e_talk import chatbot
from waiting import until

PROGRAM = str(Path(sys.executable).with_name("kubectl-chatbot"))
NAME = "Philomena"
"""Said to the chatbot, and said back by it."""
SANDBOX = str(Path(sys.executable).with_name("sandbox"))


@pytest.fixture(scope="module")
def shell(sandbox):
    """The variables of a shell after `eval "$(sandbox env)"`."""
    line = f'eval "$({SANDBOX} env --directory {sandbox.directory})"; env -0'
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(sandbox.directory), "LC_ALL": "C.UTF-8"}
    out = subprocess.run(
        ["bash", "-euc", line], env=bare, check=True, capture_output=True, text=True
    )
    return dict(each.partition("=")[::2] for each in out.stdout.split("\0") if each)


@pytest.fixture(scope="module")
def talk(sandbox, namespaces):
    """The namespace of a chatbot with two pods that is Ready."""
    namespace = namespaces()
    sandbox.kubectl("apply", "-f", "-", body=chatbot(namespace, replicas=2))
    sandbox.wait_ready(namespace, "support")
    until(lambda: len(ready_pods(sandbox, namespace)) == 2, "two pods")
    return namespace


@pytest.fixture
def slow(sandbox):
    """Makes the model think for so many seconds, until the test ends."""
    set_ = lambda seconds: sandbox.azure(  # noqa: E731
        "PATCH", "/_emulator/settings", {"latency_first_token": seconds}
    )
    yield set_
    set_(0)


def ready_pods(sandbox, namespace):
    found = {}
    for pod in sandbox.get("pods", "-n", namespace)["items"]:
        conditions = pod.get("status", {}).get("conditions", ())
        if "deletionTimestamp" not in pod["metadata"] and any(
            c["type"] == "Ready" and c["status"] == "True" for c in conditions
        ):
            found[pod["metadata"]["name"]] = pod["status"]["podIP"]
    return found


def run(shell, *words, **how):
    return subprocess.run(
        [PROGRAM, *words], env=shell, capture_output=True, text=True, check=False, timeout=60, **how
    )


class Running:
    """A program that stays; what it writes is gathered in `out` and `err`."""

    def __init__(self, shell, *words) -> None:
        self.process = subprocess.Popen(
            [PROGRAM, *words], env=shell, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.out, self.err = bytearray(), bytearray()
        for stream, into in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            threading.Thread(target=self._gather, args=(stream, into), daemon=True).start()

    def _gather(self, stream, into):
        while piece := stream.read1(65536):
            into += piece

    def said(self, pattern, what):
        """Wait until a pattern is in what it wrote anywhere."""
        find = lambda: re.search(pattern, (self.out + b"\n" + self.err).decode())  # noqa: E731
        return until(find, f"{what}: {self.err.decode()}", seconds=60)

    def end(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)


@pytest.fixture
def start(shell):
    with contextlib.ExitStack() as stack:

        def start(*words):
            running = Running(shell, *words)
            stack.callback(running.process.kill)
            return running

        yield start


def in_flight(sandbox, namespace):
    """Answers under way in all pods."""
    return sum(
        float(
            re.search(
                r"^chatbot_chats_in_flight (\S+)", get(f"http://{ip}:8088/metrics"), re.MULTILINE
            )[1]
        )
        for ip in ready_pods(sandbox, namespace).values()
    )


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310
        return answer.read().decode()


def test_an_answer_comes_in_pieces_to_kubectl_chatbot_and_ctrl_c_stops_it_upstream(
    shell, talk, sandbox
):
    words = ["kubectl", "chatbot", "ask", "support", "-n", talk, "Tell me something long."]
    with subprocess.Popen(
        words, env=shell, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as asking:
        assert asking.stdout is not None
        assert asking.stderr is not None
        pieces = [asking.stdout.read1(65536) for _ in range(3)]
        assert all(pieces)
        assert in_flight(sandbox, talk) == 1, "the end has not come yet"
        asking.send_signal(signal.SIGINT)
        assert asking.wait(timeout=10) == 130
        assert b"Traceback" not in asking.stderr.read()
    until(lambda: in_flight(sandbox, talk) == 0, "the answer's end upstream", seconds=5)


def test_a_program_gets_the_whole_as_json_and_asks_by_standard_input(shell, talk):
    asked = run(shell, "ask", "-n", talk, "support", "-", "-o", "json", input=f"My name is {NAME}.")
    answer = json.loads(asked.stdout)
    assert asked.returncode == 0
    assert NAME in answer["answer"]
    assert (answer["finish"], answer["chatbot"]) == ("stop", f"{talk}/support")
    assert answer["usage"]["completionTokens"] > 0
    assert answer["seconds"] > 0


def test_what_the_chatbot_says_instead_of_an_answer_is_an_error_of_its_own(shell, talk, sandbox):
    fault = {
        "plane": "openai",
        "method": "POST",
        "action": "respond",
        "status": 401,
        "code": "PermissionDenied",
        "message": "withheld by the test",
    }
    held = sandbox.azure("POST", "/_emulator/faults", fault).json()["id"]
    try:
        asked = run(shell, "ask", "support", "-n", talk, "Hello?")
        as_json = run(shell, "ask", "support", "-n", talk, "Hello?", "-o", "json")
    finally:
        sandbox.azure("DELETE", f"/_emulator/faults/{held}")
    assert (asked.returncode, asked.stdout) == (1, "")
    assert asked.stderr.startswith("PermissionDenied: ")
    assert as_json.returncode == 1
    assert json.loads(as_json.stdout)["error"]["reason"] == "PermissionDenied"


def test_whoever_has_no_pods_is_explained_in_a_line_with_what_to_type(shell, talk, sandbox):
    name = f"e2e-{uuid4().hex[:6]}"
    sandbox.kubectl("create", "namespace", name)
    sandbox.kubectl("apply", "-f", "-", body=chatbot(name))
    until(
        lambda: sandbox.condition(name, "support", "Ready")["status"] == "False", "that it is known"
    )
    for command in (["ask", "support", "Hi"], ["logs", "support"]):
        done = run(shell, *command, "-n", name)
        assert (done.returncode, done.stdout) == (2, "")
        assert "NamespaceNotAllowed" in done.stderr
        assert f"kubectl chatbot why support --namespace {name}" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    nobody = run(shell, "ask", "nobody", "Hi", "-n", name)
    assert nobody.returncode == 2
    assert "There is no chatbot nobody" in nobody.stderr
    assert "There are: support." in nobody.stderr


def test_a_conversation_is_remembered_and_ctrl_c_stops_an_answer_and_no_more(
    shell, talk, sandbox, slow
):
    child, terminal = pty.fork()
    if child == 0:
        os.execve(PROGRAM, [PROGRAM, "ask", "support", "-n", talk], shell)  # noqa: S606
    screen = bytearray()

    def read():
        with contextlib.suppress(OSError):
            while piece := os.read(terminal, 65536):
                screen.extend(piece)

    threading.Thread(target=read, daemon=True).start()
    shown = lambda words, times=1: until(  # noqa: E731
        lambda: screen.decode().count(words) >= times, f"{words}: {screen.decode()}", seconds=30
    )
    shown("> ")
    os.write(terminal, f"My name is {NAME}.\n".encode())
    shown("> ", 2)
    os.write(terminal, b"What is my name?\n")
    shown("> ", 3)
    assert screen.decode().rpartition("What is my name?")[2].count(NAME) == 1
    slow(30)
    os.write(terminal, b"And now think.\n")
    until(lambda: in_flight(sandbox, talk) == 1, "an answer under way")
    os.write(terminal, b"\x03")
    shown("(stopped)")
    until(lambda: in_flight(sandbox, talk) == 0, "the answer's end upstream", seconds=5)
    slow(0)
    os.write(terminal, b"What is my name?\n")
    shown("> ", 5)
    assert NAME in screen.decode().rpartition("What is my name?")[2]
    os.write(terminal, b"\x04")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_page_opens_and_outlives_its_pod(start, talk, sandbox):
    opened = start("open", "support", "-n", talk, "--no-browser")
    url = opened.said(r"http://127.0.0.1:\d+/", "the address").group()
    pod = opened.said(r"to pod (\S+)", "the pod").group(1)
    assert "<html" in get(url)
    sandbox.kubectl("delete", "pod", pod, "-n", talk, "--wait=false")
    other = opened.said(rf"pod {pod[-5:]} is gone: on to (\S+)", "another pod").group(1)
    assert other != pod
    assert "<html" in get(url)
    assert opened.end() == 130
    assert b"Traceback" not in opened.err
    with pytest.raises(urllib.error.URLError):
        get(url)


def test_logs_of_all_pods_go_on_through_a_rollout_and_a_sign_in_is_sent(
    start, shell, talk, sandbox
):
    until(lambda: len(ready_pods(sandbox, talk)) == 2, "two pods")
    before = ready_pods(sandbox, talk)
    whole = run(shell, "logs", "support", "-n", talk)
    assert {line.split()[0] for line in whole.stdout.splitlines()} == {p[-5:] for p in before}
    assert re.search(r"Z info +standing changed  reason=Proven", whole.stdout)
    times = re.findall(r"^\S+ +(\S+Z) ", whole.stdout, re.MULTILINE)
    assert times == sorted(times)
    as_json = run(shell, "logs", "support", "-n", talk, "--tail=1", "-o", "json")
    lines = [json.loads(line) for line in as_json.stdout.splitlines()]
    assert [len(lines), {line["pod"] for line in lines}] == [2, set(before)]
    old = run(shell, "logs", "support", "-n", talk, "--previous")
    assert (old.returncode, old.stdout) == (0, "")
    assert old.stderr.count("not found") == 2

    following = start("logs", "support", "-n", talk, "-f")
    following.said(r"listening", "what was there")
    signed = {"entraToken": {"audiences": ["api://support"]}}
    sandbox.kubectl("apply", "-f", "-", body=chatbot(talk, replicas=2, access=signed))

    def rolled():
        now = ready_pods(sandbox, talk)
        return len(now) == 2 and not now.keys() & before.keys() and now

    for pod in until(rolled, "new pods"):
        following.said(rf"{pod[-5:]} is new", "a new pod")
        following.said(rf"(?m)^{pod[-5:]} .* listening", "its log")
    for pod in before:
        following.said(rf"{pod[-5:]} is gone", "the end of an old one")
    assert following.end() == 130
    assert b"Traceback" not in following.err

    sandbox.wait_ready(talk, "support")
    asked = run(shell, "ask", "support", "-n", talk, "Hello?")
    assert asked.returncode == 2
    assert "say so: --token-for api://support" in asked.stderr
    agreed = ("--token-for", "api://support")
    asked = run(shell, "ask", "support", "-n", talk, "Hello?", *agreed)
    assert asked.returncode == 1
    assert "This token is an application's" in asked.stderr
    page = run(shell, "open", "support", "-n", talk)
    assert page.returncode == 2
    assert "a token of Entra" in page.stderr


def test_the_operators_logs_name_their_leader_and_can_be_of_one_chatbot(shell, talk, sandbox):
    whole = run(shell, "logs", "--operator")
    assert whole.returncode == 0
    assert re.search(r"(?m)^\S{5}\* \S+ info +leading$", whole.stdout)
    mine = run(shell, "logs", "support", "-n", talk, "--operator", "-o", "json")
    for line in map(json.loads, mine.stdout.splitlines()):
        assert (line["namespace"], line["name"]) == (talk, "support")
    assert mine.returncode == 0


def test_nothing_that_was_said_is_in_any_log(shell, talk, sandbox):
    """After all of the above."""
    logs = [
        run(shell, "logs", *words).stdout for words in (["support", "-n", talk], ["--operator"])
    ]
    found = [path.read_text() for path in Path(sandbox.directory).rglob("*.log")]
    for text in logs + found:
        assert NAME not in text
