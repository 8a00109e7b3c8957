"""What the SDKs' models say, in the words of the ports, and how ids of parts are spelled."""

from __future__ import annotations

from typing import Any

from chatbot_operator.ports import Assignment, Credential, Identity, Permission


def identity(found: Any) -> Identity:
    """Read a managed identity."""
    return Identity(
        id=found.id,
        name=found.name,
        location=found.location,
        principal_id=found.principal_id,
        client_id=found.client_id,
        tenant_id=found.tenant_id,
        tags=found.tags or {},
    )


def credential(found: Any) -> Credential:
    """Read a federated credential."""
    return Credential(found.name, found.issuer, found.subject, tuple(found.audiences))


def permission(found: Any) -> Permission:
    """Read what one role lets its holder do."""
    return Permission(
        actions=tuple(found.actions or ()),
        not_actions=tuple(found.not_actions or ()),
        data_actions=tuple(found.data_actions or ()),
        condition=found.condition or "",
    )


def assignment(found: Any) -> Assignment:
    """Read a role assignment."""
    return Assignment(
        name=found.name,
        scope=found.scope,
        principal_id=found.principal_id,
        role_definition_id=found.role_definition_id,
        description=found.description or "",
        created=found.created_on.isoformat() if found.created_on else "",
    )


def assignment_id(scope: str, name: str) -> str:
    """Spell the ARM id of a role assignment."""
    return f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"


def credential_id(identity_id: str, name: str) -> str:
    """Spell the ARM id of a federated credential."""
    return f"{identity_id}/federatedIdentityCredentials/{name}"
