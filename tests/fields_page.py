"""docs/fields.md, as the CRDs have it: `make reference` writes it, a test compares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "fields.md"
CRDS: Final = ("azureopenaichatbots", "azureopenaiaccounts")

HEAD: Final = """# Fields

Every field of the two resources, as `kubectl explain` shows them. Written from [crds/](../crds) by
`make reference`. A star marks what has to be given; `[]` is each of a list, `*` each key of a map.
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
        yield f"### {part}\n"
        yield "| field | what it says | default | bounds |\n|---|---|---|---|"
        yield from _fields(schema["properties"][part])
        yield ""


def _fields(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    required = schema.get("required", ())
    for name, each in schema.get("properties", {}).items():
        where = f"{path}.{name}" if path else name
        star = "*" if name in required else ""
        default = f"`{_json(each['default'])}`" if "default" in each else ""
        words = each.get("description", "").replace("|", "\\|")
        yield f"| `{where}`{star} | {words} | {default} | {_bounds(each)} |"
        yield from _fields(each, where)
        if "items" in each:
            yield from _fields(each["items"], f"{where}[]")
        if isinstance(each.get("additionalProperties"), dict):
            yield from _fields(each["additionalProperties"], f"{where}.*")


def _json(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True).splitlines()[0]


def _bounds(each: dict[str, Any]) -> str:
    if "enum" in each:
        return ", ".join(f"`{value}`" for value in each["enum"])
    if "minimum" in each or "maximum" in each:
        return f"{each.get('minimum', '')} to {each.get('maximum', '')}"
    sizes = {"maxLength": "characters", "maxItems": "items", "maxProperties": "keys"}
    return ", ".join(f"≤ {each[key]} {of}" for key, of in sizes.items() if key in each)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
