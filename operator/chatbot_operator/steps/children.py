"""Objects in the cluster that belong to a chatbot."""

from __future__ import annotations

from collections.abc import Awaitable
from http import HTTPStatus
from typing import Final, TypeVar

from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import REASONS, Fault, KubernetesRefusal, Pending, Stuck
from chatbot_operator.manifests import (
    differences,
    differs,
    disclaimer,
    intent,
    outcome,
    owned,
    restoration,
)
from chatbot_operator.ports import (
    AUTOSCALERS,
    DISRUPTION_BUDGETS,
    HTTP_ROUTES,
    INGRESSES,
    NETWORK_POLICIES,
    Object,
    Resource,
    World,
)

T = TypeVar("T")

ATTEMPTS: Final = 3
"""How often something is applied that admission undoes each time."""
OPTIONAL: Final = (AUTOSCALERS, DISRUPTION_BUDGETS, HTTP_ROUTES, INGRESSES, NETWORK_POLICIES)
"""What only some chatbots have."""


class Undone(Stuck):
    """Admission changes each time what the operator applies; `live` is what there is instead."""

    def __init__(self, resource: Resource, live: Object, manifest: Object) -> None:
        known = REASONS["MutatedByAdmission"]
        what = ", ".join(differences(live, manifest))
        name = f"{resource.kind} {live['metadata']['name']}"
        super().__init__(known.name, f"{known.cause} {known.fix} {name}: {what}.")
        self.live = live


async def bear(made: Awaitable[T], borne: list[Fault]) -> T | Object:
    """Go on with what admission made of an object, where the proof shows whether it works."""
    try:
        return await made
    except Undone as undone:
        borne.append(undone)
        return undone.live


async def require_free(world: World, chatbot: Chatbot, resource: Resource) -> None:
    """See that no object of somebody else's bears the chatbot's name."""
    live = await world.kubernetes.get(resource, chatbot.namespace, chatbot.name)
    _require_ours(live, chatbot, resource)


async def ensure(world: World, chatbot: Chatbot, resource: Resource, manifest: Object) -> Object:
    """Make the live object what the manifest says, and give it; one of somebody else's stays.

    Raises Undone where admission has it otherwise.
    """
    live = await world.kubernetes.get(resource, chatbot.namespace, chatbot.name)
    _require_ours(live, chatbot, resource)
    if live is not None and "deletionTimestamp" in live["metadata"]:
        raise Pending("ChildLeaving", f"{resource.kind} {chatbot.name} is being deleted.")
    if live is not None and not differs(live, manifest):
        return await _disclaim(world, resource, live)
    if live is not None and world.undone.get(live["metadata"]["uid"]) == outcome(live, manifest):
        raise Undone(resource, live, manifest)
    applied = await _put(world, resource, manifest, live)
    for _ in range(ATTEMPTS - 1):
        if not differs(applied, manifest):
            break
        applied = await _put(world, resource, manifest, applied)
    _note_repair(world, chatbot, resource, live, manifest)
    _require_kept(world, resource, applied, manifest)
    return applied


def _require_kept(world: World, resource: Resource, applied: Object, manifest: Object) -> None:
    """See that nobody changes what is applied on its way in; what was so is remembered."""
    uid = applied["metadata"]["uid"]
    if differs(applied, manifest):
        world.undone[uid] = outcome(applied, manifest)
        raise Undone(resource, applied, manifest)
    world.undone.pop(uid, None)


async def _put(world: World, resource: Resource, manifest: Object, live: Object | None) -> Object:
    """Apply the manifest; where what a hand added makes the sum of both invalid, undo that first.

    Server-side apply adds to what is there: a variable that somebody gave a source has two then.
    """
    if live is None:
        return await world.kubernetes.apply(resource, manifest, onto=None)
    uid = live["metadata"]["uid"]
    try:
        return await world.kubernetes.apply(resource, manifest, onto=uid)
    except KubernetesRefusal as refusal:
        undone = restoration(live, manifest)
        if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY or not undone:
            raise
    where = live["metadata"]["namespace"], live["metadata"]["name"]
    await world.kubernetes.patch(resource, *where, undone)
    return await _disclaim(
        world, resource, await world.kubernetes.apply(resource, manifest, onto=uid)
    )


async def _disclaim(world: World, resource: Resource, live: Object) -> Object:
    """Give up what the operator holds of an object by anything but its applies."""
    claim = disclaimer(live)
    if not claim:
        return live
    where = live["metadata"]["namespace"], live["metadata"]["name"]
    return await world.kubernetes.patch(resource, *where, claim)


def _note_repair(
    world: World, chatbot: Chatbot, resource: Resource, live: Object | None, manifest: Object
) -> None:
    """Note that an object was put back, unless it is new or wanted otherwise than before."""
    name = f"{resource.kind} {chatbot.name}"
    if live is None:
        if chatbot.recorded.served and chatbot.observed:
            world.journal.note("PutBack", f"{name} was gone; made it again.")
    elif intent(live) in (None, intent(manifest)) and not chatbot.recorded.withdrawn:
        what = ", ".join(differences(live, manifest))
        world.journal.note("PutRight", f"{name} was edited; put right: {what}.")


def _require_ours(live: Object | None, chatbot: Chatbot, resource: Resource) -> None:
    if live is not None and not owned(live, chatbot.uid):
        raise Stuck(
            "OwnershipConflict",
            f"{resource.kind} {chatbot.name} exists and is not this chatbot's. Delete it, or give"
            " the chatbot another name.",
        )


async def provide(
    world: World, chatbot: Chatbot, resource: Resource, manifest: Object | None
) -> Object | None:
    """Make an object that only some chatbots have, or see that this one has none of its own."""
    if manifest is not None:
        return await ensure(world, chatbot, resource, manifest)
    await remove(world, chatbot, resource)
    return None


async def remove(world: World, chatbot: Chatbot, resource: Resource) -> bool:
    """Delete the chatbot's object; tell whether it is gone."""
    live = await world.kubernetes.get(resource, chatbot.namespace, chatbot.name)
    if live is None or not owned(live, chatbot.uid):
        return True
    if "deletionTimestamp" not in live["metadata"]:
        uid = live["metadata"]["uid"]
        await world.kubernetes.delete(resource, chatbot.namespace, chatbot.name, uid=uid)
    return False
