"""The operator's own fixtures: CRDs and the shipped rights on the shared control plane."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def installed(kubectl):
    """CRDs and the operator's rights, as shipped; the Deployment stays away: tests are it."""
    kubectl("apply", "-f", str(ROOT / "crds"))
    base = ROOT / "deploy/kustomize/base"
    kubectl("apply", "-f", str(base / "namespace.yaml"))
    kubectl("apply", "-n", "chatbot-operator", "-f", str(base / "rbac.yaml"))
    kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")


@pytest.fixture
def namespace(kubectl):
    """A namespace of the test's own."""
    name = f"t-{uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    return name
