"""What the SDKs' models say, in the words of the ports."""

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
    )
