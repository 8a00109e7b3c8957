"""How many pods of a chatbot run, and how many may be taken away at a time. Pure."""

from __future__ import annotations

from chatbot_operator import ports
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.manifests.objects import make, selector
from chatbot_operator.ports import Object


def autoscaler(chatbot: Chatbot) -> Object | None:
    """Have Kubernetes choose the number of pods by how busy they are; None: it is fixed.

    It scales the Deployment and not the chatbot: what it writes would otherwise stand in a resource
    that a Git repository owns.
    """
    if chatbot.autoscaling is None:
        return None
    target = {"type": "Utilization", "averageUtilization": chatbot.autoscaling.busy}
    return make(
        ports.AUTOSCALERS,
        chatbot,
        spec={
            "scaleTargetRef": {
                "apiVersion": ports.DEPLOYMENTS.api_version,
                "kind": ports.DEPLOYMENTS.kind,
                "name": chatbot.name,
            },
            "minReplicas": chatbot.autoscaling.least,
            "maxReplicas": chatbot.autoscaling.most,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    )


def disruption_budget(chatbot: Chatbot) -> Object | None:
    """Keep node maintenance from taking more than one pod at a time; None for a single pod.

    A pod that is not ready may always go: it serves nobody, and must not keep a node from draining.
    """
    if chatbot.most_pods <= 1:
        return None
    return make(
        ports.DISRUPTION_BUDGETS,
        chatbot,
        spec={
            "maxUnavailable": 1,
            "selector": {"matchLabels": selector(chatbot.name)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    )


def count(live: Object) -> Object:
    """Say of a Deployment how many pods it has now, and nothing else."""
    metadata = live["metadata"]
    return {
        "apiVersion": ports.DEPLOYMENTS.api_version,
        "kind": ports.DEPLOYMENTS.kind,
        "metadata": {key: metadata[key] for key in ("name", "namespace")},
        "spec": {"replicas": live["spec"]["replicas"]},
    }


def emptied(live: Object) -> list[Object]:
    """Take all pods of a Deployment away, if it still is the one that was seen (a JSON patch)."""
    return [
        {"op": "test", "path": "/metadata/uid", "value": live["metadata"]["uid"]},
        {"op": "replace", "path": "/spec/replicas", "value": 0},
    ]


def counted_by_us_alone(live: Object, manager: str) -> bool:
    """Tell whether nobody but `manager` ever said how many pods a Deployment has.

    https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
    """
    sayers = {
        (entry["manager"], entry["operation"])
        for entry in live["metadata"].get("managedFields", ())
        if "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
    }
    return sayers == {(manager, "Apply")}
