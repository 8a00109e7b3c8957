"""Whether a live object still is what was wanted. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from chatbot_operator.manifests.objects import INTENT, TEMPLATE, digest
from chatbot_operator.manifests.quantities import equal
from chatbot_operator.ports import Object

_RESOURCES = re.compile(r"\.resources\.(?:requests|limits)\.")


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


def intent(manifest: Object) -> str | None:
    """Give the hash of what was wanted when the object was applied, or is wanted now."""
    mark: str | None = manifest["metadata"].get("annotations", {}).get(INTENT)
    return mark


def differs(live: Object | None, manifest: Object) -> bool:
    """Tell whether applying the manifest would change the live object.

    What Kubernetes fills in by itself does not count; what the manifest no longer says does, by the
    hash of the intent that the last apply left behind.
    """
    return live is None or bool(differences(live, manifest))


def differences(live: Object, manifest: Object) -> list[str]:
    """Give the paths at which the live object is not as the manifest says."""
    return [path for path, _ in _astray(manifest, live, "")]


def outcome(live: Object, manifest: Object) -> str:
    """Stand for what became of a manifest: what was wanted, and what there is instead."""
    return digest(json.dumps([intent(manifest), *_astray(manifest, live, "")], sort_keys=True))


def _astray(wanted: Any, live: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Find where the live object differs, and what is there."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        for key, value in wanted.items():
            if value != {} or key in live:
                yield from _astray(value, live.get(key), f"{path}.{key}" if path else key)
    elif isinstance(wanted, list) and isinstance(live, list):
        yield from _items_astray(wanted, live, path)
    elif wanted != live and not (_RESOURCES.search(path) and equal(wanted, live)):
        yield path, live


def _items_astray(wanted: list[Any], live: list[Any], path: str) -> Iterator[tuple[str, Any]]:
    """Match lists of named things by name, as server-side apply merges them, others in order."""
    if all(isinstance(item, dict) and "name" in item for item in [*wanted, *live]):
        for item in wanted:
            namesakes = [other for other in live if other["name"] == item["name"]]
            where = f"{path}[{item['name']}]"
            found = [list(_astray(item, other, where)) for other in namesakes]
            yield from min(found, key=len, default=[(where, None)])
    elif len(wanted) != len(live):
        yield path, live
    else:
        for position, (one, other) in enumerate(zip(wanted, live, strict=True)):
            yield from _astray(one, other, f"{path}[{position}]")
