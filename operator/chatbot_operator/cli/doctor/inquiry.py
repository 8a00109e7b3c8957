"""What there is in Azure for the operators of a cluster, looked at all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from chatbot_operator import naming
from chatbot_operator.account import Account
from chatbot_operator.azure.catalogue import Catalogue
from chatbot_operator.azure.resource_manager import ResourceManager
from chatbot_operator.cli.doctor import holding, looking
from chatbot_operator.cli.doctor.accounts import Content
from chatbot_operator.cli.doctor.holding import Held, Place
from chatbot_operator.cli.doctor.looking import Absent, Dark, Silent
from chatbot_operator.cli.installed import Installed
from chatbot_operator.cli.pod.in_azure import Lock, parse_identity, parse_lock
from chatbot_operator.cli.reach import Reach
from chatbot_operator.cli.unread import Unread
from chatbot_operator.errors import Refusal, Service
from chatbot_operator.ports import Credential, Identity
from chatbot_operator.steps.account import Examination, ask

PROVIDERS: Final = ("Microsoft.CognitiveServices", "Microsoft.ManagedIdentity")
_MOST: Final = 50
"""Subscriptions in which an identity is looked for."""
_IDENTITIES: Final = "Microsoft.ManagedIdentity/userAssignedIdentities"
_AUTHORIZATION: Final = "Microsoft.Authorization"


@dataclass(frozen=True, slots=True)
class SignedOut:
    """Nobody is signed in to Azure; `why` in the words of `az` or of Entra."""

    why: str


@dataclass(frozen=True, slots=True)
class OfOperator:
    """An operator's identity, None where nobody has its client id, and its credentials."""

    identity: Identity | Dark | None
    credentials: list[Credential] | Dark | Absent = ()  # type: ignore[assignment]
    looked_in: int = 0


@dataclass(frozen=True, slots=True)
class OfAccount:
    """An account, and the roles that each operator's identity, by its principal, holds on it."""

    account: Account
    found: Examination | Dark | Absent
    on_account: dict[str, Place]
    group: str
    on_group: dict[str, Place]
    on_existing: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    """By the name of an identity that others made, and the principal."""


@dataclass(frozen=True, slots=True)
class OfGroup:
    """A resource group of chatbots' identities."""

    id: str
    content: Content | Dark | Absent


@dataclass(frozen=True, slots=True)
class Azure:
    """All of it: `providers` by subscription, `locks` by the scopes in which something is made."""

    operators: tuple[OfOperator, ...] = ()
    accounts: tuple[OfAccount, ...] = ()
    groups: tuple[OfGroup, ...] = ()
    providers: tuple[tuple[str, str, str | Dark | Absent], ...] = ()
    locks: Mapping[str, tuple[Lock, ...] | Dark | Absent] = field(default_factory=dict)


async def look(
    reach: Reach, installed: Sequence[Installed], accounts: Sequence[Account]
) -> Azure | SignedOut | Silent:
    """Look at everything in Azure at once, as who is signed in."""
    catalogue, azure = await reach.catalogue(), await reach.azure()
    try:
        seen = await catalogue.every("/subscriptions", "2022-12-01")
    except Refusal as refusal:
        if refusal.service is Service.ENTRA or refusal.status in {0, 401}:
            return SignedOut(refusal.message)
        return Silent(refusal.message)
    first = list(dict.fromkeys(each.subscription.lower() for each in accounts))
    every = [*first, *(each["subscriptionId"] for each in seen)]
    subscriptions = list(dict.fromkeys(each.lower() for each in every))[:_MOST]
    operators = await _operators(catalogue, azure, installed, subscriptions)
    principals = [
        one.identity.principal_id for one in operators if isinstance(one.identity, Identity)
    ]
    default = next((one.settings for one in installed if one.settings), None)
    elsewhere = default.identity_resource_group if default else ""
    asking = _Asking(reach, catalogue, azure, tuple(principals), elsewhere)
    async with asyncio.TaskGroup() as tasks:
        looked = [tasks.create_task(_account(asking, one)) for one in accounts]
        groups = {
            _group(one, elsewhere): tasks.create_task(_content(catalogue, _group(one, elsewhere)))
            for one in accounts
            if _group(one, elsewhere)
        }
        scopes = (*groups, *(each.account_id for each in accounts))
        locks = {each: tasks.create_task(_locks(catalogue, each)) for each in scopes}
        providers = {
            (each, namespace): tasks.create_task(_registration(catalogue, each, namespace))
            for each in first
            for namespace in PROVIDERS
        }
    return Azure(
        operators=tuple(operators),
        accounts=tuple(each.result() for each in looked),
        groups=tuple(OfGroup(name, each.result()) for name, each in groups.items()),
        locks={scope: each.result() for scope, each in locks.items()},
        providers=tuple((*key, each.result()) for key, each in providers.items()),
    )


async def _operators(
    catalogue: Catalogue,
    azure: ResourceManager,
    installed: Sequence[Installed],
    subscriptions: Sequence[str],
) -> list[OfOperator]:
    wanted = {_client_id(one) for one in installed} - {""}
    if not wanted:
        return [OfOperator(None) for _ in installed]
    lists = await asyncio.gather(*(_identities(catalogue, each) for each in subscriptions))
    dark = next((each for each in lists if isinstance(each, Unread | Silent)), None)
    found = {
        each.client_id.lower(): each for some in lists if isinstance(some, list) for each in some
    }
    return [
        await _operator(azure, found.get(_client_id(one)), dark, len(subscriptions))
        for one in installed
    ]


def _client_id(of: Installed) -> str:
    """Give the client id that its pods use, or will."""
    return (of.client_id or (of.settings.client_id if of.settings else "")).lower()


async def _operator(
    azure: ResourceManager, identity: Identity | None, dark: Dark | None, looked_in: int
) -> OfOperator:
    if identity is None:
        return OfOperator(dark, looked_in=looked_in)
    right = f"{_IDENTITIES}/federatedIdentityCredentials/read on {identity.id}"
    credentials = await looking.azure(azure.credentials(identity.id), right)
    return OfOperator(identity, credentials, looked_in)


async def _identities(catalogue: Catalogue, subscription: str) -> list[Identity] | Dark | Absent:
    path = f"/subscriptions/{subscription}/providers/{_IDENTITIES}"
    right = f"{_IDENTITIES}/read in subscription {subscription}"
    found = await looking.azure(catalogue.every(path, "2024-11-30"), right)
    return [parse_identity(each) for each in found] if isinstance(found, list) else found


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who asks of an account, for which principals; `elsewhere`: the operator's own group."""

    reach: Reach
    catalogue: Catalogue
    azure: ResourceManager
    principals: tuple[str, ...]
    elsewhere: str


async def _account(asking: _Asking, account: Account) -> OfAccount:
    group = _group(account, asking.elsewhere)
    today = asking.reach.now().date()
    right = f"Microsoft.CognitiveServices/accounts/read on {account.account_id}"
    async with asyncio.TaskGroup() as tasks:
        found = tasks.create_task(looking.azure(ask(asking.azure, account, today), right))
        held = {
            (scope, one): tasks.create_task(_held(asking.catalogue, scope, one))
            for one in asking.principals
            for scope in (account.account_id, group, *account.existing.values())
            if scope
        }
    places = {key: Place(key[0], each.result()) for key, each in held.items()}
    return OfAccount(
        account=account,
        found=found.result(),
        on_account={one: places[account.account_id, one] for one in asking.principals},
        group=group,
        on_group={one: places[group, one] for one in asking.principals if group},
        on_existing={
            (name, one): places[scope, one]
            for name, scope in account.existing.items()
            for one in asking.principals
        },
    )


def _group(account: Account, elsewhere: str) -> str:
    name = account.identity_resource_group or elsewhere
    return naming.group_id(account.subscription, name) if name else ""


async def _held(
    catalogue: Catalogue, scope: str, principal: str
) -> tuple[Held, ...] | Dark | Absent:
    """List the roles that a principal holds at a scope, itself or by a group, and above it."""
    path = f"{scope}/providers/{_AUTHORIZATION}/roleAssignments"
    query = f"assignedTo('{principal}')"
    right = f"{_AUTHORIZATION}/roleAssignments/read on {scope}"
    found = await looking.azure(catalogue.every(path, "2022-04-01", query), right)
    if not isinstance(found, list):
        return found
    here = [one for one in found if holding.covers(one["properties"]["scope"], scope)]
    wanted = sorted({one["properties"]["roleDefinitionId"] for one in here})
    right = f"{_AUTHORIZATION}/roleDefinitions/read on {scope}"
    roles = await asyncio.gather(
        *(looking.azure(catalogue.one(each, "2022-04-01"), right) for each in wanted)
    )
    dark = next((each for each in roles if isinstance(each, Unread | Silent | Absent)), None)
    if dark is not None:
        return dark
    known = {key: role for key, role in zip(wanted, roles, strict=True) if isinstance(role, dict)}
    return holding.parse(here, known, scope)


async def _locks(catalogue: Catalogue, scope: str) -> tuple[Lock, ...] | Dark | Absent:
    path = f"{scope}/providers/{_AUTHORIZATION}/locks"
    right = f"{_AUTHORIZATION}/locks/read on {scope}"
    found = await looking.azure(catalogue.every(path, "2020-05-01"), right)
    if not isinstance(found, list):
        return found
    every = map(parse_lock, found)
    return tuple(one for one in every if holding.covers(one.scope, scope))


async def _content(catalogue: Catalogue, group: str) -> Content | Dark | Absent:
    right = f"Microsoft.Resources/subscriptions/resourceGroups/read on {group}"
    identities = f"{group}/providers/{_IDENTITIES}"
    found, tagged = await asyncio.gather(
        looking.azure(catalogue.every(f"{group}/resources", "2024-11-01"), right),
        looking.azure(catalogue.every(identities, "2024-11-30"), f"{_IDENTITIES}/read on {group}"),
    )
    if not isinstance(found, list):
        return found
    if not isinstance(tagged, list):
        return tagged
    tags = {each["id"].lower(): each.get("tags") or {} for each in tagged}
    return Content(tuple(each["id"] for each in found), tags)


async def _registration(
    catalogue: Catalogue, subscription: str, namespace: str
) -> str | Dark | Absent:
    path = f"/subscriptions/{subscription}/providers/{namespace}"
    right = f"Microsoft.Resources/subscriptions/providers/read in subscription {subscription}"
    found = await looking.azure(catalogue.one(path, "2024-11-01"), right)
    if found is None:
        return ""
    return str(found.get("registrationState", "")) if isinstance(found, dict) else found
