"""Lengths of time, what may not be read, what is refused: in words."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from chatbot_operator.cli.commands import COMMANDS
from chatbot_operator.cli.main import main
from chatbot_operator.cli.refused import words
from chatbot_operator.cli.spans import span
from chatbot_operator.cli.unread import Unread, allowed
from chatbot_operator.errors import KubernetesRefusal, Refusal, Service


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "0 seconds"),
        (1, "1 second"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (7199, "119 minutes"),
        (7200, "2 hours"),
        (200_000, "2 days"),
    ],
)
def test_a_length_of_time_in_one_unit(seconds, said):
    assert span(seconds) == said


async def refused(status):
    raise KubernetesRefusal("GET /x", status, "Why", "")


async def test_what_may_not_be_read_says_which_right_is_missing():
    found = await allowed(refused(403), "list pods in team-a")
    assert found == Unread("list pods in team-a")
    assert str(found) == "not known: you may not list pods in team-a"


async def test_what_fails_otherwise_is_no_missing_right():
    with pytest.raises(KubernetesRefusal):
        await allowed(refused(500), "list pods in team-a")


@pytest.fixture(autouse=True)
def logs():
    """What main takes from its process, which is the tests' here."""
    yield
    logging.disable(logging.NOTSET)


REFUSED = {
    0: "does not answer (ClientConnectorError): see whether `kubectl version`",
    401: "does not know you: sign in anew",
    403: "You may not look: have the right given to you. The cluster says: chatbots is forbidden",
    404: "CRDs are not installed",
    500: "The cluster refuses: chatbots is forbidden",
}


@pytest.mark.parametrize("status", REFUSED)
def test_what_a_cluster_refuses_says_what_to_do(status):
    where = "GET /apis/chatbot-operator.dev/v1alpha1/azureopenaichatbots"
    reason = "" if status else "ClientConnectorError"
    said = words(KubernetesRefusal(where, status, reason, "chatbots is forbidden"))
    assert REFUSED[status] in said


CONFIGS = {
    "no yaml": "a: b: c",
    "a list": "[]",
    "nothing": "",
    "no contexts": "{apiVersion: v1, kind: Config, current-context: a}",
}


@pytest.mark.parametrize("case", [*CONFIGS, "a directory", "no file"])
def test_a_kubeconfig_that_is_none_ends_with_2_and_words(tmp_path, capsys, case):
    file = tmp_path / "config"
    if case == "a directory":
        file.mkdir()
    elif case in CONFIGS:
        file.write_text(CONFIGS[case])
    assert main(["why", "support", "--kubeconfig", str(file)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("kubectl chatbot: ")
    assert "Traceback" not in told


def test_a_fault_of_the_program_is_no_finding(monkeypatch, capsys):
    async def run(*_):
        raise LookupError("whose words?")

    (why,) = [each for each in COMMANDS if each.name == "why"]
    broken = replace(why, run=run)
    monkeypatch.setattr("chatbot_operator.cli.main.COMMANDS", (broken,))
    assert main(["why", "support"]) == 2
    told = capsys.readouterr().err
    assert "fault of the program (LookupError in test_cli_words.py, line" in told
    assert "whose words?" not in told


def test_a_cluster_that_does_not_answer_ends_with_2(tmp_path, capsys):
    file = tmp_path / "config"
    user = "users: [{name: a, user: {token: x}}]"
    where = "clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}]"
    context = "contexts: [{name: a, context: {cluster: a, user: a}}]"
    parts = ("apiVersion: v1", "kind: Config", user, where, context, "current-context: a")
    file.write_text("\n".join(parts))
    assert main(["why", "support", "--kubeconfig", str(file), "-o", "json"]) == 2
    out, err = capsys.readouterr()
    assert "does not answer" in err
    assert "does not answer" in out


def test_a_context_that_is_not_there_brings_those_that_are(tmp_path, capsys):
    file = tmp_path / "config"
    parts = (
        "kind: Config",
        "users: [{name: a, user: {token: x}}]",
        "clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}]",
        "contexts: [{name: b, context: {cluster: a}}, {name: a, context: {cluster: a, user: a}}]",
    )
    file.write_text("\n".join((*parts, "current-context: a")))
    assert main(["why", "--kubeconfig", str(file), "--context", "prod"]) == 2
    assert f"The kubeconfig {file} has no context prod; it has: a, b." in capsys.readouterr().err
    file.write_text("\n".join(parts))
    assert main(["why", "--kubeconfig", str(file)]) == 2
    assert "kubectl config use-context NAME" in capsys.readouterr().err


def test_whoever_has_no_kubeconfig_is_told_how_to_get_one(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", "")
    assert main(["why"]) == 2
    told = capsys.readouterr().err
    assert f"There is no kubeconfig {tmp_path}/.kube/config." in told
    assert "az aks get-credentials" in told


def test_without_a_command_there_is_help(capsys):
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "why a chatbot, an account or a pod is not Ready" in capsys.readouterr().err


@pytest.mark.parametrize("typed", [["why", "aoai/"], ["why", "pod/"], ["ask", "", "Hi"]])
def test_a_name_that_is_empty_is_none(capsys, typed):
    assert main(typed) == 2
    assert "name" in capsys.readouterr().err


def test_whoever_is_signed_in_nowhere_is_told_how():
    nobody = Refusal("list", status=401, code="", message="No CLI.", service=Service.ENTRA)
    assert words(nobody).endswith("sign in by `az login`. It was said: No CLI.")
    assert words(Refusal("list", status=403, code="No", message="No.")) == "list: 403 No: No."
