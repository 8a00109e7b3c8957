"""Managed identities that somebody else made, with all that is theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from chatbot_operator import naming
from cluster_world import ACCOUNT_ID, IDENTITIES, AzureHand
from sandbox.azure import settings as fixed

AUDIENCE = "api://AzureADTokenExchange"


@dataclass(frozen=True)
class Theirs:
    """An identity of somebody else's: with a tag, a role, and a credential for their pipeline."""

    azure: AzureHand
    id: str
    principal_id: str

    @property
    def name(self) -> str:
        return self.id.rpartition("/")[2]

    @property
    def listed(self) -> dict[str, Any]:
        """The entry of an account's spec.identity.existing."""
        return {"name": self.name, "id": self.id}

    async def read(self, part: str = "") -> str:
        return (await self.azure.arm("GET", f"{self.id}{part}")).text

    async def all(self) -> list[Any]:
        """Everything about it, byte for byte."""
        assigned = await self.azure.assignments(self.principal_id)
        return [await self.read(), await self.read("/federatedIdentityCredentials"), assigned]

    async def credentials(self) -> list[Any]:
        found = await self.azure.done("GET", f"{self.id}/federatedIdentityCredentials")
        return list(found["value"])

    async def ours(self) -> list[Any]:
        """The credentials that the operator wrote."""
        return [c for c in await self.credentials() if c["name"].startswith("cb-")]

    async def trust(self, name: str, subject: str, issuer: str = "https://theirs") -> None:
        body = {"issuer": issuer, "subject": subject, "audiences": [AUDIENCE]}
        at = f"{self.id}/federatedIdentityCredentials/{name}"
        await self.azure.done("PUT", at, {"properties": body})

    async def forget(self, name: str) -> None:
        await self.azure.done("DELETE", f"{self.id}/federatedIdentityCredentials/{name}")

    async def tag(self, **tags: str) -> None:
        await self.azure.done("PATCH", self.id, {"tags": {"team": "data", **tags}})


async def make(azure: AzureHand, *, role: bool = True, at: str = IDENTITIES) -> Theirs:
    where = f"{at}/theirs-{uuid4().hex[:8]}"
    body = {"location": fixed.LOCATION, "tags": {"team": "data"}}
    made = await azure.done("PUT", where, body)
    theirs = Theirs(azure, where, made["properties"]["principalId"])
    await theirs.trust("pipeline", "repo:theirs")
    if role:
        await assign(theirs)
    return theirs


async def assign(theirs: Theirs) -> str:
    where = f"{ACCOUNT_ID}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
    properties = {
        "roleDefinitionId": naming.role_definition_id(ACCOUNT_ID),
        "principalId": theirs.principal_id,
        "principalType": "ServicePrincipal",
    }
    await theirs.azure.done("PUT", where, {"properties": properties})
    return where
