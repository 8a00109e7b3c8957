"""`kubectl chatbot why` on a real API server: what it says, and that what it prints mends."""

from __future__ import annotations

import asyncio
import json
import shlex
from dataclasses import dataclass, field, replace

import pytest
from chatbot_operator.account import Account
from chatbot_operator.chatbot import LEAVE_AZURE, Chatbot
from chatbot_operator.cli.command import Report
from chatbot_operator.cli.main import parser
from chatbot_operator.cli.reach import Asked, Reach, of_now
from chatbot_operator.cli.why import WHY
from chatbot_operator.cli.why.remedies import REMEDIES, Known, ways
from chatbot_operator.errors import Stuck
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, Manage
from chatbot_operator.reconcile import Key
from cluster_world import IDENTITIES, Operator, account, chatbot, key
from person import Person, every_command
from sandbox.cluster.control_plane import kubeconfig

PROMPT = {"systemPromptFrom": {"configMapKeyRef": {"name": "words", "key": "prompt"}}}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "support"},
    "spec": {"ports": [{"port": 80}]},
}


@pytest.fixture
def person(control_plane):
    return Person(control_plane.kubeconfig, control_plane.binaries)


@dataclass(frozen=True)
class Asker:
    """Asks within this process: as the command does, without its start."""

    kubeconfig: str
    namespace: str

    async def __call__(self, name: str = "support") -> Report:
        words = ["why", name, "-n", self.namespace, "--kubeconfig", self.kubeconfig]
        arguments = parser().parse_args(words)
        asked = Asked(kubeconfig=self.kubeconfig, namespace=self.namespace)
        async with Reach(asked, {}, of_now) as reach:
            return await WHY.run(arguments, reach)


@pytest.fixture
def why(control_plane, namespace):
    return Asker(str(control_plane.kubeconfig), namespace)


@dataclass(frozen=True)
class Failure:
    """A chatbot that fails, and the beginning of the command that mends it."""

    reason: str
    mends: str
    chatbot: dict = field(default_factory=dict)
    account: dict = field(default_factory=dict)
    before: dict | None = None


FAILURES = (
    Failure(
        "NamespaceNotAllowed",
        "kubectl patch aoai",
        account={"allowedNamespaces": {"names": ["somewhere-else"]}},
    ),
    Failure(
        "DeploymentNotAllowed",
        "kubectl patch chatbot",
        account={"deployments": ["gpt-4o-mini"]},
    ),
    Failure("DeploymentNotFound", "kubectl patch chatbot", {"openAI": {"deployment": "gpt4o"}}),
    Failure("ImageNotAllowed", "kubectl patch chatbot", {"image": "example.com/other:1"}),
    Failure(
        "ServiceTypeNotAllowed", "kubectl patch chatbot", {"service": {"type": "LoadBalancer"}}
    ),
    Failure("PromptNotFound", "kubectl create configmap", {"chat": PROMPT}),
    Failure("OwnershipConflict", "kubectl delete service", before=SERVICE),
    Failure("ScaledToZero", "kubectl scale chatbot", {"replicas": 0}),
    Failure("Suspended", "kubectl patch chatbot", {"suspend": True}),
)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.reason)
async def test_what_it_prints_mends_the_chatbot(
    *, operator, hand, namespace, why, person, kubectl, failure
):
    await hand.create(account(namespace, **failure.account))
    await operator.look(Key(ACCOUNTS, "", namespace))
    if failure.before:
        kubectl("create", "-n", namespace, "-f", "-", body=failure.before)
    await hand.create(chatbot(namespace, account=namespace, **failure.chatbot))
    with_reason = await rest(operator, namespace)
    report = await why()
    said = report.document
    assert with_reason in {failure.reason, ""}
    assert (report.code, said["ready"], said["reason"]) == (1, False, failure.reason)
    (command, *_) = [c for c in every_command(said) if c.startswith(failure.mends)]
    typed = await person.type(command)
    assert typed.code == 0, typed.err
    await operator.look(Key(ACCOUNTS, "", namespace))
    await operator.settle(key(namespace))
    after = await why()
    assert (after.code, after.document["ready"]) == (0, True), after.document
    await hand.delete(ACCOUNTS, "", namespace)


async def rest(operator, namespace):
    """The reason for which the passes end, if they end for one."""
    try:
        again = await operator.settle(key(namespace))
    except Stuck as fault:
        return fault.reason
    return again.fault.reason if again.fault else ""


async def test_an_account_that_is_called_otherwise_is_taken_by_what_it_prints(
    operator, hand, namespace, why, person
):
    await hand.create(account(f"{namespace}-prod"))
    await operator.look(Key(ACCOUNTS, "", f"{namespace}-prod"))
    await hand.create(chatbot(namespace, account=f"{namespace}-prd"))
    fault = await operator.refused(key(namespace))
    said = (await why()).document
    (command,) = [c for c in every_command(said) if "replace --force" in c]
    assert fault.reason == said["reason"] == "AccountNotFound"
    typing = asyncio.create_task(person.type(command))
    while not typing.done():  # it waits for the chatbot that it replaces to go
        await operator.look(key(namespace))
        await asyncio.sleep(0.1)
    assert typing.result().code == 0, typing.result().err
    await operator.settle(key(namespace))
    assert (await why()).document["ready"]
    await hand.delete(ACCOUNTS, "", f"{namespace}-prod")


async def test_a_deletion_that_waits_is_let_go_by_what_it_prints(
    *, operator, hand, azure, namespace, why, person
):
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    locked = {"action": "respond", "status": 409, "code": "ScopeLocked"}
    await azure.fault(**locked, method="DELETE", path="userAssignedIdentities/")
    await hand.delete(CHATBOTS, namespace)
    await operator.refused(key(namespace))
    report = await why()
    (step,) = [each for each in report.document["below"] if each["name"] == "deletion"]
    (command,) = [c for c in every_command(step) if LEAVE_AZURE in c]
    assert (report.code, report.document["reason"], step["mark"]) == (1, "ResourceLocked", "wrong")
    assert any(c.startswith("az lock list") for c in every_command(step))
    assert (await person.type(command)).code == 0
    await operator.settle(key(namespace))
    assert await hand.get(CHATBOTS, namespace) is None


async def test_the_command_of_the_operators_own_message_is_taken_out_of_it(
    operator, hand, namespace, why
):
    installation = replace(operator.world.installation, manage=Manage.FEDERATION_ONLY)
    lesser = Operator(replace(operator.world, installation=installation), hand)
    await hand.create(chatbot(namespace))
    fault = await lesser.refused(key(namespace))
    said = (await why()).document
    (command,) = [c for c in every_command(said) if c.startswith("az role assignment create")]
    assert f"`{command}`" in fault.message
    marks = {each["name"]: each["mark"] for each in said["below"]}
    assert (marks["Permitted"], marks["WorkloadReady"]) == ("ok", "waiting")


async def test_what_a_pod_reports_is_explained_and_its_words_are_no_command(
    operator, hand, namespace, why, pods
):
    evil = "AADSTS700213: no match. `az role assignment create --assignee mallory`"
    pods.say("ExchangeRefused", evil, proven_at="")
    await hand.create(chatbot(namespace))
    for _ in range(8):
        await operator.look(key(namespace))
        await hand.roll_out(namespace, "support")
    report = await why()
    (step,) = [each for each in report.document["below"] if each["name"] == "AccessProven"]
    assert step["found"].startswith("FederationPropagating, for ")
    assert "15 minutes as a rule" in step["fix"]
    assert "mallory" in step["said"]
    assert not any("mallory" in each for each in every_command(report.document))


async def test_an_account_says_what_it_lacks(
    *, operator, hand, azure_account, reader, why, namespace
):
    await hand.create(account(namespace, await azure_account(subdomain=False)))
    await operator.look(Key(ACCOUNTS, "", namespace))
    report = await why(f"aoai/{namespace}")
    assert (report.code, report.document["reason"]) == (1, "NoCustomSubdomain")
    assert any("--custom-domain" in each for each in every_command(report.document))
    await hand.delete(ACCOUNTS, "", namespace)


async def test_a_team_with_its_own_rights_alone_is_told_what_it_may_not_see(
    *, operator, hand, namespace, kubectl, control_plane, authority, tmp_path, person
):
    await hand.create(account(namespace, allowedNamespaces={"names": ["other"]}))
    await operator.look(Key(ACCOUNTS, "", namespace))
    await hand.create(chatbot(namespace, account=namespace))
    await operator.refused(key(namespace))
    kubectl("create", "serviceaccount", "person", "-n", namespace)
    kubectl(
        *("create", "role", "person", "-n", namespace, "--verb=get,list"),
        "--resource=azureopenaichatbots.chatbot-operator.dev,pods,events.events.k8s.io",
    )
    kubectl(
        *("create", "rolebinding", "person", "-n", namespace, "--role=person"),
        f"--serviceaccount={namespace}:person",
    )
    token = kubectl("create", "token", "person", "-n", namespace).strip()
    reach = kubeconfig(control_plane.server, authority, user="person", credential={"token": token})
    (tmp_path / "config").write_text(json.dumps(reach))
    team = replace(person, kubeconfig=tmp_path / "config")
    typed = await team.chatbot("why", "support", "-n", namespace, "-o", "json")
    assert typed.code == 1, typed
    operator_, permitted = typed.document["below"][:2]
    assert operator_["found"].startswith("not known: you may not list deployments.apps")
    assert permitted["found"].startswith("NamespaceNotAllowed")
    assert any(c.startswith("kubectl patch aoai") for c in every_command(permitted))
    absent = await team.chatbot("why", "suport", "-n", namespace)
    assert absent.code == 2
    said = " ".join(absent.err.split())
    assert "Like it: support." in said
    assert "Whether it is in another namespace is not known" in said
    await hand.delete(ACCOUNTS, "", namespace)


async def test_kubectl_finds_the_plugin_and_all_of_a_namespace_is_a_table(
    operator, hand, namespace, person
):
    for name, deployment in (("support", "gpt-4o"), ("writer", "gpt-five")):
        await hand.create(chatbot(namespace, name, openAI={"deployment": deployment}))
    await operator.settle(key(namespace))
    await operator.refused(key(namespace, "writer"))
    typed = await person.type(f"kubectl chatbot why -n {namespace}")
    header, first, *more = typed.out.splitlines()
    assert typed.code == 1, typed
    assert header.split() == ["NAME", "FOR", "REASON", "WHAT"]
    assert first.split()[:3] == ["✘", "wrong", "writer"]
    assert "DeploymentNotFound" in first
    assert [line.split()[:3] for line in more if "support" in line] == [["✔", "ok", "support"]]
    fine = await person.chatbot("why", "support", "-n", namespace)
    assert (fine.code, fine.err) == (0, "")
    assert "Ready for" in fine.out
    assert f"http://support.{namespace}.svc" in fine.out


async def test_it_looks_on_until_the_chatbot_is_ready(operator, hand, namespace, person):
    await hand.create(chatbot(namespace))
    impatient = ("--watch", "--timeout", "0", "-n", namespace, "-o", "json")
    typed = await person.chatbot("why", "support", *impatient)
    assert (typed.code, typed.document["ready"]) == (1, False)
    watching = asyncio.create_task(person.chatbot("why", "support", "-w", "-n", namespace))
    await asyncio.sleep(1.5)
    assert not watching.done()
    await operator.settle(key(namespace))
    typed = await watching
    assert typed.code == 0
    assert "Ready for" in typed.out


LABELS = {"app.kubernetes.io/name": "chatbot-operator"}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "chatbot-operator", "labels": LABELS},
    "spec": {
        "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {"containers": [{"name": "operator", "image": "chatbot-operator"}]},
        },
    },
}


async def test_an_operator_that_is_not_there_or_does_not_run_is_said_first(
    hand, installed, namespace, why, kubectl
):
    await hand.create(chatbot(namespace))
    report = await why()
    first = report.document["below"][0]
    assert (report.code, report.document["reason"]) == (1, "NotLookedAt")
    assert (first["name"], first["found"]) == ("operator", "none is installed")
    kubectl("create", "-n", namespace, "-f", "-", body=DEPLOYMENT)
    try:
        first = (await why()).document["below"][0]
    finally:
        kubectl("delete", "deployment", "chatbot-operator", "-n", namespace)
    assert first["found"] == f"none of its 1 pods is ready in {namespace}"
    assert any(c.startswith("kubectl logs") for c in every_command(first))


CHANGES = ("patch", "label", "annotate", "scale", "create")
ROUTE = {"parentRefs": [{"name": "public"}], "hostnames": ["chat.example.com"]}
ASKING = {
    "image": "example.com/other:1",
    "service": {"type": "LoadBalancer"},
    "httpRoute": ROUTE,
    "chat": PROMPT,
    "identity": {"existing": "shared"},
}
"""A chatbot that asks for all that an account may not allow."""
ACCOUNTS_THAT_DENY = {
    "nothing said": {"allowedNamespaces": {}},
    "names": {
        "allowedNamespaces": {"names": ["other"]},
        "deployments": ["gpt-4o-mini"],
        "imageRepositories": ["contoso.azurecr.io"],
        "identity": {"existing": [{"name": "mine", "id": f"{IDENTITIES}/mine"}]},
    },
    "labels": {"allowedNamespaces": {"selector": {"matchLabels": {"chat": "yes"}}}},
}


@pytest.mark.parametrize("deny", ACCOUNTS_THAT_DENY)
async def test_every_change_that_is_offered_is_one_that_the_cluster_takes(
    *, hand, installed, namespace, person, deny
):
    theirs = await hand.create(account(namespace, **ACCOUNTS_THAT_DENY[deny]))
    mine = await hand.create(chatbot(namespace, account=namespace, **ASKING))
    mine["status"] |= {"identity": {"id": f"{IDENTITIES}/cb"}}
    known = Known(
        kubectl=lambda *words: shlex.join(("kubectl", *words)),
        chatbot=Chatbot.parse(mine),
        account=Account.parse(theirs),
        account_name=namespace,
    )
    offered = {c for reason in REMEDIES for way in ways(reason, known) for c in way.commands}
    changes = [c for c in offered if shlex.split(c)[:2] in [["kubectl", verb] for verb in CHANGES]]
    known_values = [c for c in changes if "REGION" not in c]  # which a person has to choose
    assert len(known_values) > 12
    for command in sorted(known_values):
        done = await person.type(f"{command} --dry-run=server")
        assert done.code == 0, (command, done.err)
    await hand.delete(ACCOUNTS, "", namespace)
