"""Writes the chart of the CRDs from crds/: `make charts`."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
CRDS = ROOT / "crds"
TEMPLATES = ROOT / "deploy/helm/chatbot-operator-crds/templates"

KEEP = "  annotations:\n    helm.sh/resource-policy: keep\n"
"""Helm leaves it when the release goes (https://helm.sh/docs/howto/charts_tips_and_tricks/)."""


def template(crd: str) -> str:
    """Give the template that renders a CRD, to be kept."""
    assert "{{" not in crd, "Helm would take it for its own"
    before, metadata, after = crd.partition("\nmetadata:\n")
    assert metadata
    assert "\n  annotations:" not in crd
    return f"# Written from crds/ by `make charts`.\n{before}{metadata}{KEEP}{after}"


def templates() -> dict[str, str]:
    """Give every template by the name of its file."""
    return {path.name: template(path.read_text("utf-8")) for path in CRDS.glob("*.yaml")}


if __name__ == "__main__":
    for name, text in templates().items():
        (TEMPLATES / name).write_text(text, encoding="utf-8")
