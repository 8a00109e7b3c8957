"""docs/settings.md, as the code has it: `make reference` writes it, a test compares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from chatbot_operator.clouds import CLOUDS
from chatbot_operator.settings import VARIABLES, Variable

PAGE: Final = Path(__file__).parents[1] / "docs" / "settings.md"

HEAD: Final = """# Settings of the operator

Environment variables of its container; `chatbot-operator --help` says the same. Written from the code by
`make reference`. A setting that is missing or malformed is named at the start, all of them at once, and the
process ends with 2. Those of chatbots are in [contract.md](contract.md#environment): the operator sets them.

| variable | meaning | default |
|---|---|---|"""
CLOUD: Final = """
## Clouds

What `AZURE_CLOUD` stands for; each is a default that the variable of its own overrides.
"""


def page() -> str:
    """Write the whole page."""
    return "\n".join([HEAD, *map(_variable, VARIABLES), *_clouds(), ""])


def _variable(variable: Variable) -> str:
    default = "required" if variable.default is None else f"`{variable.default}`"
    return (
        f"| `{variable.name}` | {variable.meaning} | {default if variable.default != '' else ''} |"
    )


def _clouds() -> Iterator[str]:
    yield CLOUD
    yield f"| variable | {' | '.join(CLOUDS)} |"
    yield "|---|" + "---|" * len(CLOUDS)
    for name in next(iter(CLOUDS.values())).settings():
        values = (f"`{cloud.settings()[name]}`" for cloud in CLOUDS.values())
        yield f"| `{name}` | {' | '.join(values)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
