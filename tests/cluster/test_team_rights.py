"""What a team may do by Kubernetes' own roles, on a real API server with its aggregation."""

from __future__ import annotations

import pytest
from waiting import until

CHATBOTS = "azureopenaichatbots.chatbot-operator.dev"
SCALE = f"{CHATBOTS}/scale"
STATUS = f"{CHATBOTS}/status"
FINALIZERS = f"{CHATBOTS}/finalizers"
ACCOUNTS = "azureopenaiaccounts.chatbot-operator.dev"


@pytest.fixture
def may(installed, namespace, kubectl):
    """Tells whether somebody bound to a role in the namespace may do something there."""

    def may(role: str, verb: str, what: str, where: str = namespace) -> bool:
        resource, _, sub = what.partition("/")
        of = ("--subresource", sub) if sub else ()
        said = kubectl(
            *("auth", "can-i", verb, resource, *of, "-n", where, "--as", role), check=False
        )
        return said.strip().endswith("yes")

    for role in ("view", "edit", "admin"):
        kubectl(
            *("create", "rolebinding", f"{role}s", "--clusterrole", role),
            *("--user", role, "-n", namespace),
        )
    until(lambda: may("edit", "create", CHATBOTS), "that the roles are put together")
    return may


def test_roles_of_kubernetes_give_a_team_its_chatbots(may):
    for role in ("view", "edit", "admin"):
        assert may(role, "get", CHATBOTS)
        assert may(role, "get", SCALE)
        for verb in ("create", "update", "patch", "delete"):
            assert may(role, verb, CHATBOTS) == (role != "view")
        assert may(role, "update", SCALE) == (role != "view")


def test_nobody_gets_statuses_finalizers_accounts_or_other_namespaces(may):
    for role in ("view", "edit", "admin"):
        assert not may(role, "patch", STATUS)
        assert not may(role, "update", FINALIZERS)
        assert not may(role, "create", ACCOUNTS)
        assert not may(role, "get", CHATBOTS, "kube-system")
