"""Puts the operator and the samples into the sandbox's cluster, from the files that users apply."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import yaml

from sandbox.cluster.control_plane import ControlPlane

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "deploy/samples"
BASE = ROOT / "deploy/kustomize/base"
CHATBOTS = "/apis/chatbot-operator.dev/v1alpha1/azureopenaichatbots"

PROOF_DELAY_SECONDS = 5
"""A credential of the emulator can be used at once; five seconds show how the chatbot waits."""
PROOF_RECHECK_SECONDS = 10
"""A person who takes a role away wants to see what happens."""


class KubectlError(RuntimeError):
    """kubectl refused; the message is its own."""


async def kubectl(plane: ControlPlane, *arguments: str) -> str:
    """Run kubectl as the cluster's administrator, and give what it prints."""
    process = await asyncio.create_subprocess_exec(
        plane.binaries / "kubectl",
        f"--kubeconfig={plane.kubeconfig}",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, error = await process.communicate()
    if process.returncode:
        raise KubectlError(error.decode().strip())
    return output.decode()


async def install(plane: ControlPlane, directory: Path, *, client_id: str, arm: str) -> None:
    """Apply the CRDs and the shipped manifests, through an overlay such as users write."""
    overlay = directory / "operator"
    overlay.mkdir(parents=True, exist_ok=True)
    written = yaml.safe_dump(_overlay(overlay, client_id, arm), sort_keys=False)
    (overlay / "kustomization.yaml").write_text(written)
    await kubectl(plane, "apply", "--filename", str(ROOT / "crds"))
    await kubectl(plane, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    await kubectl(plane, "apply", "--kustomize", str(overlay))
    await kubectl(
        plane,
        "--namespace=chatbot-operator",
        "rollout",
        "status",
        "deployment/chatbot-operator",
        "--timeout=120s",
    )


async def apply_samples(plane: ControlPlane) -> None:
    """Apply the two sample chatbots, their account and their namespace."""
    for name in ("namespace", "account", "support", "writer"):
        await kubectl(plane, "apply", "--filename", str(SAMPLES / f"{name}.yaml"))


def _overlay(overlay: Path, client_id: str, arm: str) -> dict[str, object]:
    env = [
        {"name": "ARM_ENDPOINT", "value": arm},
        {"name": "PROOF_DELAY_SECONDS", "value": str(PROOF_DELAY_SECONDS)},
        {"name": "PROOF_RECHECK_SECONDS", "value": str(PROOF_RECHECK_SECONDS)},
    ]
    client = "/metadata/annotations/azure.workload.identity~1client-id"
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(BASE, overlay.resolve())],
        "patches": [
            {
                "target": {"kind": "ServiceAccount", "name": "chatbot-operator"},
                "patch": yaml.safe_dump([{"op": "replace", "path": client, "value": client_id}]),
            },
            {
                "target": {"kind": "Deployment", "name": "chatbot-operator"},
                "patch": yaml.safe_dump(
                    [
                        {"op": "add", "path": "/spec/template/spec/containers/0/env/-", "value": e}
                        for e in env
                    ]
                ),
            },
        ],
    }
