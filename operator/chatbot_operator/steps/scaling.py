"""How many pods run: as the chatbot says, or as an autoscaler does."""

from __future__ import annotations

from typing import Final

from chatbot_operator import manifests, ports
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import Fault
from chatbot_operator.ports import Object, World
from chatbot_operator.steps.children import bear, ensure, provide, remove

HANDOVER: Final = f"{manifests.MANAGER}-handover"


async def replicas(world: World, chatbot: Chatbot) -> int | None:
    """Tell how many pods to ask for; None leaves it to the autoscaler.

    One before the first proof: Entra remembers a refused exchange for minutes, so one pod tries
    first. Never fewer than there are on that ground, should the record of the proof be lost.
    """
    wanted, proven = chatbot.least_pods, bool(chatbot.recorded.proven_at)
    if chatbot.autoscaling is None:
        # First, or it might once more say what is about to be said otherwise.
        await remove(world, chatbot, ports.AUTOSCALERS)
        if proven or wanted <= 1:
            return wanted
    live = await world.kubernetes.get(ports.DEPLOYMENTS, chatbot.namespace, chatbot.name)
    running: int = live["spec"].get("replicas", 1) if live else 1
    if not proven:
        return max(1, min(chatbot.most_pods, running))
    if live is None or running == 0:
        return wanted
    if running > chatbot.most_pods:
        # By hand, or by an autoscaler of somebody else's: two keep each other from acting.
        return chatbot.most_pods
    await _hand_over(world, live)
    return None


async def _hand_over(world: World, live: Object) -> None:
    """See that the number of pods outlasts our saying it.

    A field that the only one to say it no longer says is removed by server-side apply, and the API
    server puts 1 in its place: so it is said by another name first, until the autoscaler says it
    (https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership).
    """
    if manifests.counted_by_us_alone(live, manifests.MANAGER):
        await world.kubernetes.apply(
            ports.DEPLOYMENTS,
            manifests.count(live),
            onto=live["metadata"]["uid"],
            manager=HANDOVER,
        )


async def scale(world: World, chatbot: Chatbot, *, borne: list[Fault]) -> None:
    """Give a proven chatbot its autoscaler, and one of many pods its disruption budget.

    Into `borne` goes what admission has otherwise: pods serve all the same.
    """
    scaler = manifests.autoscaler(chatbot)
    if scaler is not None and chatbot.recorded.proven_at:
        await bear(ensure(world, chatbot, ports.AUTOSCALERS, scaler), borne)
    budget = manifests.disruption_budget(chatbot)
    await bear(provide(world, chatbot, ports.DISRUPTION_BUDGETS, budget), borne)
