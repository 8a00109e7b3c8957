"""An Azure for rehearsals: reads the real one, keeps what is written to itself, and records it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from chatbot_operator.cli.plan.azure_reads import Reads
from chatbot_operator.cli.plan.record import Record
from chatbot_operator.cli.plan.writes import Difference, Side, Verb, Write, differences
from chatbot_operator.errors import Refusal
from chatbot_operator.ports import (
    Assignment,
    Credential,
    Identity,
    OpenAIAccount,
    Permission,
    Receipt,
)

IDENTITY: Final = "managed identity"
CREDENTIAL: Final = "federated credential"
ASSIGNMENT: Final = "role assignment"
ROLE: Final = "Cognitive Services OpenAI User"
_UNMADE: Final = "id of {name}, known once it is made)"


def principal_of(name: str) -> str:
    """Stand for the principal of an identity that is still to be made."""
    return f"(principal {_UNMADE.format(name=name)}"


def client_of(name: str) -> str:
    """Stand for the client id of an identity that is still to be made."""
    return f"(client {_UNMADE.format(name=name)}"


def is_unmade(value: str) -> bool:
    """Tell whether an id only stands for one that Azure has yet to give."""
    return value.startswith("(")


@dataclass
class AzureShelf:
    """What rehearsals have written so far, by ARM id in lower case; None: deleted."""

    identities: dict[str, Identity | None] = field(default_factory=dict)
    credentials: dict[tuple[str, str], Credential | None] = field(default_factory=dict)
    assignments: dict[tuple[str, str], Assignment | None] = field(default_factory=dict)


@dataclass(frozen=True)
class RehearsedAzure:
    """The Azure port. It has nothing by which anything could be written."""

    reads: Reads
    shelf: AzureShelf
    record: Record
    tenant_id: str

    async def account(self, account_id: str) -> OpenAIAccount:
        """Read an account."""
        return await self.reads.account(account_id)

    async def soft_deleted(self, account_id: str, location: str) -> bool | None:
        """Tell whether a deleted account can be restored."""
        return await self.reads.soft_deleted(account_id, location)

    async def permissions(self, scope: str) -> list[Permission]:
        """Refuse: what the person may do is not what the operator may."""
        raise Refusal(f"list permissions at {scope}", status=0, code="", message="", reading=True)

    async def identity(self, identity_id: str) -> Identity | None:
        """Read a managed identity."""
        key = identity_id.lower()
        if key in self.shelf.identities:
            return self.shelf.identities[key]
        found = await self.reads.identity(identity_id)
        if found is not None:
            self.record.see(Side.AZURE, IDENTITY, found.name, identity_id)
        return found

    async def identities(self, resource_group_id: str) -> list[Identity]:
        """List the managed identities of a resource group."""
        below = f"{resource_group_id.lower()}/"
        found = {each.id.lower(): each for each in await self.reads.identities(resource_group_id)}
        written = {k: v for k, v in self.shelf.identities.items() if k.startswith(below)}
        return [each for each in {**found, **written}.values() if each is not None]

    async def put_identity(
        self, identity_id: str, *, location: str, tags: Mapping[str, str]
    ) -> tuple[Identity, Receipt]:
        """Create a managed identity, whose ids nobody knows yet."""
        name = identity_id.rpartition("/")[2]
        made = Identity(
            id=identity_id,
            name=name,
            location=location,
            principal_id=principal_of(name),
            client_id=client_of(name),
            tenant_id=self.tenant_id,
            tags=dict(tags),
        )
        self._identity(Verb.CREATE, None, made)
        return made, _receipt("create identity", identity_id)

    async def tag_identity(
        self, identity_id: str, tags: Mapping[str, str]
    ) -> tuple[Identity, Receipt]:
        """Replace the tags of a managed identity."""
        live = await self.identity(identity_id)
        if live is None:
            raise Refusal("tag identity", status=404, code="ResourceNotFound", message="")
        tagged = replace(live, tags=dict(tags))
        self._identity(Verb.CHANGE, live, tagged)
        return tagged, _receipt("tag identity", identity_id)

    async def delete_identity(self, identity_id: str) -> Receipt:
        """Delete a managed identity with its credentials."""
        live = await self.identity(identity_id)
        if live is not None:
            self._identity(Verb.DELETE, live, None)
        return _receipt("delete identity", identity_id)

    async def credential(self, identity_id: str, name: str) -> Credential | None:
        """Read a federated credential."""
        key = identity_id.lower(), name
        if key in self.shelf.credentials:
            return self.shelf.credentials[key]
        if await self._is_new(identity_id):
            return None
        found = await self.reads.credential(identity_id, name)
        if found is not None:
            self.record.see(Side.AZURE, CREDENTIAL, name, _credential_id(identity_id, name))
        return found

    async def credentials(self, identity_id: str) -> list[Credential]:
        """List the federated credentials of a managed identity."""
        new, at = await self._is_new(identity_id), identity_id.lower()
        found = {} if new else {c.name: c for c in await self.reads.credentials(identity_id)}
        written = {name: c for (where, name), c in self.shelf.credentials.items() if where == at}
        return [each for each in {**found, **written}.values() if each is not None]

    async def put_credential(self, identity_id: str, credential: Credential) -> Receipt:
        """Create or replace a federated credential."""
        live = await self.credential(identity_id, credential.name)
        verb = Verb.CHANGE if live else Verb.CREATE
        self._credential(verb, identity_id, credential.name, live, credential)
        return _receipt("write federated credential", identity_id)

    async def delete_credential(self, identity_id: str, name: str) -> Receipt:
        """Delete a federated credential."""
        live = await self.credential(identity_id, name)
        if live is not None:
            self._credential(Verb.DELETE, identity_id, name, live, None)
        return _receipt("delete federated credential", identity_id)

    async def assignment(self, scope: str, name: str) -> Assignment | None:
        """Read a role assignment."""
        key = scope.lower(), name
        if key in self.shelf.assignments:
            return self.shelf.assignments[key]
        found = await self.reads.assignment(scope, name)
        if found is not None:
            self.record.see(Side.AZURE, ASSIGNMENT, name, _assignment_id(scope, name))
        return found

    async def assignments(self, scope: str, principal_id: str) -> list[Assignment]:
        """List the assignments of a principal at a scope and above it."""
        if is_unmade(principal_id):
            return self._overlaid([], principal_id)
        return self._overlaid(await self.reads.assignments(scope, principal_id), principal_id)

    async def assignments_below(self, scope: str, principal_id: str) -> list[Assignment]:
        """List the assignments of a principal at a scope, above it and below it."""
        if is_unmade(principal_id):
            return self._overlaid([], principal_id)
        return self._overlaid(await self.reads.assignments_below(scope, principal_id), principal_id)

    async def assignments_at(self, scope: str) -> list[Assignment]:
        """List the assignments of everybody at a scope and above it."""
        return self._overlaid(await self.reads.assignments_at(scope), "")

    async def put_assignment(self, assignment: Assignment) -> Receipt:
        """Create a role assignment."""
        live = await self.assignment(assignment.scope, assignment.name)
        self._assignment(Verb.CHANGE if live else Verb.CREATE, live, assignment)
        return _receipt("assign role", assignment.scope)

    async def delete_assignment(self, scope: str, name: str) -> Receipt:
        """Delete a role assignment."""
        live = await self.assignment(scope, name)
        if live is not None:
            self._assignment(Verb.DELETE, live, None)
        return _receipt("delete role assignment", scope)

    async def _is_new(self, identity_id: str) -> bool:
        """Tell whether an identity is rehearsed, so that Azure knows nothing below it."""
        made = self.shelf.identities.get(identity_id.lower())
        return made is not None and is_unmade(made.principal_id)

    def _overlaid(self, found: list[Assignment], principal_id: str) -> list[Assignment]:
        known = {(each.scope.lower(), each.name): each for each in found}
        written = {
            key: each
            for key, each in self.shelf.assignments.items()
            if each is None or principal_id in {"", each.principal_id}
        }
        return [each for each in {**known, **written}.values() if each is not None]

    def _identity(self, verb: Verb, before: Identity | None, after: Identity | None) -> None:
        whole = after or before
        assert whole is not None  # noqa: S101 - one of both is there
        self.shelf.identities[whole.id.lower()] = after
        found = differences(_of_identity(before), _of_identity(after))
        note = "Its federated credentials go with it." if after is None else ""
        self._write(verb, IDENTITY, whole.name, whole.id, found=found, note=note)

    def _credential(
        self,
        verb: Verb,
        identity_id: str,
        name: str,
        before: Credential | None,
        after: Credential | None,
    ) -> None:
        self.shelf.credentials[identity_id.lower(), name] = after
        found = differences(_of_credential(before), _of_credential(after))
        self._write(verb, CREDENTIAL, name, _credential_id(identity_id, name), found=found)

    def _assignment(self, verb: Verb, before: Assignment | None, after: Assignment | None) -> None:
        whole = after or before
        assert whole is not None  # noqa: S101 - one of both is there
        self.shelf.assignments[whole.scope.lower(), whole.name] = after
        found = differences(_of_assignment(before), _of_assignment(after))
        name = whole.name
        if is_unmade(whole.principal_id):
            name = "(named after the identity, once that is made)"
        self._write(verb, ASSIGNMENT, name, _assignment_id(whole.scope, name), found=found)

    def _write(
        self,
        verb: Verb,
        kind: str,
        name: str,
        target: str,
        *,
        found: tuple[Difference, ...],
        note: str = "",
    ) -> None:
        shown = () if verb is Verb.DELETE else found
        self.record.write(Write(Side.AZURE, verb, kind, name, target, shown, note))


def _receipt(operation: str, target: str) -> Receipt:
    return Receipt(operation, target, "")


def _credential_id(identity_id: str, name: str) -> str:
    return f"{identity_id}/federatedIdentityCredentials/{name}"


def _assignment_id(scope: str, name: str) -> str:
    return f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"


def _of_identity(one: Identity | None) -> dict[str, Any]:
    return {} if one is None else {"location": one.location, "tags": dict(one.tags)}


def _of_credential(one: Credential | None) -> dict[str, Any]:
    if one is None:
        return {}
    audiences = list(one.audiences)
    return {"issuer": one.issuer, "subject": one.subject, "audiences": audiences}


def _of_assignment(one: Assignment | None) -> dict[str, Any]:
    if one is None:
        return {}
    return {
        "role": ROLE,
        "scope": one.scope,
        "principalId": one.principal_id,
        "description": one.description,
    }
