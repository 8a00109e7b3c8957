"""docs/fields.md, as the CRDs have it: `make reference` writes it, a test compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from account_fields import FIELDS

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "fields.md"
CRDS: Final = ("azureopenaichatbots", "azureopenaiaccounts")
KUBERNETES_OWN: Final = {
    "affinity": "https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/"
}
"""Fields whose parts are those of a Pod, and where they are explained."""

REACHED: Final = {
    name.removesuffix("[]").removesuffix(".*"): reach.sees.reaches for name, reach in FIELDS.items()
}
"""What the fields of an account's spec are shown to reach."""

HEAD: Final = """# Fields

Every field of the two resources, as `kubectl explain` shows them. Written from [crds/](../crds) by
`make reference`. A star marks what has to be given; `[]` is each of a list, `*` each key of a map.
What the API server does not take, it refuses in words: `kubectl apply` says which field and why.
*Seen at* names what a field of an account changes, as the tests of this repository look at it.

- [AzureOpenAIChatbot](#azureopenaichatbot), a team's
- [AzureOpenAIAccount](#azureopenaiaccount), the platform team's
"""


def page() -> str:
    """Write the whole page."""
    return "\n".join([HEAD, *(line for name in CRDS for line in _kind(name))])


def _kind(name: str) -> Iterator[str]:
    crd = yaml.safe_load((ROOT / "crds" / f"{name}.yaml").read_text())["spec"]
    (version,) = crd["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    yield f"## {crd['names']['kind']}\n\n{schema['description']}\n"
    for part in ("spec", "status"):
        reached = REACHED if (name, part) == ("azureopenaiaccounts", "spec") else {}
        yield from _part(part, schema["properties"][part], reached)


def _part(part: str, schema: dict[str, Any], reached: Mapping[str, str]) -> Iterator[str]:
    """One table for what holds a value itself, then one for each that has parts."""
    required = schema.get("required", ())
    fields = schema["properties"].items()
    plain = {name: each for name, each in fields if "properties" not in each}
    yield f"### {part}\n"
    yield from _table(_fields({"properties": plain, "required": required}, reached))
    for name, each in fields:
        if name in plain:
            continue
        star = "\\*" if name in required else ""
        inside = f"{name}."
        below = {
            at.removeprefix(inside): what for at, what in reached.items() if at.startswith(inside)
        }
        yield f"#### {part}.{name}{star}\n\n{each['description']}\n"
        yield from _table(_fields(each, below))


def _table(rows: Iterator[str]) -> Iterator[str]:
    yield "| field | what it says | values |\n|---|---|---|"
    yield from rows
    yield ""


def _fields(schema: dict[str, Any], reached: Mapping[str, str], path: str = "") -> Iterator[str]:
    required = schema.get("required", ())
    for name, each in schema.get("properties", {}).items():
        where = f"{path}.{name}" if path else name
        star = "\\*" if name in required else ""
        words = each.get("description", "").replace("|", "\\|")
        words += f" Seen at: {reached[where]}." if where in reached else ""
        if where in KUBERNETES_OWN:
            yield f"| `{where}`{star} | {words} [Its parts]({KUBERNETES_OWN[where]}). | |"
            continue
        yield f"| `{where}`{star} | {words} | {_values(each)} |"
        yield from _fields(each, reached, where)
        if "items" in each:
            yield from _fields(each["items"], reached, f"{where}[]")
        if isinstance(each.get("additionalProperties"), dict):
            yield from _fields(each["additionalProperties"], reached, f"{where}.*")


def _values(each: dict[str, Any]) -> str:
    given = f"default `{_yaml(each['default'])}`" if each.get("default", {}) != {} else ""
    return "; ".join(filter(None, (_bounds(each), given)))


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True).splitlines()[0]


def _bounds(each: dict[str, Any]) -> str:
    of = each.get("items", {})
    if "enum" in each or "enum" in of:
        return ", ".join(f"`{_yaml(value)}`" for value in each.get("enum", of.get("enum")))
    if "minimum" in each or "maximum" in each:
        least, most = (f"{each[key]:,}" if key in each else "" for key in ("minimum", "maximum"))
        return f"{least} to {most}" if most else f"≥ {least}"
    sizes = {"maxLength": "characters", "maxItems": "items", "maxProperties": "keys"}
    return ", ".join(f"≤ {each[key]:,} {unit}" for key, unit in sizes.items() if key in each)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
