"""Names of what the operator makes in Azure, and the marks by which it knows its own.

Names are deterministic, so that a pass that was cut off finds what it made. They differ between
clusters (`owner_id`) and between namespaces whose joined names would be equal.
"""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from dataclasses import dataclass
from typing import Self

OPENAI_USER_ROLE = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
"""Cognitive Services OpenAI User
(https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/ai-machine-learning)."""

TAG_PREFIX = "chatbot-operator-"
PARTS = ("owner", "namespace", "name", "uid")
"""Of an owner, in the tags of an identity."""
IDENTITY_NAME_LIMIT = 100
DIGEST_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom something in Azure belongs to: a chatbot of a cluster, in one life of it.

    `cluster` is the owner id of the installation, `uid` the fence: a chatbot deleted and made again
    under the same name is another one.
    """

    cluster: str
    namespace: str
    name: str
    uid: str

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the managed identity. Azure keeps tag names case-insensitive, values exact."""
        values = (self.cluster, self.namespace, self.name, self.uid)
        return {f"{TAG_PREFIX}{part}": value for part, value in zip(PARTS, values, strict=True)}

    @property
    def path(self) -> str:
        """The chatbot's name in all of Azure, in whichever life."""
        return f"{self.cluster}/{self.namespace}/{self.name}"

    @property
    def description(self) -> str:
        """Description of the role assignment, which has no tags."""
        return f"{self.path}/{self.uid}"

    @classmethod
    def described(cls, description: str) -> Self | None:
        """Read whom a role assignment is for; None where its description is not of that form."""
        parts = description.rsplit("/", len(PARTS) - 1)
        return cls(*parts) if len(parts) == len(PARTS) and all(parts) else None


def identity_name(owner: Owner) -> str:
    """Name the managed identity: `cb-NAMESPACE-NAME` cut to 100, and a digest.

    Azure allows 3 to 128 letters, digits, `-` and `_`, unique within a resource group.
    """
    readable = f"cb-{owner.namespace}-{owner.name}"[:IDENTITY_NAME_LIMIT]
    return f"{readable}-{_digest(owner.path)}"


def credential_name(issuer: str) -> str:
    """Name the federated credential after its issuer: 3 to 120 letters, digits, `-` and `_`."""
    return f"cb-{_digest(issuer)}"


def shared_credential_name(owner: Owner, issuer: str) -> str:
    """Name the federated credential under an identity that others made, and others may use.

    After the chatbot, its cluster and the issuer: no two write the same. The chatbot's life is left
    out: its service account, whose tokens are trusted, has none either.
    """
    readable = f"cb-{owner.namespace}-{owner.name}"[:IDENTITY_NAME_LIMIT]
    return f"{readable}-{_digest(f'{owner.path}|{issuer}')}"


def subject(namespace: str, service_account: str) -> str:
    """Spell the `sub` claim of a service account's tokens."""
    return f"system:serviceaccount:{namespace}:{service_account}"


def service_account(subject: str) -> tuple[str, str] | None:
    """Read namespace and name of a service account from the `sub` claim of its tokens."""
    found = re.fullmatch(r"system:serviceaccount:([^:]+):([^:]+)", subject)
    return (found[1], found[2]) if found else None


def role_definition_id(scope: str) -> str:
    """Spell the id of the OpenAI User role in the subscription of `scope`."""
    subscription = scope.split("/")[2]
    return (
        f"/subscriptions/{subscription}/providers/Microsoft.Authorization"
        f"/roleDefinitions/{OPENAI_USER_ROLE}"
    )


def assignment_name(scope: str, principal_id: str) -> str:
    """Name the role assignment, a GUID.

    Assignment names are unique in a tenant, and one cannot be moved to another principal
    (RoleAssignmentUpdateNotPermitted), so scope, principal and role are all in the seed.
    """
    seed = f"{scope.lower()}|{principal_id.lower()}|{OPENAI_USER_ROLE}"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, seed))


def group_id(subscription: str, resource_group: str) -> str:
    """Spell the Azure Resource Manager id of a resource group."""
    return f"/subscriptions/{subscription}/resourceGroups/{resource_group}"


def identity_id(subscription: str, resource_group: str, name: str) -> str:
    """Spell the Azure Resource Manager id of a managed identity."""
    return (
        f"{group_id(subscription, resource_group)}"
        f"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.b32encode(digest).decode().lower()[:DIGEST_LENGTH]
