"""JSON patches that undo by hand what applying a manifest cannot. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chatbot_operator.manifests.comparison import differences
from chatbot_operator.manifests.objects import MANAGER
from chatbot_operator.ports import Object


def restoration(live: Object, manifest: Object) -> list[Object]:
    """Give the JSON patch that replaces those parts of an object that are not as the manifest says.

    What others added to these parts goes as well: with it the API server takes no apply. Conflicts
    if the object has changed since it was read.
    """
    replaced = [
        {"op": "add", "path": path, "value": wanted}
        for path, wanted, found in _parts(manifest, live)
        if differences({"part": found}, {"part": wanted})
    ]
    return [_unchanged(live), *replaced] if replaced else []


def _parts(manifest: Object, live: Object) -> Iterator[tuple[str, Any, Any]]:
    """Take a manifest apart: its members, and those of its spec one by one."""
    for key, value in manifest.items():
        if key == "spec":
            yield from ((f"/spec/{k}", v, live["spec"].get(k)) for k, v in value.items())
        elif key not in ("apiVersion", "kind", "metadata"):
            yield f"/{key}", value, live.get(key)


def disclaimer(live: Object) -> list[Object]:
    """Give the JSON patch that leaves the operator nothing but what it applied; none if so already.

    What it also holds by a patch would outlive the apply that no longer says it.
    """
    held = live["metadata"].get("managedFields", ())
    for position, entry in enumerate(held):
        if (entry.get("manager"), entry.get("operation")) == (MANAGER, "Update"):
            return [
                _unchanged(live),
                {"op": "remove", "path": f"/metadata/managedFields/{position}"},
            ]
    return []


def _unchanged(live: Object) -> Object:
    version = live["metadata"]["resourceVersion"]
    return {"op": "replace", "path": "/metadata/resourceVersion", "value": version}
