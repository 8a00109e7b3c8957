"""What the controller of a Gateway does, for a cluster that has none."""

from __future__ import annotations

from chatbot_operator.ports import HTTP_ROUTES
from cluster_world import path


async def accept(hand, namespace, status="True", reason="Accepted"):
    """Say of the chatbot's HTTPRoute whether its first Gateway takes it."""
    route = await hand.get(HTTP_ROUTES, namespace)
    condition = {
        "type": "Accepted",
        "status": status,
        "reason": reason,
        "message": "As it says.",
        "observedGeneration": route["metadata"]["generation"],
        "lastTransitionTime": "2026-01-31T12:00:00Z",
    }
    parent = {
        "parentRef": route["spec"]["parentRefs"][0],
        "controllerName": "example.com/gateway",
        "conditions": [condition],
    }
    where = f"{path(HTTP_ROUTES, namespace, 'support')}/status"
    await hand.api.patch(where, {"status": {"parents": [parent]}})
