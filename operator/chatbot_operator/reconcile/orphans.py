"""Finds identities whose chatbot is gone: somebody took its finalizer off while no operator ran."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chatbot_operator import az, ports
from chatbot_operator.account import Account
from chatbot_operator.ports import Identity, World
from chatbot_operator.reconcile.memory import Memory, Survey
from chatbot_operator.reconcile.survey import survey
from chatbot_operator.steps.identity import owner_of
from chatbot_operator.steps.preflight import LIMIT, Finding


async def orphans(
    world: World, account: Account, memory: Memory, told: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Add to the findings of an account the identities that nobody will take away."""
    lists = await survey(world, account, memory)
    if lists is None:
        return told
    living = await world.kubernetes.select(ports.CHATBOTS, "", {})
    alive = {each["metadata"]["uid"] for each in living}
    left = [each for each in lists.identities.values() if _is_left(world, each, alive)]
    found = [asdict(_finding(each)) for each in await _still_there(world, lists, left)]
    return [*told, *sorted(found, key=lambda finding: finding["message"])][:LIMIT]


def _is_left(world: World, identity: Identity, alive: set[str]) -> bool:
    """Tell whether an identity is of this operator's making, for a chatbot that is no more."""
    owner, installation = owner_of(identity), world.installation
    return (
        owner is not None
        and owner.cluster == installation.cluster
        and installation.watches(owner.namespace)
        and owner.uid not in alive
    )


async def _still_there(world: World, lists: Survey, left: list[Identity]) -> list[Identity]:
    """Give those that another list shows as they were: the first may be as old as a resync."""
    if not left:
        return []
    now = {each.id.lower(): each for each in await world.azure.identities(lists.where[1])}
    return [each for each in left if now.get(each.id.lower()) == each]


def _finding(identity: Identity) -> Finding:
    owner = owner_of(identity)
    made_for = f"{owner.namespace}/{owner.name} (uid {owner.uid})" if owner else ""
    return Finding(
        "OrphanedIdentity",
        "Warning",
        f"Managed identity {identity.name} was made for chatbot {made_for}, which is"
        " gone; its role may still let it in. If nobody needs it:"
        f" `{az.delete_identity(identity.id)}`.",
    )
