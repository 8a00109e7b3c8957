"""A team with a pod of its own making, on a cluster with the webhook of workload identity."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from background import running
from chatbot_operator.cli import pod
from chatbot_operator.cli.reach import Asked, Reach, of_now
from cluster_world import IDENTITIES
from sandbox.azure import settings as fixed
from sandbox.azure.world import role_definition_id
from sandbox.bootstrap import ACCOUNT_ID, OPENAI_USER, SUBSCRIPTION_ID
from sandbox.cluster.api import ApiError
from sandbox.cluster.webhook import Settings, webhook

CONFIGURATION = (
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
    "/azure-wi-webhook-mutating-webhook-configuration"
)
USE = "azure.workload.identity/use"
CLIENT_ID = "azure.workload.identity/client-id"
AUDIENCE = "api://AzureADTokenExchange"


@pytest.fixture(scope="module")
def hooked(control_plane, authority, emulator):
    """The webhook of workload identity, for as long as this module's tests last."""

    @asynccontextmanager
    async def start() -> AsyncIterator[None]:
        settings = Settings(tenant=fixed.TENANT, authority_host=f"{emulator.url}/")
        async with control_plane.api() as api, webhook(api, authority, settings):
            await heard(api, there=True)
            yield
            await api.delete(CONFIGURATION)
            await heard(api, there=False)

    with running(start()):
        yield


async def heard(api, *, there):
    """Wait until the API server asks the webhook about pods, or no longer does."""
    container = {"name": "web", "image": "web"}
    body = {
        "metadata": {"name": "heard", "labels": {USE: "true"}},
        "spec": {"serviceAccountName": "default", "containers": [container]},
    }
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(ApiError):  # the service account is being made
                made = await api.post("/api/v1/namespaces/default/pods?dryRun=All", body)
                if ("env" in made["spec"]["containers"][0]) is there:
                    return
            await asyncio.sleep(0.05)


@pytest.fixture
async def signed_in(azure, tmp_path, monkeypatch):
    """An `az` in which the owner of the subscription is signed in."""
    await azure.arm("GET", SUBSCRIPTION_ID)
    token = {"accessToken": azure.token, "expires_on": 4102444800, "tenant": fixed.TENANT}
    program = tmp_path / "bin" / "az"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho {shlex.quote(json.dumps(token))}\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


@dataclass
class Team:
    """A team's namespace, its identity in Azure, and how to ask why."""

    namespace: str
    api: Any
    azure: Any
    environment: dict[str, str]
    kubeconfig: Path
    issuer: str
    identity: dict[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> str:
        return f"{IDENTITIES}/{self.namespace}"

    @property
    def subject(self) -> str:
        return f"system:serviceaccount:{self.namespace}:web"

    async def make_identity(self):
        made = await self.azure.done("PUT", self.at, {"location": "eastus"})
        self.identity = made["properties"]

    async def federate(self, **other):
        said = {"issuer": self.issuer, "subject": self.subject, "audiences": [AUDIENCE]}
        where = f"{self.at}/federatedIdentityCredentials/cluster"
        await self.azure.done("PUT", where, {"properties": said | other})

    async def assign(self, scope=ACCOUNT_ID):
        properties = {
            "roleDefinitionId": role_definition_id(OPENAI_USER),
            "principalId": self.identity["principalId"],
            "principalType": "ServicePrincipal",
        }
        where = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
        await self.azure.done("PUT", where, {"properties": properties})

    async def make_account(self, **annotations):
        notes = annotations.get("notes", {CLIENT_ID: self.identity["clientId"]})
        metadata = {"name": "web", "annotations": notes}
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts"
        await self.api.post(path, {"metadata": metadata})

    async def run(self, labels=None, endpoint=None, **variables):
        labels = {USE: "true"} if labels is None else labels
        url = endpoint or f"{self.environment['ARM_ENDPOINT']}/contoso/"
        said = {"AZURE_OPENAI_ENDPOINT": url, **variables}
        env = [{"name": name, "value": value} for name, value in said.items()]
        container = {"name": "web", "image": "web", "env": env}
        spec = {"serviceAccountName": "web", "containers": [container]}
        body = {"metadata": {"name": "web", "labels": labels}, "spec": spec}
        await self.api.post(f"/api/v1/namespaces/{self.namespace}/pods", body)

    async def deploy(self, labels, **metadata):
        """Make a Deployment, itself with the label, whose pods have these."""
        container = {"name": "web", "image": "web"}
        template = {
            "metadata": {"labels": labels},
            "spec": {"serviceAccountName": "web", "containers": [container]},
        }
        body = {
            "metadata": {"name": "web", "labels": {USE: "true"}, **metadata},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template},
        }
        await self.api.post(f"/apis/apps/v1/namespaces/{self.namespace}/deployments", body)

    async def why(self, *, name="web", kubeconfig=None, **options):
        given = {
            "subscription": "",
            "scope": "",
            "account": "",
            "identity": "",
            "trying": False,
            **options,
        }
        asked = Asked(kubeconfig=str(kubeconfig or self.kubeconfig), namespace=self.namespace)
        async with Reach(asked, self.environment, of_now) as reach:
            return await pod.why(name, argparse.Namespace(**given), reach)


@pytest.fixture
async def team(*, hooked, signed_in, namespace, control_plane, azure, authority):
    """A team whose identity, service account and role are as they should be; it has no pod yet."""
    url = str(azure.http.base_url).rstrip("/")
    environment = {
        "ARM_ENDPOINT": url,
        "AZURE_AUTHORITY_HOST": url,
        "EXTRA_CA_FILE": str(authority.bundle),
    }
    async with control_plane.api() as api:
        path, issuer = control_plane.kubeconfig, control_plane.issuer
        team = Team(namespace, api, azure, environment, path, issuer)
        await team.make_identity()
        yield team


async def sound(team):
    await team.federate()
    await team.assign()
    await team.make_account()
    await team.run()


def marked(report, mark):
    """Names of the checks of a mark, the parts of a tree by their path."""

    def found(check, path):
        for each in check.get("below", ()):
            here = f"{path}/{each['name']}".removeprefix("/")
            yield from found(each, here)
            if each["mark"] == mark:
                yield here

    return set(found(report.document, ""))


def check(report, name):
    return next(each for each in report.document["below"] if each["name"] == name)
