"""`kubectl chatbot doctor` on a cluster that is fit, and on ones that are not, each in one way."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import azure_cli
import pytest
from e2e_talk import ACCOUNT_ID, GROUP, chatbot
from sandbox.azure import settings as fixed
from sandbox.azure.world import SUBSCRIPTION_ID, role_definition_id
from waiting import until

HOME = ("-n", "chatbot-operator")
PROGRAM = Path(sys.executable).parent / "kubectl-chatbot"
CRD = "azureopenaichatbots.chatbot-operator.dev"
WEBHOOK = (
    "mutatingwebhookconfiguration",
    "azure-wi-webhook-mutating-webhook-configuration",
)
OPERATOR = (
    f"{SUBSCRIPTION_ID}/resourceGroups/chatbot-operator"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/chatbot-operator"
)
IDENTITIES = f"{SUBSCRIPTION_ID}/resourceGroups/{fixed.IDENTITY_GROUP}"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
ROLES = "providers/Microsoft.Authorization/roleAssignments"


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    document: dict[str, Any]
    errors: str

    def all(self, node=None):
        node = node or self.document
        yield node
        for each in node.get("below", ()):
            yield from self.all(each)

    def marked(self, mark):
        """The checks that bear a mark themselves, not by what is below them."""
        return [
            each
            for each in self.all()
            if each["mark"] == mark and not any(b["mark"] == mark for b in each.get("below", ()))
        ]


@dataclass(frozen=True, slots=True)
class Person:
    environment: dict[str, str]

    def doctor(self, *more) -> Ended:
        done = self.types(shlex.join((str(PROGRAM), "doctor", "-o", "json", *more)))
        assert done.stdout, done.stderr
        return Ended(done.returncode, json.loads(done.stdout), done.stderr)

    def types(self, command: str):
        return subprocess.run(
            ["bash", "-c", command],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def azure_token(sandbox):
    """What `az account get-access-token` prints for the owner of the subscription."""
    return {"accessToken": sandbox.owner_token(), "expires_on": 4102444800, "tenant": fixed.TENANT}


@pytest.fixture
def person(sandbox, azure_token, tmp_path):
    """Who administers the cluster, and is signed in to Azure as its owner."""
    program = tmp_path / "bin" / "az"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho {shlex.quote(json.dumps(azure_token))}\n")
    program.chmod(0o700)
    return Person(environment(sandbox, tmp_path, program.parent))


def environment(sandbox, home, *before):
    path = (*before, PROGRAM.parent, sandbox.status["path"])
    return {
        "PATH": f"{':'.join(map(str, path))}:/usr/bin:/bin",
        "HOME": str(home),
        "KUBECONFIG": sandbox.status["kubeconfig"],
        "ARM_ENDPOINT": sandbox.status["arm"],
        "EXTRA_CA_FILE": sandbox.status["ca"],
    }


@pytest.fixture(scope="module", autouse=True)
def fleet(sandbox, namespaces):
    """An account, and one chatbot, which works; those that other tests left are taken away."""
    sandbox.kubectl("delete", "chatbots", "--all", "--all-namespaces", "--timeout=60s")
    namespace = namespaces()
    sandbox.kubectl("apply", "-f", "-", body=chatbot(namespace))
    sandbox.wait_ready(namespace, "support")
    yield namespace
    sandbox.kubectl("delete", "chatbot", "support", "-n", namespace, "--timeout=60s")


def settled(person):
    """A doctor that finds nothing any more."""

    def fine():
        ended = person.doctor()
        return ended if ended.code == 0 else None

    return until(fine, "a cluster that is fit")


def test_a_fit_cluster_has_nothing_wrong(person):
    ended = person.doctor()
    assert (ended.code, ended.marked("wrong"), ended.marked("unknown")) == (0, [], [])
    assert ended.document["mark"] == "ok"
    found = {each["name"]: each for each in ended.all()}
    assert found["API server"]["mark"] == "ok"
    assert found["federated credential"]["mark"] == "ok"
    assert found["operator's rights"]["mark"] == "ok"
    assert found["rights in the cluster"]["mark"] == "ok"
    assert found["answers"]["found"] == "a rehearsed pod got its token"
    assert "accessToken" not in json.dumps(ended.document)


def test_as_a_plugin_it_draws_a_tree(person):
    done = person.types("kubectl chatbot doctor --no-azure")
    assert done.returncode == 0
    assert done.stdout.startswith("✔ doctor  nothing is wrong")
    assert "✔ token issuer  https://" in done.stdout
    assert "Azure" not in done.stdout


def patch(what, *operations, where=()):
    return ("patch", *what, *where, "--type=json", "-p", json.dumps(list(operations)))


SCHEMA = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties"
BREAKS = {
    "a field is missing": (
        patch(("crd", CRD), {"op": "remove", "path": f"{SCHEMA}/suspend"}),
        CRD,
        "it lacks properties.spec.properties.suspend",
    ),
    "a field was put in": (
        patch(
            ("crd", CRD), {"op": "add", "path": f"{SCHEMA}/flavour", "value": {"type": "string"}}
        ),
        CRD,
        "it has more, such as properties.spec.properties.flavour",
    ),
    "a right is missing": (
        patch(("clusterrole", "chatbot-operator"), {"op": "remove", "path": "/rules/12"}),
        "rights in the cluster",
        "it may not create events.events.k8s.io",
    ),
    "a right too many": (
        patch(
            ("clusterrole", "chatbot-operator"),
            {
                "op": "add",
                "path": "/rules/-",
                "value": {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
            },
        ),
        "rights in the cluster",
        "it could get secrets: more than it needs",
    ),
    "no client id": (
        (
            *("annotate", "serviceaccount", "chatbot-operator", *HOME),
            "azure.workload.identity/client-id-",
        ),
        "service account",
        "has no annotation azure.workload.identity/client-id",
    ),
    "a setting": (
        ("set", "env", "deployment/chatbot-operator", *HOME, "AZURE_MANAGE=Everything"),
        "settings",
        "AZURE_MANAGE is none of All, FederationOnly, Nothing: 'Everything'",
    ),
    "no pods": (
        ("scale", "deployment/chatbot-operator", "--replicas=0", *HOME),
        "pods",
        "it is scaled to 0",
    ),
}


TOGETHER = (
    ("a field is missing", "a right is missing", "no client id", "a setting"),
    ("a field was put in", "a right too many", "no pods"),
)
"""What breaks different things is broken at once: each is found all the same, and nothing else."""


@pytest.mark.parametrize("broken", TOGETHER, ids=("edited", "widened"))
def test_each_thing_broken_is_one_thing_wrong_and_its_command_mends_it(broken, sandbox, person):
    for each in broken:
        sandbox.kubectl(*BREAKS[each][0])
    ended = person.doctor()
    wrong = {each["name"]: each for each in ended.marked("wrong")}
    assert ended.code == 1
    assert set(wrong) == {BREAKS[each][1] for each in broken}
    for each in broken:
        _, name, words = BREAKS[each]
        assert words in wrong[name]["found"]
    for each in wrong.values():
        for command in each["commands"]:
            assert command.startswith("kubectl ")
            done = person.types(command)
            assert done.returncode == 0, done.stderr
    sandbox.kubectl("rollout", "status", "deployment/chatbot-operator", *HOME, "--timeout=60s")
    assert settled(person).document["mark"] == "ok"


@pytest.fixture
def webhook(sandbox):
    """Edits the registration of the workload identity webhook, until the test ends."""
    before = sandbox.get(*WEBHOOK)["webhooks"]

    def edit(path, value):
        sandbox.kubectl(*patch(WEBHOOK, {"op": "replace", "path": path, "value": value}))

    yield edit
    edit("/webhooks", before)


@pytest.fixture
def accounts(sandbox):
    """Makes account objects, until the test ends."""
    made = []

    def make(name, **spec):
        body = {"apiVersion": GROUP, "kind": "AzureOpenAIAccount", "metadata": {"name": name}}
        sandbox.kubectl("apply", "-f", "-", body=body | {"spec": spec})
        made.append(name)
        until(lambda: sandbox.get("aoai", name).get("status", {}).get("conditions"), "a look")

    yield make
    for name in made:
        sandbox.kubectl("delete", "aoai", name)


@pytest.fixture
def lock(sandbox):
    """A lock on the group of chatbots' identities, until the test ends."""
    at = f"{IDENTITIES}/providers/Microsoft.Authorization/locks/keep"
    assert sandbox.azure("PUT", at, {"properties": {"level": "ReadOnly"}}).status_code == 201
    yield at
    sandbox.azure("DELETE", at)


def test_what_no_kubectl_mends_is_told_apart_as_well(person, webhook, accounts, lock):
    gone, lost = f"gone-{uuid4().hex[:6]}", f"lost-{uuid4().hex[:6]}"
    existing = {"resourceGroup": fixed.IDENTITY_GROUP}
    accounts(gone, accountId=ACCOUNT_ID.replace("contoso", gone), identity=existing)
    webhook("/webhooks/0/rules/0/resources", ["services"])
    both = {"resourceGroup": lost, "existing": [{"name": "chatbot-operator", "id": OPERATOR}]}
    accounts(lost, accountId=ACCOUNT_ID, identity=both)
    ended = person.doctor()

    wrong = {each["name"]: each for each in ended.marked("wrong")}
    own = {f"identities' group {lost}", "rights on identity chatbot-operator"}
    assert set(wrong) == {"asked about pods", "in Azure", "locks", *own}
    assert wrong["in Azure"]["found"] == "AccountNotFound"
    assert wrong["in Azure"]["commands"] == [
        f"az cognitiveservices account show --name {gone} --resource-group openai --query id"
    ]
    assert wrong["locks"]["found"] == "keep (ReadOnly)"
    assert wrong["locks"]["commands"] == [f"az lock delete --ids {lock}"]
    (command,) = wrong[f"identities' group {lost}"]["commands"]
    assert command.startswith(f"az group create --name {lost} --subscription ")


def test_a_webhook_that_does_not_answer(person, webhook):
    webhook("/webhooks/0/clientConfig/url", "https://127.0.0.1:1")
    (wrong,) = person.doctor("--no-azure").marked("wrong")
    assert wrong["name"] == "answers"
    assert "failed calling webhook" in wrong["found"]


@pytest.fixture
def with_az(sandbox, tmp_path):
    """The same person, with the real `az`."""
    variables = azure_cli.logged_in(sandbox.status["arm"], Path(sandbox.status["ca"]), tmp_path)
    own = environment(sandbox, tmp_path)
    return Person(own | variables | {"PATH": f"{variables['PATH']}:{own['PATH']}"})


def test_azs_commands_mend_what_is_wrong_in_azure(sandbox, person, with_az):
    federation = f"{OPERATOR}/federatedIdentityCredentials/cluster"
    was = sandbox.azure("GET", federation).json()["properties"]
    slip = was | {"issuer": was["issuer"].rstrip("/")}
    assert sandbox.azure("PUT", federation, {"properties": slip}).status_code == 200
    principal = sandbox.azure("GET", OPERATOR).json()["properties"]["principalId"]
    for each in sandbox.state()["assignments"]:
        if each["principal_id"] == principal and each["scope"].lower() == ACCOUNT_ID.lower():
            sandbox.azure("DELETE", f"{ACCOUNT_ID}/{ROLES}/{each['name']}")
    owner = {
        "roleDefinitionId": role_definition_id(OWNER),
        "principalId": principal,
        "principalType": "ServicePrincipal",
    }
    sandbox.azure("PUT", f"{IDENTITIES}/{ROLES}/{uuid4()}", {"properties": owner})

    ended = person.doctor()
    wrong = {each["name"]: each for each in ended.marked("wrong")}
    assert set(wrong) == {"federated credential", "operator's rights"}
    assert "it lacks the slash at its end" in json.dumps(wrong["federated credential"])
    found = wrong["operator's rights"]["found"]
    assert "it lacks Microsoft.CognitiveServices/accounts/read on the account" in found
    assert "it could assign roles on the identities' resource group" in found
    for each in wrong.values():
        for command in each["commands"]:
            assert command.startswith("az ")
            done = with_az.types(command)
            assert done.returncode == 0, done.stderr
    mended = settled(with_az)
    assert mended.document["mark"] == "ok"


def test_who_may_only_view_is_told_what_is_not_known(sandbox, person, tmp_path):
    name = f"viewer-{uuid4().hex[:6]}"
    sandbox.kubectl("create", "serviceaccount", name, "-n", "default")
    of = ("--clusterrole=view", f"--serviceaccount=default:{name}")
    sandbox.kubectl("create", "clusterrolebinding", name, *of)
    token = sandbox.kubectl("create", "token", name, "-n", "default").strip()
    config = json.loads(sandbox.kubectl("config", "view", "--raw", "-o", "json"))
    config["users"] = [{"name": "viewer", "user": {"token": token}}]
    config["contexts"][0]["context"]["user"] = "viewer"
    file = tmp_path / "viewer"
    file.write_text(json.dumps(config))
    ended = person.doctor("--no-azure", "--kubeconfig", str(file))
    kinds = "clusterroles,clusterrolebindings,roles,rolebindings"
    sandbox.kubectl("create", "clusterrole", name, "--verb=get,list", f"--resource={kinds}")
    of = (f"--clusterrole={name}", f"--serviceaccount=default:{name}")
    sandbox.kubectl("create", "clusterrolebinding", f"{name}-roles", *of)
    seeing = person.doctor("--no-azure", "--kubeconfig", str(file))
    sandbox.kubectl("delete", "clusterrolebinding", name, f"{name}-roles")
    sandbox.kubectl("delete", "clusterrole", name)
    assert ended.code == 2
    assert ended.marked("wrong") == []
    unknown = {each["name"]: each["found"] for each in ended.marked("unknown")}
    assert unknown["lease"] == "not known: you may not get leases in chatbot-operator"
    assert unknown["rights in the cluster"].startswith(
        "not known: you may not create subjectaccessreviews"
    )
    assert unknown[CRD] == "not known: you may not get customresourcedefinitions"
    found = {each["name"]: each for each in ended.all()}
    assert found["pods"]["mark"] == "ok"
    worked_out = {each["name"]: each for each in seeing.all()}["rights in the cluster"]
    assert worked_out["mark"] == "ok", "from roles and bindings"


def test_signed_out_it_says_az_login(sandbox, tmp_path):
    program = tmp_path / "bin" / "az"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\necho \"ERROR: Please run 'az login' to setup account.\" >&2\nexit 1\n"
    )
    program.chmod(0o700)
    ended = Person(environment(sandbox, tmp_path, program.parent)).doctor()
    assert ended.code == 2
    (unknown,) = ended.marked("unknown")
    assert (unknown["name"], unknown["commands"]) == ("Azure", ["az login"])
    assert ended.marked("wrong") == []


def test_without_a_cluster_it_says_so(tmp_path):
    done = subprocess.run(
        [PROGRAM, "doctor", "--kubeconfig", str(tmp_path / "none")],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "There is no kubeconfig" in done.stderr
