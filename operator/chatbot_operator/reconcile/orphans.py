"""Finds identities whose chatbot is gone: somebody took its finalizer off while no operator ran."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chatbot_operator import az, ports
from chatbot_operator.account import Account
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.naming import Owner
from chatbot_operator.ports import Identity, World
from chatbot_operator.reconcile.memory import Memory
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
    installation = world.installation
    alive = {
        each["metadata"]["uid"] for each in await world.kubernetes.select(ports.CHATBOTS, "", {})
    }
    found = []
    for each in lists.identities.values():
        owner = owner_of(each)
        if owner is None or owner.cluster != installation.cluster or owner.uid in alive:
            continue
        if not installation.watches(owner.namespace):
            continue
        if await _is_gone(world, owner) and await _is_there(world, each):
            found.append(asdict(_finding(each, owner)))
    return [*told, *sorted(found, key=lambda finding: finding["message"])][:LIMIT]


async def _is_gone(world: World, owner: Owner) -> bool:
    """Tell whether the chatbot is gone; not where the operator may not look."""
    try:
        live = await world.kubernetes.get(ports.CHATBOTS, owner.namespace, owner.name)
    except KubernetesRefusal:
        return False
    return live is None or live["metadata"]["uid"] != owner.uid


async def _is_there(world: World, listed: Identity) -> bool:
    """Tell whether it still is as it was listed: a list may be as old as a resync."""
    live = await world.azure.identity(listed.id)
    return live is not None and owner_of(live) == owner_of(listed)


def _finding(identity: Identity, owner: Owner) -> Finding:
    return Finding(
        "OrphanedIdentity",
        "Warning",
        f"Managed identity {identity.name} was made for chatbot {owner.namespace}/{owner.name} (uid"
        f" {owner.uid}), which is gone; its role may still let it in. If nobody needs it:"
        f" `{az.delete_identity(identity.id)}`.",
    )
