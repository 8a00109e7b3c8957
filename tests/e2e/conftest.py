"""A sandbox of the tests' own, run as a person runs it, and what a person does with it."""

from __future__ import annotations

from uuid import uuid4

import pytest
from e2e_sandbox import running
from e2e_talk import ACCOUNT_ID, GROUP


@pytest.fixture(scope="session")
def sandbox(binaries, tmp_path_factory):
    """A running sandbox without samples, shared by the session."""
    with running(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def namespaces(sandbox):
    """Makes namespaces that the account allows, until the module ends."""
    made = []

    def allow():
        name = f"e2e-{uuid4().hex[:6]}"
        sandbox.kubectl("create", "namespace", name)
        made.append(name)
        account = {
            "apiVersion": GROUP,
            "kind": "AzureOpenAIAccount",
            "metadata": {"name": "contoso"},
            "spec": {
                "accountId": ACCOUNT_ID,
                "allowedNamespaces": {"names": made},
                "identity": {"resourceGroup": "chatbot-identities"},
            },
        }
        sandbox.kubectl("apply", "-f", "-", body=account)
        return name

    return allow


@pytest.fixture
def namespace(namespaces):
    return namespaces()
