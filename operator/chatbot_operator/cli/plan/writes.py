"""What would be written, and how it differs from what is there. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from chatbot_operator.manifests import INTENT, TEMPLATE
from chatbot_operator.manifests.pods import SINCE_KEY
from chatbot_operator.ports import CONFIG_MAPS, Object

LONG: Final = 120
"""Characters of a value from which on it is counted, not shown."""
_PROMPT: Final = "spec.chat.systemPrompt"
_SINCE: Final = f"data.{SINCE_KEY}"
_SILENT: Final = frozenset(
    {
        *("apiVersion", "kind", "status", "metadata.uid", "metadata.resourceVersion"),
        *("metadata.generation", "metadata.creationTimestamp", "metadata.managedFields"),
        f"metadata.annotations[{INTENT}]",
        f"spec.template.metadata.annotations[{TEMPLATE}]",
        "metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]",
        "metadata.annotations[deployment.kubernetes.io/revision]",
    }
)
"""What the API server keeps for itself, and hashes of what is shown anyway."""
_PLAIN_KEY: Final = re.compile(r"[-\w]+", re.ASCII)


class Verb(StrEnum):
    """What becomes of something. LEAVE: it is looked at, and as it should be."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    LEAVE = "leave"


class Side(StrEnum):
    """Where something is written."""

    AZURE = "Azure"
    CLUSTER = "Cluster"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field as it is and as it would be; None: not there.

    `characters` is how many of a text would change that is not for showing; None where it is.
    """

    path: str
    before: Any
    after: Any
    characters: int | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """A write to one thing.

    `kind` says what in words, `name` which of that kind, `target` all of it: an ARM id, or
    NAMESPACE/NAME. `note` says what the differences do not; `command` is there where not the
    operator writes, but somebody has to.
    """

    side: Side
    verb: Verb
    kind: str
    name: str
    target: str
    differences: tuple[Difference, ...] = ()
    note: str = ""
    command: str = ""


def of_objects(
    verb: Verb, kind: str, before: Object | None, after: Object | None, *, note: str = ""
) -> Write:
    """Give the write that makes an object of the cluster from another."""
    metadata = (after or before or {})["metadata"]
    where = metadata.get("namespace", "")
    found = () if verb is Verb.DELETE else differences(before or {}, after or {}, kind=kind)
    if verb is Verb.CHANGE and _restarts(before, after):
        note = " ".join(filter(None, (note, "Its pods are replaced.")))
    target = f"{where}/{metadata['name']}" if where else metadata["name"]
    return Write(Side.CLUSTER, verb, kind, metadata["name"], target, found, note)


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], *, kind: str = ""
) -> tuple[Difference, ...]:
    """Compare field by field, without what nobody asked about.

    Of an object of the cluster, of which `kind` is given, long texts are counted only. What the
    model is told is in no output, however short; in a ConfigMap, that may be any of it.
    """
    old, new = dict(_flat(before, "")), dict(_flat(after, ""))
    paths = [*old, *(path for path in new if path not in old)]
    found = (Difference(path, old.get(path), new.get(path)) for path in paths)
    changed = (each for each in found if each.before != each.after)
    return tuple(_shown(each, kind) if kind else each for each in changed)


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Take a value apart; things of a list that have names go by them, as server-side apply has it.

    An empty object and an empty list say nothing.
    """
    if path in _SILENT:
        return
    if isinstance(value, Mapping):
        for key, one in value.items():
            plain = _PLAIN_KEY.fullmatch(key)
            way = (f"{path}.{key}" if path else key) if plain else f"{path}[{key}]"
            yield from _flat(one, way)
    elif isinstance(value, list):
        names = [one.get("name") if isinstance(one, Mapping) else None for one in value]
        named = None not in names and len(set(names)) == len(names)
        for position, one in enumerate(value):
            yield from _flat(one, f"{path}[{names[position] if named else position}]")
    elif value is not None:
        yield path, value


def _shown(found: Difference, kind: str) -> Difference:
    """Leave out a text that is long or that the model is told; say how much of it would change."""
    told = found.path == _PROMPT or (kind == CONFIG_MAPS.kind and found.path.startswith("data"))
    long = any(isinstance(v, str) and _is_long(v) for v in (found.before, found.after))
    if found.path == _SINCE or not (told or long):
        return found
    changed = changed_characters(str(found.before or ""), str(found.after or ""))
    before, after = (None if v is None else "" for v in (found.before, found.after))
    return Difference(found.path, before, after, changed)


def _is_long(text: str) -> bool:
    return len(text) > LONG or "\n" in text


def changed_characters(before: str, after: str) -> int:
    """Count the characters between what two texts begin and end with alike."""
    short = min(len(before), len(after))
    head = next((i for i in range(short) if before[i] != after[i]), short)
    rest = short - head
    tail = next((i for i in range(rest) if before[-1 - i] != after[-1 - i]), rest)
    return max(len(before), len(after)) - head - tail


def _restarts(before: Object | None, after: Object | None) -> bool:
    return bool(_template(before) != _template(after))


def _template(of: Object | None) -> Any:
    template = ((of or {}).get("spec") or {}).get("template") or {}
    return (template.get("metadata") or {}).get("annotations", {}).get(TEMPLATE)
