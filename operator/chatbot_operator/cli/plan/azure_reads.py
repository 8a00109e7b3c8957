"""Azure as a person may read it; where they may not, as statuses remember it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from textwrap import shorten
from typing import Final, Protocol, TypeVar

from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.cli.plan.assumed import is_unknown, unknown
from chatbot_operator.errors import Refusal, Service
from chatbot_operator.naming import assignment_name, role_definition_id
from chatbot_operator.ports import (
    Assignment,
    Credential,
    Identity,
    Installation,
    Model,
    OpenAIAccount,
)
from chatbot_operator.steps.existing import ALLOW_TAG, existing_place
from chatbot_operator.steps.federation import trusted
from chatbot_operator.steps.identity import owner

T = TypeVar("T")

_CLOSED: Final = (0, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
_FAILED: Final = 500
WHY: Final = 200
"""Characters of what Azure says when it refuses to be read."""


class Reads(Protocol):
    """The Azure port without a single write."""

    async def account(self, account_id: str) -> OpenAIAccount:
        """Read an account and its deployments."""

    async def soft_deleted(self, account_id: str, location: str) -> bool | None:
        """Tell whether a deleted account can be restored."""

    async def identity(self, identity_id: str) -> Identity | None:
        """Read a managed identity."""

    async def identities(self, resource_group_id: str) -> list[Identity]:
        """List the managed identities of a resource group."""

    async def credential(self, identity_id: str, name: str) -> Credential | None:
        """Read a federated credential."""

    async def credentials(self, identity_id: str) -> list[Credential]:
        """List the federated credentials of a managed identity."""

    async def assignment(self, scope: str, name: str) -> Assignment | None:
        """Read a role assignment."""

    async def assignments(self, scope: str, principal_id: str) -> list[Assignment]:
        """List the assignments of a principal at a scope and above it."""

    async def assignments_below(self, scope: str, principal_id: str) -> list[Assignment]:
        """List the assignments of a principal at a scope, above it and below it."""

    async def assignments_at(self, scope: str) -> list[Assignment]:
        """List the assignments of everybody at a scope and above it."""


@dataclass
class Remembered:
    """An Azure that holds what statuses say of it, and nothing else; an account has all models.

    By ARM id in lower case.
    """

    accounts: dict[str, Account] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)
    by_id: dict[str, Identity] = field(default_factory=dict)
    federated: dict[str, list[Credential]] = field(default_factory=dict)
    assigned: list[Assignment] = field(default_factory=list)

    def of_account(self, account: Account) -> None:
        """Remember where an account is, and what it has."""
        self.accounts[account.account_id.lower()] = account
        self.models.update(each["name"] for each in account.status.get("deployments", ()))

    def of_chatbot(
        self, chatbot: Chatbot, account: Account | None, installation: Installation
    ) -> None:
        """Remember what the operator has recorded in a chatbot's status.

        An identity that it names, and that others made, is taken to be there.
        """
        self.models.add(chatbot.deployment)
        if chatbot.existing and account and not chatbot.recorded.principal_id:
            at = existing_place(chatbot, account, installation)
            self.by_id[at.lower()] = _of_others(at, owner(chatbot, installation).path)
        recorded, mine = chatbot.recorded, owner(chatbot, installation)
        if not (recorded.identity_id and recorded.principal_id):
            return
        at = recorded.identity_id
        tags = {ALLOW_TAG: mine.path} if chatbot.existing else mine.tags
        self.by_id[at.lower()] = Identity(
            id=at,
            name=at.rpartition("/")[2],
            location="",
            principal_id=recorded.principal_id,
            client_id=recorded.client_id,
            tenant_id=installation.tenant_id,
            tags={**(account.identity_tags if account else {}), **tags},
        )
        if recorded.credential_since and recorded.issuer in ("", installation.issuer):
            self.federated.setdefault(at.lower(), []).append(trusted(chatbot, installation))
        if recorded.role_since:
            scope, principal = recorded.account_id, recorded.principal_id
            self.assigned.append(
                Assignment(
                    name=assignment_name(scope, principal),
                    scope=scope,
                    principal_id=principal,
                    role_definition_id=role_definition_id(scope),
                    description=mine.description,
                )
            )

    async def account(self, account_id: str) -> OpenAIAccount:
        """Take an account for usable, as it was found."""
        name, known = account_id.rpartition("/")[2], self.accounts.get(account_id.lower())
        return OpenAIAccount(
            kind="OpenAI",
            location=(known and known.found_location) or "(the region of the account)",
            endpoint=(known and known.endpoint) or f"https://{name}.openai.azure.com/",
            subdomain=name,
            provisioning_state="Succeeded",
            models=tuple(Model(name=each, model="", version="") for each in sorted(self.models)),
        )

    async def soft_deleted(self, account_id: str, location: str) -> bool | None:
        """Nothing is known of what was deleted."""
        del account_id, location
        return None

    async def identity(self, identity_id: str) -> Identity | None:
        """Give an identity that a status tells of."""
        return self.by_id.get(identity_id.lower())

    async def identities(self, resource_group_id: str) -> list[Identity]:
        """Give those of a resource group that statuses tell of."""
        below = f"{resource_group_id.lower()}/"
        return [each for at, each in self.by_id.items() if at.startswith(below)]

    async def credential(self, identity_id: str, name: str) -> Credential | None:
        """Give a credential that a status tells of."""
        return next((c for c in await self.credentials(identity_id) if c.name == name), None)

    async def credentials(self, identity_id: str) -> list[Credential]:
        """Give those of an identity that statuses tell of."""
        return self.federated.get(identity_id.lower(), [])

    async def assignment(self, scope: str, name: str) -> Assignment | None:
        """Give an assignment that a status tells of."""
        return next((a for a in await self.assignments_at(scope) if a.name == name), None)

    async def assignments(self, scope: str, principal_id: str) -> list[Assignment]:
        """Give those of a principal that statuses tell of."""
        return [a for a in await self.assignments_at(scope) if a.principal_id == principal_id]

    async def assignments_below(self, scope: str, principal_id: str) -> list[Assignment]:
        """Give those of a principal that statuses tell of."""
        del scope
        return [each for each in self.assigned if each.principal_id == principal_id]

    async def assignments_at(self, scope: str) -> list[Assignment]:
        """Give those at a scope that statuses tell of."""
        return [each for each in self.assigned if each.scope.lower() == scope.lower()]


class AsAllowed:
    """Reads Azure as far as a person may, and believes what is remembered where they may not.

    `unread` says what was not read, and why, by what was asked.
    """

    def __init__(self, real: Reads, remembered: Remembered) -> None:
        self._real = real
        self._remembered = remembered
        self._closed: Refusal | None = None
        self.unread: dict[str, str] = {}

    async def account(self, account_id: str) -> OpenAIAccount:
        """Read an account; where that is not allowed, take it for usable."""
        return await self._ask(lambda of: of.account(account_id))

    async def soft_deleted(self, account_id: str, location: str) -> bool | None:
        """Tell whether a deleted account can be restored; None where that may not be asked."""
        return await self._ask(lambda of: of.soft_deleted(account_id, location))

    async def identity(self, identity_id: str) -> Identity | None:
        """Read a managed identity; there is none where nobody knows."""
        if is_unknown(identity_id):
            return None
        return await self._ask(lambda of: of.identity(identity_id))

    async def identities(self, resource_group_id: str) -> list[Identity]:
        """List the managed identities of a resource group."""
        return await self._ask(lambda of: of.identities(resource_group_id))

    async def credential(self, identity_id: str, name: str) -> Credential | None:
        """Read a federated credential."""
        return await self._ask(lambda of: of.credential(identity_id, name))

    async def credentials(self, identity_id: str) -> list[Credential]:
        """List the federated credentials of a managed identity."""
        return await self._ask(lambda of: of.credentials(identity_id))

    async def assignment(self, scope: str, name: str) -> Assignment | None:
        """Read a role assignment."""
        return await self._ask(lambda of: of.assignment(scope, name))

    async def assignments(self, scope: str, principal_id: str) -> list[Assignment]:
        """List the assignments of a principal at a scope and above it."""
        return await self._ask(lambda of: of.assignments(scope, principal_id))

    async def assignments_below(self, scope: str, principal_id: str) -> list[Assignment]:
        """List those at a scope, above it and below it; the operator, too, may go without."""
        return await self._ask(
            lambda of: of.assignments_below(scope, principal_id), spared=("AuthorizationFailed",)
        )

    async def assignments_at(self, scope: str) -> list[Assignment]:
        """List the assignments of everybody at a scope and above it."""
        return await self._ask(lambda of: of.assignments_at(scope))

    async def _ask(
        self, question: Callable[[Reads], Awaitable[T]], *, spared: tuple[str, ...] = ()
    ) -> T:
        if self._closed is None:
            try:
                return await question(self._real)
            except Refusal as refusal:
                if refusal.code in spared or not _is_ours(refusal):
                    raise
                self.unread[refusal.operation] = _why(refusal)
                if refusal.service is Service.ENTRA:
                    self._closed = refusal
        return await question(self._remembered)


def _of_others(at: str, path: str) -> Identity:
    """Stand for an identity that is not read, and that lets a chatbot run as it."""
    name = at.rpartition("/")[2]
    return Identity(
        id=at,
        name=name,
        location="",
        principal_id=unknown(f"principal id of {name}"),
        client_id=unknown(f"client id of {name}"),
        tenant_id=unknown(f"tenant of {name}"),
        tags={ALLOW_TAG: path},
    )


def _is_ours(refusal: Refusal) -> bool:
    """Tell whether it is about who asks, or the way to Azure, and not about what is there."""
    if refusal.service is Service.ENTRA:
        return True
    return refusal.status in _CLOSED or refusal.status >= _FAILED


def _why(refusal: Refusal) -> str:
    said = shorten(refusal.message, WHY, placeholder=" …")
    return f"{refusal.code}: {said}" if refusal.code else said
