"""What is in Azure before the operator is, made as a platform team would: by Resource Manager.

The operator's identity, its federation with the operator's service account, and two grants:
identities in their resource group, and role assignments of one role on the account. And the person
who tries it out, an owner of the subscription, by an identity that a service account stands for.
"""

from __future__ import annotations

import contextlib
import ssl
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from sandbox.azure import settings
from sandbox.azure.builtin_roles import OWNER

OPERATOR_NAMESPACE = "chatbot-operator"
OPERATOR = "chatbot-operator"
MANAGED_IDENTITY_CONTRIBUTOR = "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59"
ACCESS_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
EXCHANGE = "api://AzureADTokenExchange"
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
SUBSCRIPTION_ID = f"/subscriptions/{settings.SUBSCRIPTION}"
IDENTITY_GROUP_ID = f"{SUBSCRIPTION_ID}/resourceGroups/{settings.IDENTITY_GROUP}"
OPERATOR_GROUP = "chatbot-operator"
PEOPLE_GROUP = "people"
PERSON = "person"
PERSON_NAMESPACE = "kube-system"
ACCOUNT_ID = (
    f"{SUBSCRIPTION_ID}/resourceGroups/{settings.ACCOUNT_GROUP}"
    f"/providers/Microsoft.CognitiveServices/accounts/{settings.ACCOUNT}"
)

ONE_ROLE = (Path(__file__).parents[2] / "azure/one-role.condition").read_text()
"""Constrains the operator to this one role, for service principals only:
https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-examples"""


@dataclass(frozen=True, slots=True)
class Made:
    """A managed identity."""

    client_id: str
    principal_id: str


async def prepare(url: str, trust: Path, *, issuer: str) -> Made:
    """Make the operator's identity for the cluster with this issuer; `url` is the emulator's.

    Raises httpx2.HTTPError when the emulator refuses.
    """
    async with _owner(url, trust) as client:
        subject = f"system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR}"
        made = await _identity(client, OPERATOR_GROUP, OPERATOR, issuer, subject)
        mine = made.principal_id
        await _assign(client, IDENTITY_GROUP_ID, MANAGED_IDENTITY_CONTRIBUTOR, mine, None)
        await _assign(client, ACCOUNT_ID, ACCESS_ADMINISTRATOR, mine, ONE_ROLE)
        return made


async def prepare_person(url: str, trust: Path, *, issuer: str) -> Made:
    """Make the identity of whoever tries it out; arguments and errors as of `prepare`."""
    async with _owner(url, trust) as client:
        subject = f"system:serviceaccount:{PERSON_NAMESPACE}:{PERSON}"
        made = await _identity(client, PEOPLE_GROUP, PERSON, issuer, subject)
        await _assign(client, SUBSCRIPTION_ID, OWNER, made.principal_id, None)
        return made


@contextlib.asynccontextmanager
async def _owner(url: str, trust: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a client that acts as the owner of the subscription."""
    context = ssl.create_default_context(cafile=str(trust))
    async with httpx2.AsyncClient(base_url=url, verify=context, timeout=30) as client:
        client.headers["Authorization"] = f"Bearer {await _owner_token(client)}"
        yield client


async def _identity(
    client: httpx2.AsyncClient, group: str, name: str, issuer: str, subject: str
) -> Made:
    """Make an identity in a resource group of its own, for a service account."""
    at = f"{SUBSCRIPTION_ID}/resourceGroups/{group}"
    await _put(client, at, {"location": settings.LOCATION})
    at = f"{at}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
    made = await _put(client, at, {"location": settings.LOCATION})
    federation = {"issuer": issuer, "subject": subject, "audiences": [EXCHANGE]}
    await _put(client, f"{at}/federatedIdentityCredentials/cluster", {"properties": federation})
    return Made(made["properties"]["clientId"], made["properties"]["principalId"])


async def _owner_token(client: httpx2.AsyncClient) -> str:
    answer = await client.post(
        f"/{settings.TENANT}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": settings.OWNER_CLIENT_ID,
            "client_secret": settings.OWNER_SECRET,
            "scope": f"{settings.ARM_AUDIENCE}/.default",
        },
    )
    answer.raise_for_status()
    return str(answer.json()["access_token"])


async def _assign(
    client: httpx2.AsyncClient, scope: str, role: str, principal: str, condition: str | None
) -> None:
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}|{role}|{principal}")
    properties: dict[str, Any] = {
        "roleDefinitionId": (
            f"{SUBSCRIPTION_ID}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        ),
        "principalId": principal,
        "principalType": "ServicePrincipal",
    }
    if condition:
        properties |= {"condition": condition, "conditionVersion": "2.0"}
    at = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
    await _put(client, at, {"properties": properties})


async def _put(client: httpx2.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.put(path, params={"api-version": "2024-11-30"}, json=body)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
