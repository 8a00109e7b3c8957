"""What writes make of an object where no API server is asked. Pure."""

from __future__ import annotations

import copy
from typing import Any

from chatbot_operator.ports import Object


def merged(live: Object | None, manifest: Object) -> Object:
    """Give what an apply makes of an object, as far as the manifest alone says it.

    Lists of named things are merged by name, others replaced. What an earlier manifest said and
    this one does not stays: only the API server knows who said it.
    """
    both: Object = _merged(copy.deepcopy(live or {}), copy.deepcopy(manifest))
    return both


def _merged(live: Any, manifest: Any) -> Any:
    if isinstance(live, dict) and isinstance(manifest, dict):
        return {**live, **{key: _merged(live.get(key), v) for key, v in manifest.items()}}
    if isinstance(live, list) and isinstance(manifest, list) and _named([*live, *manifest]):
        known = {each["name"]: each for each in live}
        said = {each["name"]: _merged(known.get(each["name"]), each) for each in manifest}
        return list({**known, **said}.values())
    return manifest


def _named(items: list[Any]) -> bool:
    return all(isinstance(each, dict) and "name" in each for each in items)


def patched(live: Object, operations: list[Object]) -> Object:
    """Make a JSON patch (RFC 6902) of the operations that the operator uses: no move, no copy.

    `test` is taken for passed: the object is the one that was read.
    """
    after = copy.deepcopy(live)
    for each in operations:
        *way, last = [_unescaped(part) for part in each["path"].lstrip("/").split("/")]
        holder: Any = after
        for part in way:
            holder = holder[_index(holder, part)]
        if each["op"] in {"add", "replace"}:
            holder[_index(holder, last)] = each["value"]
        elif each["op"] == "remove":
            del holder[_index(holder, last)]
    return after


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")


def _index(holder: Any, part: str) -> Any:
    return int(part) if isinstance(holder, list) else part


def apply_patch(live: Object, manifest: Object, last_applied: Object) -> Object:
    """Give the merge patch (RFC 7386) that `kubectl apply` makes of a custom resource.

    From what was applied last, what is applied now and what is there
    (https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#merge-patch-calculation).
    """
    removed = _removed(last_applied, manifest)
    return _joined(removed, _changed(live, manifest))


def _removed(last: Object, manifest: Object) -> Object:
    found: Object = {}
    for key, value in last.items():
        if key not in manifest:
            found[key] = None
        elif isinstance(value, dict) and isinstance(manifest[key], dict):
            below = _removed(value, manifest[key])
            if below:
                found[key] = below
    return found


def _changed(live: Object, manifest: Object) -> Object:
    found: Object = {}
    for key, value in manifest.items():
        there = live.get(key)
        if isinstance(value, dict) and isinstance(there, dict):
            below = _changed(there, value)
            if below:
                found[key] = below
        elif value != there:
            found[key] = value
    return found


def _joined(one: Object, other: Object) -> Object:
    both = {**one, **other}
    for key in one.keys() & other.keys():
        if isinstance(one[key], dict) and isinstance(other[key], dict):
            both[key] = _joined(one[key], other[key])
    return both
