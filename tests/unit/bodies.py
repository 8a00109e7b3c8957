"""Resources as the API server returns them, defaults filled in, and what is made from them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.manifests import Wanted
from chatbot_operator.ports import Identity, Installation, Outlet

ACCOUNT_ID = (
    "/subscriptions/8f0c1c57-4b3b-4a63-9d5c-0d6b5d7f2a11/resourceGroups/ai"
    "/providers/Microsoft.CognitiveServices/accounts/contoso"
)
IDENTITY = Identity(
    id="/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/x/y",
    name="cb-team-support-aaaaaaaaaa",
    location="westeurope",
    principal_id="11111111-1111-1111-1111-111111111111",
    client_id="22222222-2222-2222-2222-222222222222",
    tenant_id="33333333-3333-3333-3333-333333333333",
)
INSTALLATION = Installation(
    cluster="c", issuer="https://issuer/", tenant_id=IDENTITY.tenant_id, image="chatbot:1"
)


def chatbot_body(*, openai: Any = None, chat: Any = None, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "namespace": "team",
            "name": "support",
            "uid": "0b7c1c1e-0000-4000-8000-000000000001",
            "generation": 3,
            "resourceVersion": "77",
        },
        "spec": {
            "openAI": {"account": "contoso", "deployment": "gpt-4o", **(openai or {})},
            "chat": {"title": "Chatbot", **(chat or {})},
            "replicas": 1,
            "service": {"type": "ClusterIP", "port": 80},
            "networkPolicy": {"enabled": True, "egress": {"enabled": False}},
            "deletionPolicy": "Delete",
            "suspend": False,
            **spec,
        },
        "status": {"observedGeneration": -1},
    }


def chatbot(**spec: Any) -> Chatbot:
    return Chatbot.parse(chatbot_body(**spec))


def account_body(*, status: Any = None, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "contoso", "uid": "a-uid", "generation": 2},
        "spec": {
            "accountId": ACCOUNT_ID,
            "allowAnonymous": False,
            "serviceTypes": ["ClusterIP"],
            **spec,
        },
        "status": usable() if status is None else status,
    }


def account(**given: Any) -> Account:
    return Account.parse(account_body(**given))


def usable(status: str = "True", reason: str = "Usable", *, generation: int = 2) -> dict[str, Any]:
    condition = {
        "type": "Usable",
        "status": status,
        "reason": reason,
        "message": "As found.",
        "lastTransitionTime": "2026-01-31T11:00:00Z",
    }
    return {
        "observedGeneration": generation,
        "endpoint": "https://contoso.openai.azure.com/",
        "location": "swedencentral",
        "deployments": [{"name": "gpt-4o"}, {"name": "mini"}],
        "conditions": [condition],
    }


def wanted(
    *,
    replicas: int = 1,
    identity: Identity = IDENTITY,
    daily_tokens: int | None = None,
    outlet: Outlet | None = None,
    **spec: Any,
) -> Wanted:
    return Wanted(
        chatbot=chatbot(**spec),
        identity=identity,
        endpoint="https://contoso.openai.azure.com/",
        image="chatbot:1",
        replicas=replicas,
        daily_tokens=daily_tokens,
        installation=replace(INSTALLATION, outlet=outlet or Outlet()),
    )
