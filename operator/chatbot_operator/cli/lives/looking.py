"""Lists of Azure first, and then each name live in the cluster.

In this order nothing that lives can look gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from chatbot_operator.azure.resource_manager import ResourceManager
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.cli.lives.azure import Questions, each, patiently
from chatbot_operator.cli.lives.home import Home
from chatbot_operator.cli.lives.judging import Life, Seen, guarded, known_owners, of_ours, of_shared
from chatbot_operator.cli.lives.leftover import Leftover
from chatbot_operator.errors import Refusal, Service
from chatbot_operator.kube.client import Cluster
from chatbot_operator.naming import Owner
from chatbot_operator.ports import CHATBOTS, NAMESPACES, Assignment, Credential, Identity
from chatbot_operator.steps.existing import ALLOW_TAG, existing_place
from chatbot_operator.steps.identity import group_id, made_for, tag

_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
READ_IDENTITIES = f"{_IDENTITIES}/read"
READ_CREDENTIALS = f"{_IDENTITIES}/federatedIdentityCredentials/read"
READ_ROLES = "Microsoft.Authorization/roleAssignments/read"


def groups(home: Home, more: Iterable[str] = ()) -> list[str]:
    """Give the ARM ids of the resource groups that identities go to, and those asked for."""
    found = [group_id(a, i) for a in home.accounts for i in home.installations]
    by_id = {each.lower(): each for each in (*found, *more) if each}
    return [by_id[key] for key in sorted(by_id)]


async def look(
    home: Home, cluster: Cluster, azure: ResourceManager, asking: Questions, more: Iterable[str]
) -> Seen:
    """List identities, shared credentials and role assignments, and look whose chatbots live."""
    seen = Seen(home.owners, home.issuer, home.uid)
    listed = await each(groups(home, more), partial(identities_of, azure, asking))
    identities = {one.id.lower(): one for some in listed for one in some}
    scopes = {account.account_id.lower(): account.account_id for account in home.accounts}
    roles = await each(scopes.values(), partial(assignments_on, azure, asking))
    held = await each(_shared(home, identities), partial(_credentials, azure, asking))
    seen = replace(
        seen,
        identities=identities,
        assignments=tuple(dict.fromkeys(role for some in roles for role in some)),
        shared=dict(held),
        living=frozenset(body["metadata"]["uid"] for body in home.chatbots),
    )
    return replace(seen, lives=await lives(home, cluster, _named(seen)))


async def detailed(
    found: Iterable[Leftover],
    seen: Seen,
    azure: ResourceManager,
    asking: Questions,
    asked: str,
) -> list[Leftover]:
    """Add what each can still be used by, and bar from deletion what may be another cluster's."""
    listed = list(found)
    holders = {one.principal_id: one for one in seen.identities.values()}
    by_id = {**seen.identities, **await _of_others(listed, azure, asking)}

    def holder(one: Leftover) -> Identity | None:
        of = one.of
        return holders.get(of.principal_id) if isinstance(of, Assignment) else by_id.get(one.at_id)

    held = {one.id.lower(): one for one in map(holder, listed) if one}
    used = await each(held.values(), partial(_used, azure, asking, seen))
    uses = dict(zip(held, used, strict=True))
    unknown = (None, None) if asking.gaps else ((), ())

    def add(one: Leftover) -> Leftover:
        identity = holder(one)
        roles, trusts = uses[identity.id.lower()] if identity else unknown
        if isinstance(one.of, Assignment):
            roles = one.roles
        if isinstance(one.of, Credential):
            trusts = one.credentials
        return guarded(replace(one, roles=roles, credentials=trusts), seen, asked)

    return [add(one) for one in listed]


async def _of_others(
    found: Iterable[Leftover], azure: ResourceManager, asking: Questions
) -> dict[str, Identity]:
    """Read the identities of others under which credentials are left over."""
    shared = {one.at_id: one.at for one in found if isinstance(one.of, Credential)}
    read = await each(shared.values(), partial(_identity, azure, asking))
    return {at: one for at, some in zip(shared, read, strict=True) for one in some}


Use = tuple[tuple[Assignment, ...] | None, tuple[Credential, ...] | None]
"""What an identity can be used by: its roles, and whom it trusts; None where that is not known."""


async def _used(azure: ResourceManager, asking: Questions, seen: Seen, identity: Identity) -> Use:
    roles = await roles_of(azure, identity, seen.assignments)
    return roles, await credentials_of(azure, asking, identity.id)


async def roles_of(
    azure: ResourceManager, identity: Identity, known: Iterable[Assignment]
) -> tuple[Assignment, ...] | None:
    """Give the role assignments of an identity: those known, and all in its subscription.

    None where none is known and the subscription's cannot be listed, as often nobody may.
    """
    subscription = "/".join(identity.id.split("/")[:3])
    held = [one for one in known if one.principal_id == identity.principal_id]
    try:
        held += await patiently(
            lambda: azure.assignments_below(subscription, identity.principal_id)
        )
    except Refusal as refusal:
        if refusal.service is Service.ENTRA:
            raise
        return tuple(held) or None
    return tuple({(one.scope.lower(), one.name): one for one in held}.values())


async def credentials_of(
    azure: ResourceManager, asking: Questions, at: str
) -> tuple[Credential, ...] | None:
    """Give the federated credentials of an identity; None where they are not known."""
    what = f"federated credentials of {at}"
    found = await asking.ask(what, READ_CREDENTIALS, lambda: azure.credentials(at))
    return None if found is None else tuple(found)


async def lives(
    home: Home, cluster: Cluster, names: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Life]:
    """Read each chatbot live, and the namespace of those that are not there."""

    async def one(name: tuple[str, str]) -> tuple[tuple[str, str], Life]:
        return name, await life(home, cluster, *name)

    return dict(await each(sorted(set(names)), one))


async def life(home: Home, cluster: Cluster, namespace: str, name: str) -> Life:
    """Read a chatbot, live; raises KubernetesRefusal or UnansweredError where that is not known."""
    body = await cluster.get(CHATBOTS, namespace, name)
    if body is None:
        await home.require_same(cluster)
        where = await cluster.get(NAMESPACES, "", namespace)
        return Life(namespace_gone=where is None)
    chatbot = Chatbot.parse(body)
    return Life(chatbot.uid, uses=_uses(home, chatbot))


def _uses(home: Home, chatbot: Chatbot) -> frozenset[str]:
    """Give the identities of others that a chatbot may be running as, whatever its status says.

    Where its account object is not there, those of the name that any account would lead to.
    """
    account = home.account(chatbot.account)
    asked = [account] if account else home.accounts
    found = {existing_place(chatbot, a, i) for a in asked for i in home.installations}
    return frozenset(at.lower() for at in found if at and chatbot.existing)


def _shared(home: Home, identities: dict[str, Identity]) -> list[str]:
    """Give the identities of others that chatbots may run as: by a list, or by a tag."""
    listed = [at for account in home.accounts for at in account.existing.values()]
    tagged = [one.id for one in identities.values() if tag(one.tags, ALLOW_TAG)]
    return list({at.lower(): at for at in (*listed, *tagged)}.values())


def _named(seen: Seen) -> set[tuple[str, str]]:
    """Name the chatbots that must be asked for: those of which something is there in Azure."""
    owners: list[Owner | None] = [made_for(one) for one in seen.identities.values()]
    owners += [of_ours(one) for one in seen.assignments]
    shared = [one for held in seen.shared.values() for one in held]
    owners += [of_shared(one, known_owners(seen)) for one in shared]
    return {
        (owner.namespace, owner.name)
        for owner in owners
        if owner and owner.cluster in seen.owners and owner.uid not in seen.living
    }


async def identities_of(azure: ResourceManager, asking: Questions, group: str) -> list[Identity]:
    """List the identities of a resource group, given by its ARM id."""
    what = f"identities of {group}"
    return await asking.ask(what, READ_IDENTITIES, lambda: azure.identities(group)) or []


async def _identity(azure: ResourceManager, asking: Questions, at: str) -> list[Identity]:
    async def read() -> list[Identity]:
        found = await azure.identity(at)
        return [found] if found else []

    return await asking.ask(f"identity {at}", READ_IDENTITIES, read) or []


async def assignments_on(azure: ResourceManager, asking: Questions, scope: str) -> list[Assignment]:
    """List the role assignments on an account itself."""
    what = f"role assignments on {scope}"
    found = await asking.ask(what, READ_ROLES, lambda: azure.assignments_at(scope)) or []
    return [one for one in found if one.scope.lower() == scope.lower()]


async def _credentials(
    azure: ResourceManager, asking: Questions, at: str
) -> tuple[str, tuple[Credential, ...]]:
    return at, await credentials_of(azure, asking, at) or ()
