"""Looks at what belongs to a pod in Azure and Entra, as the person may. Reads only.

With `trying`, one exchange of a token at Entra, whose result is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from chatbot_operator.azure import entra
from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.pod import looking_at_access
from chatbot_operator.cli.pod.asking import each_of, seen
from chatbot_operator.cli.pod.in_azure import (
    IDENTITY,
    Azure,
    Subscription,
    Target,
    Tried,
    endpoint_of,
    parse_identity,
)
from chatbot_operator.cli.pod.looking import Looked
from chatbot_operator.cli.pod.meant import Meant, meant, users
from chatbot_operator.cli.pod.observed import GUID, Cluster, Unseen
from chatbot_operator.cli.reach import Reach
from chatbot_operator.clouds import CLOUDS, is_entra
from chatbot_operator.errors import Refusal
from chatbot_operator.ports import Credential, Discovery, Identity, Tenancy

_IDENTITIES: Final = "providers/Microsoft.ManagedIdentity/userAssignedIdentities"
ANY_TENANT: Final = "organizations"
"""Entra's name for whichever it is (https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc)."""
_VERSION: Final = "2024-11-30"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person says more: all empty where nothing is said."""

    subscription: str = ""
    scope: str = ""
    account: str = ""
    identity: str = ""
    trying: bool = False


async def look(looked: Looked, wanted: Wanted, reach: Reach) -> Azure:
    """Look at Azure for a pod; raises UnansweredError for a subscription that is not there."""
    cluster, uses = looked.cluster, meant(looked.cluster)
    authority = uses.authority or _authority(reach)
    published, tenancy, subscriptions = await asyncio.gather(
        _published(reach, cluster.claims.issuer),
        # At once, for its time is compared with that of the token, which has just been made.
        _tenancy(reach, authority, uses.tenant or ANY_TENANT),
        _subscriptions(reach, wanted.subscription),
    )
    there = () if isinstance(subscriptions, Unseen) else subscriptions
    found, refused = await _identity(reach, subscriptions, uses.client_id, wanted.identity)
    identity = found if isinstance(found, Identity) else None
    whole = _whole(uses, authority, identity)
    endpoint = _endpoint(cluster)
    target = await looking_at_access.target(reach, there, wanted.account, endpoint)
    scopes = [*(f"/subscriptions/{each.id}" for each in there), wanted.scope]
    scopes += [target.id] if target else []
    credentials, grants, tried = await asyncio.gather(
        _credentials(reach, identity),
        looking_at_access.grants(reach, identity, [each for each in scopes if each]),
        _tried(looked, whole, target, reach) if wanted.trying else _nothing(),
    )
    return Azure(
        client_id=uses.client_id,
        tenant=whole.tenant,
        authority=whole.authority,
        published=published,
        tenancy=tenancy,
        subscriptions=subscriptions,
        identity=found,
        credentials=credentials,
        grants=grants,
        target=target,
        endpoint=endpoint,
        scope=wanted.scope,
        refused=refused,
        tried=tried,
    )


def _whole(uses: Meant, authority: str, identity: Identity | None) -> Meant:
    """Fill in from the identity what the pod does not say."""
    if identity is None:
        return replace(uses, authority=authority)
    named = GUID.fullmatch(uses.client_id)
    return Meant(
        client_id=uses.client_id if named else identity.client_id,
        tenant=uses.tenant or identity.tenant_id,
        authority=authority,
    )


def _endpoint(cluster: Cluster) -> str:
    return endpoint_of(
        (name, variable.value)
        for container in users(cluster)
        for name, variable in container.variables.items()
        if variable.value is not None
    )


async def _nothing() -> None:
    return None


def _authority(reach: Reach) -> str:
    """Give the person's own."""
    cloud = CLOUDS[reach.asked.cloud]
    return reach.environment.get("AZURE_AUTHORITY_HOST", cloud.authority)


def _stranger(authority: str) -> Unseen:
    """Say why a host is not asked that a pod names: it may name any, within this network, too."""
    return Unseen(
        f"not asked: the pod names {authority}, which is no address of Entra",
        "Where nobody means that, have AZURE_AUTHORITY_HOST taken from the pod; where it is yours,"
        " set AZURE_AUTHORITY_HOST here to the same, and look again.",
    )


async def _published(reach: Reach, issuer: str) -> Discovery | Unseen:
    if not issuer:
        return Unseen("not looked at: which one is not known")
    try:
        return await entra.discover(await reach.session(), issuer)
    except entra.SilentError as silence:
        return Unseen(
            f"{issuer} was not reached from here: {silence}",
            "Entra has to reach it over the Internet, or it answers AADSTS90061; AKS publishes its"
            " issuer even for private clusters. Look again from another network.",
        )


async def _tenancy(reach: Reach, authority: str, tenant: str) -> Tenancy | Unseen:
    if not is_entra(authority, _authority(reach)):
        return _stranger(authority)
    try:
        return await entra.tenancy(await reach.session(), authority, tenant)
    except entra.SilentError as silence:
        return Unseen(f"Entra was not reached from here: {silence}")


async def _subscriptions(reach: Reach, wanted: str) -> tuple[Subscription, ...] | Unseen:
    if GUID.fullmatch(wanted):
        return (Subscription(wanted, wanted),)
    catalogue = await reach.catalogue()
    listed = await seen(catalogue.every("/subscriptions", "2022-12-01"), "list subscriptions")
    if isinstance(listed, Unseen):
        return listed
    found = [Subscription(each["subscriptionId"], each["displayName"]) for each in listed]
    if not wanted:
        return tuple(found)
    named = tuple(each for each in found if each.name == wanted)
    if not named:
        names = ", ".join(each.name for each in found) or "none"
        raise UnansweredError(f"you can read no subscription {wanted}; you can read {names}.")
    return named


async def _identity(
    reach: Reach, subscriptions: tuple[Subscription, ...] | Unseen, client_id: str, named: str
) -> tuple[Identity | Unseen | None, tuple[str, ...]]:
    """Find who has a client id, and name the subscriptions that could not be read.

    `named` is the id of the identity where the person says it, or the pod instead of a client id.
    """
    named = named or (client_id if IDENTITY.fullmatch(client_id) else "")
    if named:
        catalogue = await reach.catalogue()
        read = await seen(catalogue.one(named, _VERSION), f"read {named}")
        return read if read is None or isinstance(read, Unseen) else parse_identity(read), ()
    if isinstance(subscriptions, Unseen):
        return subscriptions, ()
    if not GUID.fullmatch(client_id):
        return None, ()
    lists = await each_of(
        subscriptions,
        lambda c, s: c.every(f"/subscriptions/{s.id}/{_IDENTITIES}", _VERSION),
        reach,
    )
    read_in = zip(subscriptions, lists, strict=True)
    refused = tuple(f"{s.name} ({each.why})" for s, each in read_in if isinstance(each, Unseen))
    listed = [each for one in lists if not isinstance(one, Unseen) for each in one]
    bearers = (e for e in listed if _client_id(e) == client_id.lower())
    found = next(bearers, None)
    return (parse_identity(found), ()) if found else (None, refused)


def _client_id(identity: Mapping[str, Any]) -> str:
    return str(identity["properties"].get("clientId", "")).lower()


async def _credentials(reach: Reach, identity: Identity | None) -> tuple[Credential, ...] | Unseen:
    if identity is None:
        return ()
    catalogue = await reach.catalogue()
    where = f"{identity.id}/federatedIdentityCredentials"
    listed = await seen(
        catalogue.every(where, _VERSION), f"read the credentials of {identity.name}"
    )
    if isinstance(listed, Unseen):
        return listed
    return tuple(
        # A flexible credential has an expression instead of a subject.
        Credential(
            each["name"], of["issuer"], of.get("subject") or "", tuple(of.get("audiences") or ())
        )
        for each in listed
        for of in (each["properties"],)
    )


async def _tried(
    looked: Looked, uses: Meant, target: Target | None, reach: Reach
) -> Tried | Unseen:
    """Exchange a token at Entra, for the account or for Resource Manager."""
    if not is_entra(uses.authority, _authority(reach)):
        return _stranger(uses.authority)
    if not looked.token:
        trouble = looked.cluster.trouble
        return trouble or Unseen("not tried: there is no token")
    if not uses.client_id or not uses.tenant:
        return Unseen("not tried: client id or tenant is not known")
    cloud = CLOUDS[reach.asked.cloud]
    default = ("OPENAI_SCOPE", cloud.data_scope) if target else ("ARM_SCOPE", cloud.arm_scope)
    scope = reach.environment.get(*default)
    try:
        await entra.exchange(
            await reach.session(),
            authority=uses.authority,
            tenant=uses.tenant,
            client_id=uses.client_id,
            assertion=looked.token,
            scope=scope,
        )
    except Refusal as refusal:
        return Tried(scope, refusal)
    return Tried(scope)
