"""Pods that the workload identity webhook passed over are made anew, a few times.

It is asked when a pod is made, and never again: one that was made while it was away stays without.
"""

from __future__ import annotations

from typing import Final

from chatbot_operator import manifests
from chatbot_operator.allowances import Allowances
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.ports import PODS, Object, Readiness, World

RESTARTS: Final = 3
RESTART_SECONDS: Final = 1200.0
"""Pods of a chatbot that are restarted at once, and seconds until there may be another."""


async def restart(
    world: World,
    chatbot: Chatbot,
    pods: list[Object],
    answers: list[Readiness],
    allowances: Allowances,
) -> None:
    """Delete pods without the webhook's variables, if one says that it misses them."""
    if all(answer.reason != "NotInjected" for answer in answers):
        return
    for pod in pods:
        metadata = pod["metadata"]
        if "deletionTimestamp" in metadata or manifests.injected(pod):
            continue
        if not allowances.take(chatbot.uid, world.now()):
            return
        await world.kubernetes.delete(
            PODS, chatbot.namespace, metadata["name"], uid=metadata["uid"]
        )
        said = f"Pod {metadata['name']} was made without workload identity; deleted it."
        world.journal.note("PodRestarted", said, warning=True)
