"""`kubectl chatbot why pod/NAME`: as people ask it, with the rights that they have."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
from functools import partial
from pathlib import Path
from uuid import uuid4

import azure_cli
import pytest
from chatbot_operator.cli.checks import Mark
from chatbot_operator.cli.command import UnansweredError
from sandbox.azure import settings as fixed
from sandbox.bootstrap import ACCOUNT_ID
from sandbox.cluster.control_plane import kubeconfig
from team_fixtures import CLIENT_ID, USE, check, marked, sound
from waiting import until


async def test_who_may_only_read_pods_is_told_which_rights_lack(
    *, team, kubectl, control_plane, authority, tmp_path
):
    await sound(team)
    namespace = ("-n", team.namespace)
    kubectl("create", "serviceaccount", "reader", *namespace)
    kubectl("create", "role", "pods", "--verb=get,list", "--resource=pods", *namespace)
    reader = f"--serviceaccount={team.namespace}:reader"
    kubectl("create", "rolebinding", "pods", "--role=pods", reader, *namespace)
    token = kubectl("create", "token", "reader", *namespace).strip()
    server, path = control_plane.server, tmp_path / "reader"
    reach = kubeconfig(server, authority, user="reader", credential={"token": token})
    path.write_text(json.dumps(reach))

    report = await team.why(kubeconfig=path, trying=True)

    assert report.code == 2
    assert not marked(report, Mark.WRONG)
    unknown = {name: check(report, name)["fix"] for name in ("service account", "webhook")}
    assert f"get serviceaccounts in {team.namespace}" in unknown["service account"]
    assert "list mutatingwebhookconfigurations" in unknown["webhook"]
    # Service accounts may read who issues their tokens, so only the token itself is not to be had.
    assert "worked out" in check(report, "token")["found"]
    assert check(report, "federated credential")["mark"] == "ok"
    assert check(report, "exchange")["mark"] == "unknown"


async def test_a_pod_that_is_not_there_is_told_with_those_that_are(team):
    await team.make_account()
    await team.run()
    with pytest.raises(UnansweredError, match=r"no pod api in namespace .*; there are web\."):
        await team.why(name="api")


async def test_a_host_that_a_pod_names_is_not_asked_where_it_is_not_entras(team):
    await team.make_account()
    await team.run(AZURE_AUTHORITY_HOST="https://127.0.0.1:1/?do=")
    report = await team.why(trying=True)
    for name in ("tenant", "exchange"):
        found = check(report, name)
        assert (found["mark"], "is no address of Entra" in found["found"]) == ("unknown", True)


@pytest.mark.parametrize(
    "options", [{"account": "contoso"}, {"scope": "contoso"}, {"identity": "web"}]
)
async def test_an_id_that_is_none_is_refused(team, options):
    with pytest.raises(UnansweredError, match="wants the id"):
        await team.why(**options)


async def test_a_subscription_is_named_and_must_be_there(team):
    await sound(team)
    for name in (fixed.SUBSCRIPTION, fixed.SUBSCRIPTION_NAME):
        assert (await team.why(subscription=name)).code == 0
    with pytest.raises(UnansweredError, match="no subscription Other; you can read Sandbox"):
        await team.why(subscription="Other")


async def test_an_identity_that_was_made_again_is_found_by_its_name(team, kubectl):
    await sound(team)
    await team.azure.done("DELETE", team.at)
    await team.make_identity()
    await team.federate()
    await team.assign()

    unnamed = await team.why()
    named = await team.why(identity=team.at)
    kubectl(*shlex.split(check(named, "identity")["commands"][0])[1:])
    mended = await team.why()

    assert check(unnamed, "identity")["mark"] == "unknown"
    assert marked(named, Mark.WRONG) == {"identity"}
    assert marked(mended, Mark.WRONG) == {"injection", "injection/container web"}


async def test_an_identitys_id_instead_of_its_client_id_is_as_good_as_its_name(team, kubectl):
    await team.federate()
    await team.assign()
    await team.make_account(notes={CLIENT_ID: team.at})
    await team.run()

    report = await team.why()

    assert marked(report, Mark.WRONG) == {"service account"}
    assert team.identity["clientId"] in check(report, "service account")["commands"][0]


async def test_a_role_is_looked_for_where_the_person_says(team):
    await sound(team)
    group = ACCOUNT_ID.partition("/providers")[0]
    assert check(await team.why(scope=group, account=ACCOUNT_ID), "role")["mark"] == "ok"


async def test_a_deployment_that_gets_no_pod_is_told_why(team, azure):
    await team.federate()
    await team.assign()
    expiration = "azure.workload.identity/service-account-token-expiration"
    await team.make_account(notes={CLIENT_ID: team.identity["clientId"], expiration: "60"})
    await team.deploy({"app": "web", USE: "true"})
    async with asyncio.timeout(20):
        while "denied the request" not in check(await team.why(), "pod")["found"]:
            await asyncio.sleep(0.05)

    report = await team.why()

    assert marked(report, Mark.WRONG) == {"service account"}
    assert "3600 to 86400 seconds" in check(report, "service account")["found"]


async def test_what_somebody_elses_operator_makes_is_mended_there(team):
    await team.make_account()
    app = {"apiVersion": "example.dev/v1", "kind": "App", "name": "shop", "uid": str(uuid4())}
    await team.deploy({"app": "web"}, ownerReferences=[{**app, "controller": True}])

    report = await team.why()

    assert check(report, "pod")["found"].startswith(("Pending", "there is none"))
    assert check(report, "label")["fix"].startswith("Have App shop put it into the template")
    assert "commands" not in check(report, "label")


async def test_the_fix_of_a_deployments_label_is_what_kubectl_needs(team, kubectl):
    await team.federate()
    await team.assign()
    await team.make_account()
    await team.deploy({"app": "web"})
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
