"""Whether a live object still is what was wanted. Pure."""

from __future__ import annotations

from typing import Any

from chatbot_operator.manifests.objects import TEMPLATE
from chatbot_operator.ports import Object


def owned(live: Object, uid: str) -> bool:
    """Tell whether a chatbot of this uid controls a live object."""
    owners = live["metadata"].get("ownerReferences", ())
    return any(o.get("controller") and o["uid"] == uid for o in owners)


def current(pod: Object, deployment: Object) -> bool:
    """Tell whether a pod is of the Deployment's present template, not one being replaced."""
    template = deployment["spec"]["template"]["metadata"]
    return _template(pod["metadata"]) == _template(template)


def _template(metadata: Object) -> str | None:
    mark: str | None = metadata.get("annotations", {}).get(TEMPLATE)
    return mark


def differs(live: Object | None, manifest: Object) -> bool:
    """Tell whether applying the manifest would change the live object.

    What Kubernetes fills in by itself does not count; what the manifest no longer says does, by the
    hash of the intent that the last apply left behind.
    """
    return live is None or not _within(manifest, live)


def _within(wanted: Any, live: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(
            _within(value, live.get(key)) or (value == {} and key not in live)
            for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(live, list) and _items_within(wanted, live)
    return bool(wanted == live)


def _items_within(wanted: list[Any], live: list[Any]) -> bool:
    """Match lists of named things by name, as server-side apply merges them, others in order."""
    if all(isinstance(item, dict) and "name" in item for item in [*wanted, *live]):
        return all(any(_within(item, other) for other in live) for item in wanted)
    if len(wanted) != len(live):
        return False
    return all(_within(one, other) for one, other in zip(wanted, live, strict=True))
