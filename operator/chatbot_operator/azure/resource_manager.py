"""The Azure port over azure-mgmt-msi, -authorization and -cognitiveservices.

Retries of the SDK are off: it sleeps a Retry-After inside the call, for minutes, where the work
queue can do something else (azure.core.pipeline.policies.AsyncRetryPolicy).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Self

import aiohttp
from azure.core.exceptions import HttpResponseError
from azure.mgmt.authorization.aio import AuthorizationManagementClient
from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters
from azure.mgmt.authorization.v2022_05_01_preview import aio as v2022_05_01_preview
from azure.mgmt.cognitiveservices.aio import CognitiveServicesManagementClient
from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.msi.v2024_11_30 import models as msi

from chatbot_operator.azure import values
from chatbot_operator.azure.budget import Budget
from chatbot_operator.azure.calls import call, or_none, with_request_id
from chatbot_operator.azure.openai_account import models, openai_account, retirements
from chatbot_operator.azure.transport import CONNECT_SECONDS, READ_SECONDS, Transport, session
from chatbot_operator.azure.turns import Turns
from chatbot_operator.ports import (
    Assignment,
    Credential,
    Identity,
    OpenAIAccount,
    Permission,
    Receipt,
    Request,
)


class ResourceManager:
    """Azure Resource Manager for any number of subscriptions, over one connection pool.

    `endpoint` is that of the cloud, such as https://management.azure.com; `scope` that of its
    tokens; `before` is called right before each request leaves, `ended` when it has ended;
    `extra_ca_file` holds authorities to trust besides the system's. An asynchronous context
    manager: leaving it closes the connections.
    """

    def __init__(
        self,
        credential: Any,
        *,
        endpoint: str,
        scope: str,
        before: Callable[[], None] = lambda: None,
        ended: Callable[[Request], None] = lambda _: None,
        extra_ca_file: str = "",
    ) -> None:
        self._credential = credential
        self._before = before
        self._ended = ended
        self._extra_ca_file = extra_ca_file
        self.budget = Budget(time.monotonic, asyncio.sleep)
        self._endpoint = endpoint
        self._scope = scope
        self._session: aiohttp.ClientSession
        self._clients: dict[tuple[type, str], Any] = {}
        self._turns = Turns()

    async def __aenter__(self) -> Self:
        self._session = session(self._extra_ca_file)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._session.close()

    async def account(self, account_id: str) -> OpenAIAccount:
        client = self._client(CognitiveServicesManagementClient, account_id)
        where = _where(account_id)
        async with call("read account", reading=True):
            found = await client.accounts.get(*where)
        async with call("list deployments", reading=True):
            deployments = [each async for each in client.deployments.list(*where)]
        async with call("list models", reading=True):
            retiring = retirements(await models(client, where))
        return openai_account(found, deployments, retiring)

    async def soft_deleted(self, account_id: str, location: str) -> bool | None:
        client = self._client(CognitiveServicesManagementClient, account_id)
        async with call("read deleted account", reading=True):
            try:
                await client.deleted_accounts.get(location, *_where(account_id))
            except HttpResponseError as error:
                if error.status_code == HTTPStatus.NOT_FOUND:
                    return False
                if error.status_code == HTTPStatus.FORBIDDEN:
                    return None
                raise
        return True

    async def identity(self, identity_id: str) -> Identity | None:
        client = self._client(ManagedServiceIdentityClient, identity_id)
        async with call("read identity", reading=True):
            found = await or_none(client.user_assigned_identities.get(*_where(identity_id)))
        return values.identity(found) if found else None

    async def identities(self, resource_group_id: str) -> list[Identity]:
        client = self._client(ManagedServiceIdentityClient, resource_group_id)
        group = _part(resource_group_id, 4)
        async with call("list identities", reading=True):
            found = client.user_assigned_identities.list_by_resource_group(group)
            return [values.identity(each) async for each in found]

    async def put_identity(
        self, identity_id: str, *, location: str, tags: Mapping[str, str]
    ) -> tuple[Identity, Receipt]:
        client = self._client(ManagedServiceIdentityClient, identity_id)
        body = msi.Identity(location=location, tags=dict(tags))
        async with call("create identity") as operation:
            made, request_id = await client.user_assigned_identities.create_or_update(
                *_where(identity_id), body, cls=with_request_id
            )
        return values.identity(made), Receipt(operation, identity_id, request_id)

    async def tag_identity(
        self, identity_id: str, tags: Mapping[str, str]
    ) -> tuple[Identity, Receipt]:
        client = self._client(ManagedServiceIdentityClient, identity_id)
        body = msi.IdentityUpdate(tags=dict(tags))
        async with call("tag identity") as operation:
            changed, request_id = await client.user_assigned_identities.update(
                *_where(identity_id), body, cls=with_request_id
            )
        return values.identity(changed), Receipt(operation, identity_id, request_id)

    async def delete_identity(self, identity_id: str) -> Receipt:
        client = self._client(ManagedServiceIdentityClient, identity_id)
        async with call("delete identity") as operation:
            _, request_id = await client.user_assigned_identities.delete(
                *_where(identity_id), cls=with_request_id
            )
        return Receipt(operation, identity_id, request_id)

    async def credential(self, identity_id: str, name: str) -> Credential | None:
        client = self._client(ManagedServiceIdentityClient, identity_id)
        async with call("read federated credential", reading=True):
            found = await or_none(
                client.federated_identity_credentials.get(*_where(identity_id), name)
            )
        return values.credential(found) if found else None

    async def credentials(self, identity_id: str) -> list[Credential]:
        client = self._client(ManagedServiceIdentityClient, identity_id)
        async with call("list federated credentials", reading=True):
            found = client.federated_identity_credentials.list(*_where(identity_id))
            return [values.credential(each) async for each in found]

    async def put_credential(self, identity_id: str, credential: Credential) -> Receipt:
        client = self._client(ManagedServiceIdentityClient, identity_id)
        body = msi.FederatedIdentityCredential(
            issuer=credential.issuer,
            subject=credential.subject,
            audiences=list(credential.audiences),
        )
        async with self._turns.of(identity_id), call("write federated credential") as operation:
            _, request_id = await client.federated_identity_credentials.create_or_update(
                *_where(identity_id), credential.name, body, cls=with_request_id
            )
        return Receipt(operation, values.credential_id(identity_id, credential.name), request_id)

    async def delete_credential(self, identity_id: str, name: str) -> Receipt:
        client = self._client(ManagedServiceIdentityClient, identity_id)
        async with self._turns.of(identity_id), call("delete federated credential") as operation:
            _, request_id = await client.federated_identity_credentials.delete(
                *_where(identity_id), name, cls=with_request_id
            )
        return Receipt(operation, values.credential_id(identity_id, name), request_id)

    async def assignment(self, scope: str, name: str) -> Assignment | None:
        client = self._client(AuthorizationManagementClient, scope)
        async with call("read role assignment", reading=True):
            found = await or_none(client.role_assignments.get(scope, name))
        return values.assignment(found) if found else None

    async def assignments(self, scope: str, principal_id: str) -> list[Assignment]:
        return await self._assignments(scope, f"atScope() and principalId eq '{principal_id}'")

    async def assignments_below(self, scope: str, principal_id: str) -> list[Assignment]:
        return await self._assignments(scope, f"principalId eq '{principal_id}'")

    async def assignments_at(self, scope: str) -> list[Assignment]:
        return await self._assignments(scope, "atScope()")

    async def _assignments(self, scope: str, query: str) -> list[Assignment]:
        client = self._client(AuthorizationManagementClient, scope)
        async with call("list role assignments", reading=True):
            found = client.role_assignments.list_for_scope(scope, filter=query)
            return [values.assignment(each) async for each in found]

    async def permissions(self, scope: str) -> list[Permission]:
        # Versions before this one leave out the conditions of assignments.
        operations = self._client(v2022_05_01_preview.AuthorizationManagementClient, scope)
        _, _, _, _, group, *resource = scope.split("/")
        async with call("list permissions", reading=True):
            if resource:
                _, provider, kind, name = resource
                found = operations.permissions.list_for_resource(group, provider, "", kind, name)
            else:
                found = operations.permissions.list_for_resource_group(group)
            return [values.permission(each) async for each in found]

    async def put_assignment(self, assignment: Assignment) -> Receipt:
        client = self._client(AuthorizationManagementClient, assignment.scope)
        body = RoleAssignmentCreateParameters(
            role_definition_id=assignment.role_definition_id,
            principal_id=assignment.principal_id,
            # Without it Azure looks the principal up in a directory that may not know it yet
            # (PrincipalNotFound); the SDK's default is "User".
            principal_type="ServicePrincipal",
            description=assignment.description,
        )
        async with call("create role assignment") as operation:
            _, request_id = await client.role_assignments.create(
                assignment.scope, assignment.name, body, cls=with_request_id
            )
        return Receipt(
            operation, values.assignment_id(assignment.scope, assignment.name), request_id
        )

    async def delete_assignment(self, scope: str, name: str) -> Receipt:
        client = self._client(AuthorizationManagementClient, scope)
        async with call("delete role assignment") as operation:
            _, request_id = await client.role_assignments.delete(scope, name, cls=with_request_id)
        return Receipt(operation, values.assignment_id(scope, name), request_id)

    def _client(self, kind: type, resource_id: str) -> Any:
        subscription = _part(resource_id, 2)
        key = (kind, subscription.lower())
        if key not in self._clients:
            self._clients[key] = kind(
                self._credential,
                subscription,
                base_url=self._endpoint,
                credential_scopes=[self._scope],
                transport=Transport(
                    budget=self.budget,
                    before=self._before,
                    ended=self._ended,
                    session=self._session,
                    session_owner=False,
                    connection_timeout=CONNECT_SECONDS,
                    read_timeout=READ_SECONDS,
                ),
                retry_total=0,
            )
        return self._clients[key]


def _part(resource_id: str, position: int) -> str:
    return resource_id.split("/")[position]


def _where(resource_id: str) -> tuple[str, str]:
    """Give resource group and name."""
    return _part(resource_id, 4), _part(resource_id, 8)
