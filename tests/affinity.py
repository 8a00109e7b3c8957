"""An affinity in which every field stands that it has, so that one change shows them all."""

from __future__ import annotations

from typing import Any

NODES = {
    "matchExpressions": [{"key": "gpu", "operator": "In", "values": ["a100"]}],
    "matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["n1"]}],
}
CHOSEN = {
    "matchLabels": {"app": "cache"},
    "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["test"]}],
}
PLACE = {
    "topologyKey": "kubernetes.io/hostname",
    "labelSelector": CHOSEN,
    "namespaceSelector": CHOSEN,
    "namespaces": ["data"],
    "matchLabelKeys": ["pod-template-hash"],
    "mismatchLabelKeys": ["tenant"],
}
NEAR = {
    "requiredDuringSchedulingIgnoredDuringExecution": [PLACE],
    "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 5, "podAffinityTerm": PLACE}],
}
AFFINITY = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [NODES]},
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 5, "preference": NODES}],
    },
    "podAffinity": NEAR,
    "podAntiAffinity": NEAR,
}


def paths(value: Any, path: str) -> set[str]:
    """The fields of a schema for which a value holds one."""
    if isinstance(value, dict):
        anything = path.endswith(".matchLabels")
        parts = [paths(each, f"{path}.{'*' if anything else key}") for key, each in value.items()]
    elif isinstance(value, list):
        parts = [paths(each, f"{path}[]") for each in value]
    else:
        return {path}
    return set().union(*parts)
