"""`kubectl chatbot plan` as a person runs it: what they may not read is said."""

from __future__ import annotations

import asyncio
import json
import shlex
from dataclasses import replace

import azure_cli
import pytest
from chatbot_operator.ports import DEPLOYMENTS, Manage
from cluster_world import Operator, chatbot, key
from person import PLUGIN, Person
from sandbox.azure import settings as fixed
from sandbox.cluster.control_plane import kubeconfig

HOME = "chatbot-operator"


@pytest.fixture
def team(control_plane, authority, kubectl, namespace, tmp_path):
    """A team's kubeconfig: it may do in its namespace what teams do, and nothing elsewhere."""
    kubectl("create", "serviceaccount", "team", "-n", namespace)
    what = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "chatbots", "namespace": namespace},
        "rules": [
            {
                "apiGroups": ["chatbot-operator.dev"],
                "resources": ["azureopenaichatbots"],
                "verbs": ["get", "list", "create", "patch", "delete"],
            }
        ],
    }
    kubectl("apply", "-f", "-", body=what)
    who = f"--serviceaccount={namespace}:team"
    kubectl("create", "rolebinding", "team", "-n", namespace, "--role=chatbots", who)
    kubectl("create", "rolebinding", "edit", "-n", namespace, "--clusterrole=edit", who)
    token = kubectl("create", "token", "team", "-n", namespace).strip()
    config = kubeconfig(
        control_plane.server,
        authority,
        user="team",
        credential={"token": token},
        namespace=namespace,
    )
    file = tmp_path / "team.kubeconfig"
    file.write_text(json.dumps(config))
    signed_out = {"AZURE_CONFIG_DIR": str(tmp_path), "COLUMNS": "300"}
    return Person(file, control_plane.binaries, signed_out)


async def test_a_team_sees_what_it_may_and_what_it_may_not(
    *, operator, team, namespace, audit, azure, tmp_path
):
    mark, ledger = audit.mark(), await azure.mark()
    manifest = chatbot(namespace, replicas=2, chat={"systemPrompt": "Be kind."})
    (tmp_path / "chatbot.yaml").write_text(json.dumps(manifest))
    typed = await team.chatbot("plan", "-f", str(tmp_path / "chatbot.yaml"))
    assert typed.code == 1, typed
    out = " ".join(typed.out.split())
    assert "+ create Deployment support" in out
    assert "+ create managed identity cb-" in out
    assert "You may not get AzureOpenAIAccount contoso" in out
    assert "settings are not known: you may not look for the operator" in out
    assert "Azure is unknown: " in out
    assert "namespace kube-system is not known: you may not get" in out
    assert "you may not get httproutes.gateway.networking.k8s.io" in out
    assert "3 to create, 0 to change, 0 to delete in Azure; 6 to create, 2 to change" in out
    assert "Be kind" not in out
    await asyncio.sleep(0.3)
    asked = audit.writes(mark, user=f"system:serviceaccount:{namespace}:team")
    assert asked, "the API server was asked for dry runs"
    assert all("dryRun=All" in each["requestURI"] for each in asked)
    assert not await azure.writes(ledger)


async def test_a_team_sees_that_nothing_would_be_written(team, settled):
    typed = await team.chatbot("plan", "support")
    assert typed.code == 0, typed
    assert typed.out.splitlines()[-1] == "Nothing would be written by the operator."


@pytest.fixture
async def deployed(hand, standing, emulator):
    """The operator's Deployment as it stands in a cluster, without pods."""
    environment = {
        "CHATBOT_IMAGE": "chatbot",
        "IDENTITY_RESOURCE_GROUP": fixed.IDENTITY_GROUP,
        "AZURE_TENANT_ID": fixed.TENANT,
        "AZURE_CLIENT_ID": standing.client_id,
        "AZURE_FEDERATED_TOKEN_FILE": "/var/run/token",
        "AZURE_MANAGE": "Nothing",
    }
    labels = {"app.kubernetes.io/name": HOME}
    container = {
        "name": "operator",
        "image": "operator:1",
        "env": [{"name": name, "value": value} for name, value in environment.items()],
    }
    body = {
        "apiVersion": DEPLOYMENTS.api_version,
        "kind": DEPLOYMENTS.kind,
        "metadata": {"name": HOME, "namespace": HOME, "labels": labels},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    where = f"/apis/apps/v1/namespaces/{HOME}/deployments"
    await hand.api.post(where, body)
    yield
    await hand.api.delete(f"{where}/{HOME}")


async def test_the_commands_that_somebody_has_to_run_do_it(
    *, operator, hand, deployed, control_plane, emulator, authority, azure, namespace, tmp_path
):
    """As a plugin of kubectl, signed in by `az`, where the operator writes nothing in Azure."""
    signed_in = azure_cli.logged_in(emulator.url, authority.bundle, tmp_path)
    person = Person(
        control_plane.kubeconfig,
        control_plane.binaries,
        {
            **signed_in,
            "PATH": f"{control_plane.binaries}:{PLUGIN.parent}:{signed_in['PATH']}",
            "ARM_ENDPOINT": emulator.url,
            "ARM_SCOPE": f"{fixed.ARM_AUDIENCE}/.default",
            "EXTRA_CA_FILE": str(authority.bundle),
        },
    )
    manifest = shlex.quote(json.dumps(chatbot(namespace)))
    typed = await person.type(f"echo {manifest} | kubectl chatbot plan -o json -f -")
    assert typed.code == 1, typed
    document = typed.document
    no_pods, real_run = document["notes"]
    assert no_pods.startswith("No pod of the operator in namespace chatbot-operator is ready")
    assert real_run.startswith("Only the real run"), "nothing had to be assumed"
    (found,) = document["objects"]
    commands = [write["command"] for write in found["writes"] if "command" in write]
    assert [each.split()[1:3] for each in commands] == [
        ["identity", "create"],
        ["role", "assignment"],
        ["identity", "federated-credential"],
    ]
    await hand.create(chatbot(namespace))
    for command in commands:
        typed = await person.type(command)
        assert typed.code == 0, typed
    mark = await azure.mark()
    installation = replace(operator.world.installation, manage=Manage.NOTHING)
    await Operator(replace(operator.world, installation=installation), hand).settle(key(namespace))
    assert await azure.writes(mark) == []
