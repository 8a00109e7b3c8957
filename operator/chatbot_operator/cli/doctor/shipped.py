"""What came with this command, and what a cluster is compared with.

cli/shipped links to it in a checkout and holds it in an installed package.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import yaml

from chatbot_operator.ports import Object

_HERE: Final = Path(__file__).parents[1] / "shipped"

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The same in C, where PyYAML has it: a CRD takes 7 ms, not 90."""

CRDS: Final = (_HERE / "crds").resolve()
BASE: Final = (_HERE / "kustomize/base").resolve()
NAMESPACED: Final = (_HERE / "kustomize/overlays/namespaced").resolve()
CONDITION: Final = (_HERE / "azure/one-role.condition").resolve()
"""Limits the operator's assigning to one role."""


def release() -> str:
    """Give the version of this command."""
    return version("chatbot-operator")


def definitions() -> list[tuple[Path, Object]]:
    """Read the CRDs, each with its file."""
    return [(file, _read(file)[0]) for file in sorted(CRDS.glob("*.yaml"))]


def cluster_rules() -> list[Object]:
    """Read the rules that the operator holds in the whole cluster."""
    return _rules(_read(BASE / "rbac.yaml"), "ClusterRole")


def own_rules() -> list[Object]:
    """Read the rules that it holds in its own namespace."""
    return _rules(_read(BASE / "rbac.yaml"), "Role")


def narrow_cluster_rules() -> list[Object]:
    """Read the rules that remain in the whole cluster where it watches some namespaces."""
    (patch,) = _read(NAMESPACED / "cluster-role.yaml")
    rules: list[Object] = patch[0]["value"]
    return rules


def team_rules() -> list[Object]:
    """Read the rules that it then holds in each of them."""
    return _rules(_read(NAMESPACED / "team/rights.yaml"), "Role")


def event_rules() -> list[Object]:
    """Read those in `default`, where events of an account are told."""
    return _rules(_read(NAMESPACED / "events.yaml"), "Role")


def _rules(documents: list[Any], kind: str) -> list[Object]:
    return [rule for each in documents if each["kind"] == kind for rule in each["rules"]]


def _read(file: Path) -> list[Any]:
    text = file.read_text(encoding="utf-8")
    return [each for each in yaml.load_all(text, Loader=_LOADER) if each]
