"""Azure Resource Manager, as steps see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from chatbot_operator.ports.azure_resources import (
    Assignment,
    Credential,
    Identity,
    OpenAIAccount,
    Permission,
)
from chatbot_operator.ports.journal import Receipt


class Azure(Protocol):
    """Azure Resource Manager, in the few operations the operator uses.

    Ids are ARM ids. Every method raises Refusal; none retries: waiting belongs to the work queue.
    Every write gives a Receipt.
    """

    async def account(self, account_id: str) -> OpenAIAccount:
        """Read an account and its deployments."""

    async def soft_deleted(self, account_id: str, location: str) -> bool | None:
        """Tell whether a deleted account can be restored; None when the operator may not ask."""

    async def identity(self, identity_id: str) -> Identity | None:
        """Read a managed identity."""

    async def identities(self, resource_group_id: str) -> list[Identity]:
        """List the managed identities of a resource group."""

    async def put_identity(
        self, identity_id: str, *, location: str, tags: Mapping[str, str]
    ) -> tuple[Identity, Receipt]:
        """Create a managed identity."""

    async def tag_identity(
        self, identity_id: str, tags: Mapping[str, str]
    ) -> tuple[Identity, Receipt]:
        """Replace the tags of a managed identity."""

    async def delete_identity(self, identity_id: str) -> Receipt:
        """Delete a managed identity with its credentials; one that is gone is no error."""

    async def credential(self, identity_id: str, name: str) -> Credential | None:
        """Read a federated credential."""

    async def credentials(self, identity_id: str) -> list[Credential]:
        """List the federated credentials of a managed identity."""

    async def put_credential(self, identity_id: str, credential: Credential) -> Receipt:
        """Create or replace a federated credential."""

    async def delete_credential(self, identity_id: str, name: str) -> Receipt:
        """Delete a federated credential; one that is gone is no error."""

    async def assignment(self, scope: str, name: str) -> Assignment | None:
        """Read a role assignment."""

    async def assignments(self, scope: str, principal_id: str) -> list[Assignment]:
        """List the assignments of a principal at a scope and above it."""

    async def assignments_below(self, scope: str, principal_id: str) -> list[Assignment]:
        """List the assignments of a principal at a scope, above it and below it."""

    async def assignments_at(self, scope: str) -> list[Assignment]:
        """List the assignments of everybody at a scope and above it."""

    async def permissions(self, scope: str) -> list[Permission]:
        """List what the operator may do at a resource group or a resource."""

    async def put_assignment(self, assignment: Assignment) -> Receipt:
        """Create a role assignment for a service principal."""

    async def delete_assignment(self, scope: str, name: str) -> Receipt:
        """Delete a role assignment; one that is gone is no error."""
