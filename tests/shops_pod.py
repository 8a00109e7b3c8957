"""A shop's pod for a picture: it is none of the operator's, and its credential lacks a slash."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from e2e_talk import ACCOUNT_ID
from sandbox.azure.settings import IDENTITY_GROUP
from sandbox.azure.world import SUBSCRIPTION_ID, role_definition_id
from sandbox.bootstrap import OPENAI_USER
from waiting import until

if TYPE_CHECKING:
    from e2e_sandbox import Running

AT: Final = (
    f"{SUBSCRIPTION_ID}/resourceGroups/{IDENTITY_GROUP}"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/shop-web"
)
OF_SHOP: Final = {"name": "web", "namespace": "shop"}


def foreign(sandbox: Running) -> None:
    """A pod that is none of the operator's, whose credential lacks the slash of the issuer."""
    made = sandbox.azure("PUT", AT, {"location": "eastus"}).json()["properties"]
    discovery = sandbox.kubectl("get", "--raw", "/.well-known/openid-configuration")
    credential = {
        "issuer": json.loads(discovery)["issuer"].rstrip("/"),
        "subject": "system:serviceaccount:shop:web",
        "audiences": ["api://AzureADTokenExchange"],
    }
    where = f"{AT}/federatedIdentityCredentials/cluster"
    sandbox.azure("PUT", where, {"properties": credential})
    _assign(sandbox, made["principalId"])
    sandbox.kubectl("create", "namespace", "shop")
    _run(sandbox, made["clientId"])


def _assign(sandbox: Running, principal: str) -> None:
    """Let a principal use the account."""
    where = f"{ACCOUNT_ID}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
    given = {"roleDefinitionId": role_definition_id(OPENAI_USER), "principalId": principal}
    properties = {**given, "principalType": "ServicePrincipal"}
    sandbox.azure("PUT", where, {"properties": properties})


def _run(sandbox: Running, client_id: str) -> None:
    """Run a pod of the shop's as an identity, and wait until it does run."""
    notes = {"azure.workload.identity/client-id": client_id}
    account = {"apiVersion": "v1", "kind": "ServiceAccount"}
    _apply(sandbox, {**account, "metadata": {**OF_SHOP, "annotations": notes}})
    variables = {
        "AZURE_OPENAI_ENDPOINT": sandbox.status["openai"],
        "AZURE_OPENAI_DEPLOYMENT": "gpt-4o",
        "HOST": "127.0.0.1",
    }
    env = [{"name": name, "value": value} for name, value in variables.items()]
    container = {"name": "web", "image": "chatbot", "env": env}
    labels = {"azure.workload.identity/use": "true"}
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**OF_SHOP, "labels": labels},
        "spec": {"serviceAccountName": "web", "containers": [container]},
    }
    _apply(sandbox, body)
    phase = ("pod", "web", "-n", "shop")
    until(lambda: sandbox.get(*phase)["status"].get("phase") == "Running", "the shop's pod")


def close(sandbox: Running) -> None:
    """Take the shop's pod away again."""
    sandbox.kubectl("delete", "namespace", "shop", "--wait=false")


def _apply(sandbox: Running, body: Any) -> None:
    sandbox.kubectl("apply", "-f", "-", body=body)
