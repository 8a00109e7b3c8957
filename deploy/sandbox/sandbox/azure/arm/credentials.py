"""Federated identity credentials, children of user-assigned identities."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.azure.arm.call import Call, Json, Operation, Reply, listing
from sandbox.azure.arm.identities import KIND as IDENTITY
from sandbox.azure.arm.identities import identity_in
from sandbox.azure.errors import Refusal, bad_request, parent_not_found, resource_not_found
from sandbox.azure.state import Credential, Identity
from sandbox.azure.world import SUBSCRIPTION_ID

KIND = f"{IDENTITY}/federatedIdentityCredentials"
LIMIT = 20
"""Credentials per identity."""
LONGEST = 600
"""Characters of an issuer, a subject or an audience."""
_WITHOUT_FEDERATION = frozenset({"malaysiasouth", "newzealandnorth"})
"""Locations whose identities take no credentials."""
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-_]{2,119}")


def _parent(call: Call) -> Identity:
    identity = identity_in(call)
    if identity is None:
        raise parent_not_found(call.params["name"])
    return identity


def _id(identity: Identity, name: str) -> str:
    return f"{identity.id}/federatedIdentityCredentials/{name}"


def _document(credential: Credential) -> Json:
    return {
        "id": credential.id,
        "name": credential.name,
        "type": KIND,
        "properties": {
            "issuer": credential.issuer,
            "subject": credential.subject,
            "audiences": [credential.audience],
        },
    }


def _parsed(call: Call, identity: Identity) -> Credential:
    name, properties = call.params["credential"], call.properties
    if not _NAME.fullmatch(name):
        raise bad_request(f"Federated Identity Credential name '{name}' is invalid.")
    if not properties:
        raise bad_request("Federated Identity Credential from HTTP body has empty properties")
    issuer, subject = properties.get("issuer"), properties.get("subject")
    audiences = properties.get("audiences")
    if not issuer or not subject or audiences is None:
        raise bad_request(
            "The request format was unexpected. Federated Identity Credential must specify "
            "'issuer', 'subject' and 'audience'."
        )
    if not isinstance(audiences, list) or len(audiences) != 1:
        raise bad_request("Federated identity credentials must have exactly one audience.")
    values = str(issuer), str(subject), str(audiences[0])
    if any(len(value) > LONGEST for value in values):
        raise bad_request("The request format was unexpected. A value exceeds 600 characters.")
    return Credential(_id(identity, name), name, *values)


def _put(call: Call) -> Reply:
    identity = _parent(call)
    if identity.location in _WITHOUT_FEDERATION:
        raise Refusal(
            405,
            "MethodNotAllowed",
            "The request format was unexpected: Support for federated identity credentials not "
            "enabled.",
        )
    credential = _parsed(call, identity)
    table = call.store.credentials_of(identity.id)
    existing = table.get(credential.id.lower())
    others = [c for c in table.values() if c.id.lower() != credential.id.lower()]
    if any((c.issuer, c.subject) == (credential.issuer, credential.subject) for c in others):
        raise bad_request(
            "Issuer and subject combination already exists for this Managed Identity."
        )
    if existing is None and len(others) >= LIMIT:
        raise Refusal(
            400,
            call.world.settings.credential_limit_code,
            f"Too many Federated Identity Credentials for the managed identity: at most {LIMIT}.",
        )
    table.put(credential.id.lower(), credential, call.now)
    if existing:
        return Reply(200, _document(credential))
    return Reply(201, _document(credential), {"location": credential.id})


def _get(call: Call) -> Reply:
    identity, name = _parent(call), call.params["credential"]
    credential = call.store.credentials_of(identity.id).get(_id(identity, name).lower())
    if credential is None:
        path = f"{identity.name}/federatedIdentityCredentials/{name}"
        raise resource_not_found(IDENTITY, path, identity.group)
    return Reply(200, _document(credential))


def _delete(call: Call) -> Reply:
    identity = identity_in(call)
    if identity is None:
        return Reply(204)
    key = _id(identity, call.params["credential"]).lower()
    table = call.store.credentials_of(identity.id)
    if table.get(key) is None:
        return Reply(204)
    table.put(key, None, call.now)
    return Reply(200)


def _list(call: Call) -> Reply:
    return listing(_document(c) for c in call.store.credentials_of(_parent(call).id).values())


@contextmanager
def _only_writer(call: Call) -> Iterator[None]:
    writing = call.store.writing
    path = (
        f"{SUBSCRIPTION_ID}/resourcegroups/{call.params['group']}/providers/"
        f"{IDENTITY.lower()}/{call.params['name']}"
    )
    if path.lower() in writing:
        raise Refusal(
            409,
            "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
            "Too many Federated Identity Credentials are written concurrently for the managed "
            f"identity '{path}'. Concurrent Federated Identity Credentials writes under the same "
            "managed identity are not supported.",
        )
    writing.add(path.lower())
    try:
        yield
    finally:
        writing.discard(path.lower())


_ALL = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/"
    f"{IDENTITY}/{{name}}/federatedIdentityCredentials"
)
_ONE = f"{_ALL}/{{credential}}"

OPERATIONS = (
    Operation("PUT", _ONE, _put, resource=KIND, kind="credential", guard=_only_writer),
    Operation("GET", _ONE, _get, resource=KIND, kind="credential"),
    Operation("DELETE", _ONE, _delete, resource=KIND, kind="credential", guard=_only_writer),
    Operation("GET", _ALL, _list, resource=KIND, kind="credentials"),
)
