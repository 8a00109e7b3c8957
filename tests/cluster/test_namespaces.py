"""An operator for some namespaces, under the rights of its overlay and no others."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import yaml
from chatbot_operator.ports import ACCOUNTS, CHATBOTS
from cluster_world import account, chatbot
from sandbox.cluster.control_plane import kubeconfig

HOME = "chatbot-operator"
NARROW = "narrow-operator"
ROOT = Path(__file__).parents[2]
OVERLAY = ROOT / "deploy/kustomize/overlays/namespaced"
RIGHTS = {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
SECONDS = 60


def rights(documents):
    return {
        (group, resource, verb)
        for document in documents
        for rule in document.get("rules", ())
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.fixture
def overlay(kubectl):
    return [d for d in yaml.safe_load_all(kubectl("kustomize", str(OVERLAY))) if d]


def test_the_overlay_gives_the_rights_of_the_base_each_where_it_belongs(overlay):
    base = yaml.safe_load_all((ROOT / "deploy/kustomize/base/rbac.yaml").read_text())
    operators = [d for d in overlay if "aggregate" not in str(d["metadata"].get("labels"))]
    assert rights(operators) == rights(base)
    wide = rights(d for d in operators if d["kind"] == "ClusterRole")
    assert {resource for _, resource, _ in wide} == {
        "azureopenaiaccounts",
        "azureopenaiaccounts/status",
        "namespaces",
    }
    (deployment,) = (d for d in overlay if d["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    env = {each["name"]: each.get("value") for each in container["env"]}
    (role,) = (
        d
        for d in overlay
        if d["metadata"]["name"] == "chatbot-operator-chatbots" and d["kind"] == "Role"
    )
    assert env["WATCH_NAMESPACES"] == role["metadata"]["namespace"]


def of_another(document, namespace):
    """A right of the overlay, as another account's, and for the test's namespace."""
    meta = document["metadata"]
    meta["name"] = meta["name"].replace(HOME, NARROW)
    if meta.get("namespace") == "chatbots":
        meta["namespace"] = namespace
        meta["name"] = f"{meta['name']}-{namespace}"
    if "roleRef" in document:
        name = document["roleRef"]["name"].replace(HOME, NARROW)
        in_team = meta.get("namespace") == namespace
        document["roleRef"]["name"] = f"{name}-{namespace}" if in_team else name
        document["subjects"] = [{"kind": "ServiceAccount", "name": NARROW, "namespace": HOME}]
    return document


@pytest.fixture
def narrow(*, overlay, kubectl, control_plane, authority, installed, namespace, tmp_path):
    """A kubeconfig of a service account that has the overlay's rights in one namespace."""
    own = [of_another(d, namespace) for d in overlay if d["kind"] in RIGHTS]
    who = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": NARROW, "namespace": HOME},
    }
    everything = {"apiVersion": "v1", "kind": "List", "items": [who, *own]}
    kubectl("apply", "-f", "-", body=everything)
    token = kubectl("create", "token", NARROW, "-n", HOME).strip()
    reach = kubeconfig(control_plane.server, authority, user=NARROW, credential={"token": token})
    (tmp_path / "narrow").write_text(json.dumps(reach))
    return tmp_path / "narrow"


async def test_it_serves_its_namespace_and_never_asks_for_another(
    *, start, narrow, hand, azure, control_plane, namespace
):
    mark = control_plane.audit_log.stat().st_size
    await hand.api.post("/api/v1/namespaces", {"metadata": {"name": f"{namespace}-other"}})
    await hand.create(account(namespace))
    await hand.create(chatbot(f"{namespace}-other", account=namespace))
    async with start(
        KUBECONFIG=str(narrow), WATCH_NAMESPACES=namespace, POD_NAMESPACE="", RESYNC_SECONDS="3"
    ):
        await hand.create(chatbot(namespace, account=namespace))
        async with asyncio.timeout(SECONDS):
            while not await is_ready(hand, namespace):
                await hand.run_pods(namespace)
                await asyncio.sleep(0.2)
            while (await hand.get(ACCOUNTS, "", namespace))["status"].get("chatbots") != 1:
                await asyncio.sleep(0.2)
            await asyncio.sleep(4)  # a comparison by lists
            await hand.delete(CHATBOTS, namespace)
            while await hand.get(CHATBOTS, namespace):
                await asyncio.sleep(0.2)
    untouched = await hand.get(CHATBOTS, f"{namespace}-other")
    assert "finalizers" not in untouched["metadata"]
    assert untouched.get("status", {}).get("conditions", []) == []
    asked = asked_by(control_plane.audit_log, mark)
    assert [e["requestURI"] for e in asked if e["responseStatus"].get("code") == 403] == []
    assert not [e for e in asked if e["objectRef"].get("namespace") == f"{namespace}-other"]


async def is_ready(hand, namespace):
    condition = (await hand.conditions(namespace)).get("Ready")
    return condition is not None and condition["status"] == "True"


def asked_by(log, mark):
    """What the narrow operator asked of the API server."""
    with log.open("rb") as lines:
        lines.seek(mark)
        events = [json.loads(line) for line in lines if NARROW.encode() in line]
    name = f"system:serviceaccount:{HOME}:{NARROW}"
    return [e for e in events if e["user"]["username"] == name and "objectRef" in e]
