"""`kubectl chatbot why pod/NAME`: the link that is broken is found, on a real API server."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from chatbot_operator.cli.checks import Mark
from sandbox.bootstrap import ACCOUNT_ID
from team_fixtures import CLIENT_ID, CONFIGURATION, check, heard, marked, sound

LOCK = "providers/Microsoft.Authorization/locks/keep"


async def test_a_sound_pod_is_found_sound_and_its_token_is_exchanged(team):
    await sound(team)

    report = await team.why(trying=True)

    assert report.code == 0, json.dumps(report.document, indent=1)
    assert not marked(report, Mark.WRONG) | marked(report, Mark.UNKNOWN)
    assert check(report, "identity")["facts"]["clientId"] == team.identity["clientId"]
    assert check(report, "token")["facts"]["iss"] == team.issuer
    assert check(report, "exchange")["mark"] == "ok"
    assert [each["name"] for each in check(report, "tenant")["below"]] == ["clock"]
    assert "eyJ" not in json.dumps(report.document)


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
    await heard(team.api, there=False)
    try:
        await team.federate()
        await team.make_account()
        await team.run()
        report = await team.why(account=ACCOUNT_ID)
    finally:
        kept["metadata"] = {"name": kept["metadata"]["name"]}
        await team.api.post(CONFIGURATION.rpartition("/")[0], kept)
        await heard(team.api, there=True)

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
