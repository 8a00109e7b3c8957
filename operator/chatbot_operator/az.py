"""Commands of the Azure CLI that a person runs where the operator may not write. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from chatbot_operator.naming import OPENAI_USER_ROLE
from chatbot_operator.ports import Assignment, Credential


def create_identity(
    identity_id: str, *, location: str = "", tags: Mapping[str, str] | None = None
) -> str:
    """Make a managed identity with these tags, or give them to the one that is there.

    It comes to the location of its resource group when none is given.
    """
    marks = [f"{key}={value}" for key, value in sorted((tags or {}).items())]
    return _command(
        *("identity", "create", *_where("--name", identity_id)),
        *(("--location", location) if location else ()),
        *(("--tags", *marks) if marks else ()),
    )


def tag_identity(identity_id: str, key: str, value: str) -> str:
    """Put one more tag on a managed identity; `az identity update --tags` would take the others."""
    of = ("--resource-id", identity_id, "--operation", "Merge", "--tags", f"{key}={value}")
    return _command("tag", "update", *of)


def create_credential(identity_id: str, credential: Credential) -> str:
    """Let a service account be the identity."""
    return _command(
        *("identity", "federated-credential", "create", "--name", credential.name),
        *_where("--identity-name", identity_id),
        *("--issuer", credential.issuer, "--subject", credential.subject),
        *("--audiences", *credential.audiences),
    )


def update_credential(identity_id: str, credential: Credential, name: str) -> str:
    """Change the federated credential of a name to issuer, subject and audience of another."""
    return _command(
        *("identity", "federated-credential", "update", "--name", name),
        *_where("--identity-name", identity_id),
        *("--issuer", credential.issuer, "--subject", credential.subject),
        *("--audiences", *credential.audiences),
    )


def delete_credential(identity_id: str, name: str) -> str:
    """Take one federated credential away from a managed identity."""
    where = _where("--identity-name", identity_id)
    return _command("identity", "federated-credential", "delete", "--yes", "--name", name, *where)


def create_assignment(assignment: Assignment) -> str:
    """Give the identity the one role on the one account."""
    return _command(
        *("role", "assignment", "create", "--assignee-object-id", assignment.principal_id),
        *("--assignee-principal-type", "ServicePrincipal", "--role", OPENAI_USER_ROLE),
        *("--scope", assignment.scope),
    )


def delete_assignments(principal_id: str, scope: str) -> str:
    """Take the role on the account away from the identity."""
    of = ("--assignee-object-id", principal_id, "--role", OPENAI_USER_ROLE, "--scope", scope)
    return _command("role", "assignment", "delete", *of)


def give_subdomain(account_id: str) -> str:
    """Give an account its own name as custom subdomain."""
    name = account_id.rsplit("/", 1)[-1].lower()
    what = ("cognitiveservices", "account", "update", *_where("--name", account_id))
    return _command(*what, "--custom-domain", name)


def delete_identity(identity_id: str) -> str:
    """Delete a managed identity with its credentials."""
    return _command("identity", "delete", *_where("--name", identity_id))


def _where(flag: str, identity_id: str) -> tuple[str, ...]:
    _, _, subscription, _, group, _, _, _, name = identity_id.split("/")
    return (flag, name, "--resource-group", group, "--subscription", subscription)


def _command(*words: str) -> str:
    return shlex.join(("az", *words))
