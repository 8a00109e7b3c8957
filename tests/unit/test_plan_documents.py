"""Manifests as kubectl takes them."""

from __future__ import annotations

import io
import json

import pytest
from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.plan.documents import read
from chatbot_operator.ports import ACCOUNTS, CHATBOTS

CHATBOT = {
    "apiVersion": CHATBOTS.api_version,
    "kind": CHATBOTS.kind,
    "metadata": {"name": "support"},
    "spec": {},
}
ACCOUNT = {**CHATBOT, "apiVersion": ACCOUNTS.api_version, "kind": ACCOUNTS.kind}
SERVICE = {**CHATBOT, "apiVersion": "v1", "kind": "Service"}


@pytest.fixture
def write(tmp_path):
    def to(name, *bodies, text=""):
        (tmp_path / name).write_text(text or "\n---\n".join(map(json.dumps, bodies)))
        return str(tmp_path / name)

    return to


def test_several_documents_accounts_first_and_what_is_not_planned(write):
    found, others = read([write("a.yaml", CHATBOT, SERVICE, ACCOUNT)], "team")
    assert [resource for resource, _ in found] == [ACCOUNTS, CHATBOTS]
    assert found[1][1]["metadata"] == {"name": "support", "namespace": "team"}
    assert "namespace" not in found[0][1]["metadata"]
    assert others == ["Service support"]


def test_a_directory_a_list_and_standard_input(write, tmp_path, monkeypatch):
    write("a.yml", CHATBOT)
    write("b.json", {"kind": "List", "items": [ACCOUNT]})
    write("README.md", text="no manifest: [")
    assert len(read([str(tmp_path)], "team")[0]) == 2
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(CHATBOT) + "\n---\n"))
    assert len(read(["-"], "team")[0]) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("---", "There is no manifest in "),
        ("a: [", "is no YAML"),
        ("just words", "no object with kind and name"),
        ("kind: Service", "no object with kind and name"),
        (json.dumps({**CHATBOT, "apiVersion": "chatbot-operator.dev/v2"}), "this program knows"),
        ("\n---\n".join([json.dumps(CHATBOT)] * 2), "is there twice"),
    ],
)
def test_what_is_no_manifest_is_said(write, text, said):
    with pytest.raises(UnansweredError, match=said):
        read([write("a.yaml", text=text)], "team")


def test_a_file_that_is_not_there_and_a_directory_without_manifests(tmp_path):
    with pytest.raises(UnansweredError, match="cannot be read"):
        read([str(tmp_path / "gone.yaml")], "team")
    with pytest.raises(UnansweredError, match="holds no file"):
        read([str(tmp_path)], "team")
