"""What a person may not read, as it would have to be for the operator to go on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chatbot_operator.chatbot import Chatbot
from chatbot_operator.ports import ACCOUNTS, NAMESPACES, Object

NOWHERE: Final = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/unknown"
    "/providers/Microsoft.CognitiveServices/accounts/{name}"
)
"""Stands for the id of an account of which nothing is known but how the cluster calls it."""


def unknown(what: str) -> str:
    """Stand for something that nobody could say."""
    return f"(unknown: {what})"


def is_unknown(value: str) -> bool:
    """Tell whether something that nobody could say is part of a value."""
    return "(unknown: " in value


def account_of(chatbot: Chatbot) -> Object:
    """Give the account that a chatbot names, as far as its status tells of it, allowing all."""
    recorded, resolved = chatbot.recorded, chatbot.status.get("resolved", {})
    name = chatbot.account
    group = recorded.identity_id.split("/")[4] if recorded.identity_id else ""
    identity: Object = {"resourceGroup": group} if group and not chatbot.existing else {}
    if chatbot.existing and recorded.identity_id:
        identity = {"existing": [{"name": chatbot.existing, "id": recorded.identity_id}]}
    return {
        "apiVersion": ACCOUNTS.api_version,
        "kind": ACCOUNTS.kind,
        "metadata": {"name": name, "uid": f"(assumed: {name})", "generation": 1},
        "spec": {
            "accountId": recorded.account_id or NOWHERE.format(name=name),
            "allowedNamespaces": {"all": True},
            "allowAnonymous": True,
            "imageRepositories": ["*"],
            "serviceTypes": ["ClusterIP", "LoadBalancer"],
            "identity": identity,
        },
        "status": {
            "observedGeneration": 1,
            "endpoint": resolved.get("endpoint") or f"https://{name}.openai.azure.com/",
            "location": "(the region of the account)",
            "deployments": [{"name": chatbot.deployment}],
            "conditions": [
                {
                    "type": "Usable",
                    "status": "True",
                    "reason": "Assumed",
                    "message": "",
                    "lastTransitionTime": "1970-01-01T00:00:00Z",
                }
            ],
        },
    }


def namespace_of(name: str, labels: Mapping[str, str]) -> Object:
    """Give a namespace that bears some labels."""
    return {
        "apiVersion": NAMESPACES.api_version,
        "kind": NAMESPACES.kind,
        "metadata": {"name": name, "labels": dict(labels)},
    }
