"""`kubectl chatbot why pod/NAME` on a cluster in which nothing of ours is asked for."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import azure_cli
import pytest
from background import running
from chatbot_operator.cli import pod
from chatbot_operator.cli.checks import Mark
from chatbot_operator.cli.reach import Asked, Reach, of_now
from cluster_world import IDENTITIES
from sandbox.azure import settings as fixed
from sandbox.azure.world import role_definition_id
from sandbox.bootstrap import ACCOUNT_ID, OPENAI_USER, SUBSCRIPTION_ID
from sandbox.cluster.webhook import Settings, webhook
from waiting import until

CONFIGURATION = (
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
    "/azure-wi-webhook-mutating-webhook-configuration"
)
USE = "azure.workload.identity/use"
CLIENT_ID = "azure.workload.identity/client-id"
AUDIENCE = "api://AzureADTokenExchange"
LOCK = "providers/Microsoft.Authorization/locks/keep"


@pytest.fixture(scope="module")
def hooked(control_plane, authority, emulator):
    """The webhook of workload identity, for as long as this module's tests last."""

    @asynccontextmanager
    async def start() -> AsyncIterator[None]:
        settings = Settings(tenant=fixed.TENANT, authority_host=f"{emulator.url}/")
        async with control_plane.api() as api, webhook(api, authority, settings):
            yield
            await api.delete(CONFIGURATION)

    with running(start()):
        yield


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

    async def run(self, labels=None, endpoint=None):
        labels = {USE: "true"} if labels is None else labels
        url = endpoint or f"{self.environment['ARM_ENDPOINT']}/contoso/"
        env = [{"name": "AZURE_OPENAI_ENDPOINT", "value": url}]
        container = {"name": "web", "image": "web", "env": env}
        spec = {"serviceAccountName": "web", "containers": [container]}
        body = {"metadata": {"name": "web", "labels": labels}, "spec": spec}
        await self.api.post(f"/api/v1/namespaces/{self.namespace}/pods", body)

    async def why(self, **options):
        given = {"subscription": "", "scope": "", "account": "", "trying": False, **options}
        asked = Asked(kubeconfig=str(self.kubeconfig), namespace=self.namespace)
        async with Reach(asked, self.environment, of_now) as reach:
            return await pod.why("web", argparse.Namespace(**given), reach)


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


async def test_a_sound_pod_is_found_sound_and_its_token_is_exchanged(team):
    await sound(team)

    report = await team.why(trying=True)

    assert report.code == 0, json.dumps(report.document, indent=1)
    assert not marked(report, Mark.WRONG) | marked(report, Mark.UNKNOWN)
    assert check(report, "identity")["facts"]["clientId"] == team.identity["clientId"]
    assert check(report, "token")["facts"]["iss"] == team.issuer
    assert check(report, "exchange")["mark"] == "ok"


async def without_label(team):
    await team.federate()
    await team.assign()
    await team.make_account()
    await team.run(labels={"app": "web"})
    return {"label"}


async def without_annotation(team):
    await team.federate()
    await team.assign()
    await team.make_account(notes={"azure.workload.identity/clientId": "x"})
    await team.run()
    return {"service account"}


async def without_slash(team):
    await sound(team)
    await team.federate(issuer=team.issuer.removesuffix("/"))
    return {"federated credential"}


async def another_subject(team):
    await sound(team)
    await team.federate(subject=f"system:serviceaccount:{team.namespace}:worker")
    return {"federated credential"}


async def another_audience(team):
    await sound(team)
    await team.federate(audiences=["api://AzureADTokenExchangeChina"])
    return {"federated credential"}


async def without_role(team):
    await team.federate()
    await team.make_account()
    await team.run()
    return {"role"}


async def made_before_its_annotation(team):
    await team.federate()
    await team.assign()
    await team.make_account(notes={CLIENT_ID: str(uuid4())})
    await team.run()
    path = f"/api/v1/namespaces/{team.namespace}/serviceaccounts/web"
    notes = {CLIENT_ID: team.identity["clientId"]}
    await team.api.patch(path, {"metadata": {"annotations": notes}})
    return {"injection", "injection/container web"}


async def another_tenant(team):
    await team.federate()
    await team.assign()
    notes = {
        CLIENT_ID: team.identity["clientId"],
        "azure.workload.identity/tenant-id": str(uuid4()),
    }
    await team.make_account(notes=notes)
    await team.run()
    return {"tenant"}


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (without_label, "azure.workload.identity/use"),
        (without_annotation, "azure.workload.identity/clientId"),
        (without_slash, "AADSTS700211"),
        (another_subject, "AADSTS700213"),
        (another_audience, "AADSTS700212"),
        (without_role, "no role lets"),
        (made_before_its_annotation, "does not have what the webhook gives"),
        (another_tenant, "but its identity is of"),
    ],
)
async def test_a_broken_link_is_the_only_one_that_is_wrong(team, broken, words):
    wrong = await broken(team)

    report = await team.why()

    assert (marked(report, Mark.WRONG), report.code) == (wrong, 1), report.document
    assert words in check(report, min(wrong))["found"]


async def test_a_cluster_without_the_webhook_is_told_of(team):
    kept = await team.api.get(CONFIGURATION)
    await team.api.delete(CONFIGURATION)
    try:
        await team.federate()
        await team.make_account()
        await team.run()
        report = await team.why(account=ACCOUNT_ID)
    finally:
        kept["metadata"] = {"name": kept["metadata"]["name"]}
        await team.api.post(CONFIGURATION.rpartition("/")[0], kept)

    assert marked(report, Mark.WRONG) == {"webhook", "role"}
    assert "--enable-workload-identity" in check(report, "webhook")["fix"]
    assert check(report, "injection")["mark"] == "waiting"


async def test_a_closed_network_is_wrong_and_a_lock_only_noted(team, azure_account):
    at = await azure_account()
    await team.federate()
    await team.assign(at)
    await team.make_account()
    await team.run(endpoint=f"{team.environment['ARM_ENDPOINT']}/{at.rsplit('/', 1)[-1]}/openai/v1")
    closed = {"networkAcls": {"defaultAction": "Deny"}, "publicNetworkAccess": "Disabled"}
    await team.azure.done("PATCH", at, {"properties": closed})
    await team.azure.done("PUT", f"{at}/{LOCK}", {"properties": {"level": "CanNotDelete"}})

    report = await team.why()
    await team.azure.done("DELETE", f"{at}/{LOCK}")

    assert marked(report, Mark.WRONG) == {"account", "account/network"}
    locks = next(e for e in check(report, "account")["below"] if e["name"] == "locks")
    assert locks["mark"] == "note"
    assert "CanNotDelete" in locks["found"]


async def test_nobody_signed_in_leaves_what_the_cluster_tells(team, monkeypatch):
    await team.make_account()
    await team.run(labels={})
    monkeypatch.setenv("PATH", "/nowhere")

    report = await team.why()

    assert marked(report, Mark.WRONG) == {"label"}
    assert check(report, "identity")["mark"] == "unknown"
    assert "az login" in check(report, "identity")["commands"]


async def test_an_exchange_that_is_refused_is_explained(team):
    await sound(team)
    await team.federate(subject="system:serviceaccount:other:other")

    report = await team.why(trying=True)

    assert check(report, "exchange")["facts"] == {"code": "AADSTS700213"}
    assert marked(report, Mark.WRONG) == {"federated credential", "exchange"}


async def test_the_fix_of_a_deployments_label_is_what_kubectl_needs(team, kubectl):
    await team.federate()
    await team.assign()
    await team.make_account()
    labels = {"app": "web"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"serviceAccountName": "web", "containers": [{"name": "web", "image": "web"}]},
    }
    body = {
        "metadata": {"name": "web", "labels": {USE: "true"}},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    await team.api.post(f"/apis/apps/v1/namespaces/{team.namespace}/deployments", body)
    path = f"/api/v1/namespaces/{team.namespace}/pods"
    while not (await team.api.get(path))["items"]:
        await asyncio.sleep(0.05)

    before = await team.why()
    (command,) = check(before, "label")["commands"]
    kubectl(*shlex.split(command)[1:])
    while (await team.why()).code != 0:
        await asyncio.sleep(0.05)

    assert "on Deployment web itself, not in its template" in check(before, "label")["found"]


async def test_by_kubectl_it_asks_for_nothing_of_ours(team, control_plane):
    await sound(team)
    await team.federate(issuer=team.issuer.removesuffix("/"))
    programs = Path(sys.executable).parent
    variables = {
        **team.environment,
        "PATH": f"{control_plane.binaries}:{programs}:{os.environ['PATH']}",
        "KUBECONFIG": str(team.kubeconfig),
        "COLUMNS": "100",
    }
    before = control_plane.audit_log.stat().st_size

    process = await asyncio.create_subprocess_exec(
        *("kubectl", "chatbot", "why", "pod/web", "-n", team.namespace),
        env=variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()

    assert process.returncode == 1, errors.decode()
    (command,) = [line for line in out.decode().splitlines() if line.startswith("    az ")]
    assert f"--issuer {team.issuer} --subject {team.subject}" in command
    assert "eyJ" not in (out + errors).decode()
    asked = await asyncio.to_thread(until, partial(requests, control_plane, before), "the log")
    assert not [each for each in asked if "chatbot-operator.dev" in each]


def requests(control_plane, since):
    """What the administrator asked for, once all of it is in the log."""
    with control_plane.audit_log.open("rb") as log:
        log.seek(since)
        events = [json.loads(line) for line in log if b'"username":"admin"' in line]
    asked = [each["requestURI"] for each in events]
    return asked if any("serviceaccounts/web/token" in each for each in asked) else None


async def test_the_command_for_the_credential_mends_it(team, azure, authority, tmp_path):
    await sound(team)
    await team.federate(issuer=team.issuer.removesuffix("/"))
    (command,) = check(await team.why(), "federated credential")["commands"]
    home = tmp_path / "home"
    home.mkdir()
    variables = await asyncio.to_thread(
        azure_cli.logged_in, team.environment["ARM_ENDPOINT"], authority.bundle, home
    )

    await azure_cli.run(variables, *shlex.split(command)[1:])

    assert (await team.why()).code == 0
