"""A person who plans, and what the operator then really writes, told in the same words."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatbot_operator.cli.plan.asked import Asked
from chatbot_operator.cli.plan.planning import plan
from chatbot_operator.cli.plan.told import Outlook, Plan
from chatbot_operator.cli.plan.writes import Side, Verb, Write
from chatbot_operator.cli.reach import Reach
from cluster_records import Audit, Mark, arm_kind
from cluster_world import AzureHand
from sandbox.azure import settings as fixed

SETTINGS = (
    "CHATBOT_IMAGE=chatbot",
    f"IDENTITY_RESOURCE_GROUP={fixed.IDENTITY_GROUP}",
    f"AZURE_TENANT_ID={fixed.TENANT}",
)
"""Those of the operator that tests/cluster runs."""

KINDS = {
    "AzureOpenAIChatbot": "azureopenaichatbots",
    "ServiceAccount": "serviceaccounts",
    "ConfigMap": "configmaps",
    "NetworkPolicy": "networkpolicies",
    "Deployment": "deployments",
    "Service": "services",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "HorizontalPodAutoscaler": "horizontalpodautoscalers",
    "Ingress": "ingresses",
    "HTTPRoute": "httproutes",
    "managed identity": "userAssignedIdentities",
    "federated credential": "federatedIdentityCredentials",
    "role assignment": "roleAssignments",
}
VERBS = {200: Verb.CHANGE, 201: Verb.CREATE}

Told = tuple[str, str, str]
"""Verb, kind and name of a write."""


@dataclass
class Planner:
    """Somebody who plans, by a way of their own to the cluster and to Azure."""

    reach: Reach
    file: Path

    async def plan(self, *manifests: Any, names=(), deleted=(), settings=SETTINGS) -> Plan:
        files = ()
        if manifests:
            self.file.write_text("\n---\n".join(map(json.dumps, manifests)))
            files = (str(self.file),)
        return await plan(self.reach, Asked(names, files, deleted, "", settings))


def of(plan: Plan, name: str) -> Outlook:
    """What is said of one object."""
    (found,) = [each for each in plan.outlooks if each.name == name]
    return found


def told(writes: list[Write], side: Side) -> list[Told]:
    """The operator's planned writes on one side, in their order."""
    here = [w for w in writes if w.side is side and not w.command]
    return [(str(w.verb), KINDS[w.kind], _name(KINDS[w.kind], w.name)) for w in here]


def _name(kind: str, name: str) -> str:
    """The names of assignments follow from ids that a new identity has not yet."""
    return "" if kind == "roleAssignments" else name


@dataclass
class Witness:
    """What was written since it was made, by the API server's audit and the emulator's ledger."""

    audit: Audit
    azure: AzureHand
    log: Mark
    ledger: int

    async def cluster(self, namespace: str) -> Counter[Told]:
        await asyncio.sleep(0.3)  # the audit log lags behind
        return Counter(
            (
                "delete" if e["verb"] == "delete" else str(VERBS[e["responseStatus"]["code"]]),
                e["objectRef"]["resource"],
                e["objectRef"]["name"],
            )
            for e in self.audit.writes(self.log, namespace)
            if e["objectRef"]["resource"] != "events"
            and "subresource" not in e["objectRef"]
            and e["responseStatus"]["code"] < 300
        )

    async def in_azure(self) -> list[Told]:
        return [
            (
                _arm_verb(e),
                arm_kind(e["path"]),
                _name(arm_kind(e["path"]), e["path"].rpartition("/")[2]),
            )
            for e in await self.azure.writes(self.ledger)
        ]


def _arm_verb(entry: Any) -> str:
    if entry["method"] == "DELETE":
        return "delete"
    return "change" if entry["method"] == "PATCH" else str(VERBS[entry["status"]])


async def witness(audit: Audit, azure: AzureHand) -> Witness:
    return Witness(audit, azure, audit.mark(), await azure.mark())


async def same(plan: Plan, seen: Witness, namespace: str) -> None:
    """See that what was planned is what was written, no more and no less."""
    planned = [write for each in plan.outlooks for write in each.writes]
    assert Counter(told(planned, Side.CLUSTER)) == await seen.cluster(namespace)
    expected, found = told(planned, Side.AZURE), await seen.in_azure()
    assert sorted(expected) == sorted(found)
    assert [w for w in expected if w[1] != "roleAssignments"] == [
        w for w in found if w[1] != "roleAssignments"
    ], "role and credential are written at the same time, all else in this order"
