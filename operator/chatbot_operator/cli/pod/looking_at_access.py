"""Looks at what an identity may do, and at the account that its pod calls. Reads only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from chatbot_operator.azure.catalogue import Catalogue
from chatbot_operator.cli.pod.asking import each_of, seen, unseen
from chatbot_operator.cli.pod.in_azure import (
    Grant,
    Lock,
    Role,
    Subscription,
    Target,
    answers,
    parse_lock,
    parse_role,
)
from chatbot_operator.cli.pod.observed import Unseen
from chatbot_operator.cli.reach import Reach
from chatbot_operator.errors import Refusal
from chatbot_operator.ports import Identity, OpenAIAccount

_AUTHORIZATION: Final = "providers/Microsoft.Authorization"
_ACCOUNTS: Final = "providers/Microsoft.CognitiveServices/accounts"


async def grants(
    reach: Reach, identity: Identity | None, scopes: list[str]
) -> tuple[Grant, ...] | Unseen:
    """List the roles of an identity, its groups' too, at each scope, above it and below it."""
    if identity is None:
        return ()
    catalogue = await reach.catalogue()
    lists = await asyncio.gather(
        *(
            seen(
                catalogue.every(
                    f"{scope}/{_AUTHORIZATION}/roleAssignments",
                    "2022-04-01",
                    f"assignedTo('{identity.principal_id}')",
                ),
                f"read role assignments at {scope}",
            )
            for scope in scopes
        )
    )
    read = [each for each in lists if not isinstance(each, Unseen)]
    if not read:
        return next((each for each in lists if isinstance(each, Unseen)), ())
    assignments = {each["id"].lower(): each["properties"] for listed in read for each in listed}
    ids = sorted({each["roleDefinitionId"] for each in assignments.values()})
    roles = dict(
        zip(ids, await asyncio.gather(*(_role(catalogue, each) for each in ids)), strict=True)
    )
    return tuple(
        Grant(each["scope"], roles[each["roleDefinitionId"]], each.get("condition") or "")
        for each in assignments.values()
    )


async def _role(catalogue: Catalogue, role_id: str) -> Role:
    found = await seen(catalogue.one(role_id, "2022-04-01"), "read the role")
    if found is None or isinstance(found, Unseen):
        return Role(role_id.rsplit("/", 1)[-1])
    return parse_role(found)


async def target(
    reach: Reach, subscriptions: Iterable[Subscription], account: str, endpoint: str
) -> Target | None:
    """Find the account that the pod calls: as the person names it, else by its endpoint."""
    if account:
        return await _examined(reach, account, "as --account says")
    if not endpoint:
        return None
    lists = await each_of(
        subscriptions,
        lambda c, s: c.every(f"/subscriptions/{s.id}/{_ACCOUNTS}", "2025-09-01"),
        reach,
    )
    for listed in lists:
        for each in () if isinstance(listed, Unseen) else listed:
            if answers(each, endpoint):
                return await _examined(reach, each["id"], f"which answers at {endpoint}")
    return None


async def _examined(reach: Reach, account_id: str, how: str) -> Target:
    azure = await reach.azure()
    found: OpenAIAccount | Unseen | None
    try:
        found = await azure.account(account_id)
    except Refusal as refusal:
        missing = refusal.status == HTTPStatus.NOT_FOUND
        found = None if missing else unseen(refusal, f"read {account_id}")
    return Target(account_id, how, found, await _locks(reach, account_id))


async def _locks(reach: Reach, account_id: str) -> tuple[Lock, ...] | Unseen:
    """Find the locks of an account: its own, and those above it in the subscription."""
    catalogue = await reach.catalogue()
    subscription = "/".join(account_id.split("/")[:3])
    listed = await seen(
        catalogue.every(f"{subscription}/{_AUTHORIZATION}/locks", "2016-09-01"), "read its locks"
    )
    if isinstance(listed, Unseen):
        return listed
    locks = [parse_lock(each) for each in listed]
    return tuple(
        each for each in locks if f"{account_id}/".lower().startswith(f"{each.scope}/".lower())
    )
