"""Whether a live object still is what was wanted. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chatbot_operator.manifests.objects import INTENT, TEMPLATE
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
    return list(_astray(manifest, live, ""))


def _astray(wanted: Any, live: Any, path: str) -> Iterator[str]:
    if isinstance(wanted, dict) and isinstance(live, dict):
        for key, value in wanted.items():
            if value != {} or key in live:
                yield from _astray(value, live.get(key), f"{path}.{key}" if path else key)
    elif isinstance(wanted, list) and isinstance(live, list):
        yield from _items_astray(wanted, live, path)
    elif wanted != live:
        yield path


def _items_astray(wanted: list[Any], live: list[Any], path: str) -> Iterator[str]:
    """Match lists of named things by name, as server-side apply merges them, others in order."""
    if all(isinstance(item, dict) and "name" in item for item in [*wanted, *live]):
        for item in wanted:
            namesakes = [other for other in live if other["name"] == item["name"]]
            where = f"{path}[{item['name']}]"
            found = [list(_astray(item, other, where)) for other in namesakes]
            yield from min(found, key=len, default=[where])
    elif len(wanted) != len(live):
        yield path
    else:
        for position, (one, other) in enumerate(zip(wanted, live, strict=True)):
            yield from _astray(one, other, f"{path}[{position}]")
