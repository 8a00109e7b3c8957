"""What the API server itself refuses, by schema and CEL, and what it fills in."""

from __future__ import annotations

import json
import subprocess

import pytest

GROUP = "chatbot-operator.dev/v1alpha1"
ACCOUNT_ID = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/openai"
    "/providers/Microsoft.CognitiveServices/accounts/contoso"
)


def chatbot(name, namespace, *, chat=None, openai=None, **spec):
    return {
        "apiVersion": GROUP,
        "kind": "AzureOpenAIChatbot",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "openAI": {"account": "contoso", "deployment": "gpt-4o", **(openai or {})},
            **({"chat": chat} if chat else {}),
            **spec,
        },
    }


def account(name, account_id, **spec):
    return {
        "apiVersion": GROUP,
        "kind": "AzureOpenAIAccount",
        "metadata": {"name": name},
        "spec": {"accountId": account_id, **spec},
    }


@pytest.fixture
def apply(control_plane, installed):
    """Applies an object; gives what the API server said when it refused, else nothing."""

    def run(body):
        command = [
            control_plane.binaries / "kubectl",
            "--kubeconfig",
            control_plane.kubeconfig,
            "apply",
            "-f",
            "-",
        ]
        text = json.dumps(body)
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        return done.stderr if done.returncode else ""

    return run


@pytest.mark.parametrize(
    ("account_id", "accepted"),
    [
        (ACCOUNT_ID, True),
        (ACCOUNT_ID.replace("resourceGroups", "resourcegroups"), True),
        ("contoso", False),
        (ACCOUNT_ID.replace("11111111-", ""), False),
        (ACCOUNT_ID + "/deployments/gpt-4o", False),
        (ACCOUNT_ID.replace("CognitiveServices", "Storage"), False),
    ],
)
def test_an_account_id_is_taken_only_when_it_is_one(apply, kubectl, account_id, accepted):
    refusal = apply(account("shape", account_id))
    assert ("spec.accountId" not in refusal) is accepted
    kubectl("delete", "aoai", "shape", "--ignore-not-found")


def test_what_an_account_is_cannot_change(apply, kubectl):
    assert not apply(account("fixed", ACCOUNT_ID))
    other = apply(account("fixed", ACCOUNT_ID.replace("contoso", "fabrikam")))
    assert "accountId cannot change" in other
    kubectl("delete", "aoai", "fixed")


@pytest.mark.parametrize(
    ("repository", "accepted"),
    [
        ("contoso.azurecr.io/chat", True),
        ("localhost:5000", True),
        ("docker.io/team", True),
        ("*", True),
        ("team/chat", False),  # a registry has to be named
        ("contoso.azurecr.io/chat/", False),
        ("contoso.azurecr.io/chat:1", False),
        ("contoso.azurecr.io/*", False),
    ],
)
def test_an_image_repository_names_its_registry_and_no_tag(apply, kubectl, repository, accepted):
    refusal = apply(account("images", ACCOUNT_ID, imageRepositories=[repository]))
    assert ("spec.imageRepositories" not in refusal) is accepted
    kubectl("delete", "aoai", "images", "--ignore-not-found")


@pytest.mark.parametrize("key", ["chatbot-operator-owner", "Chatbot-Operator-Owner"])
def test_an_account_cannot_claim_the_operators_tags(apply, key):
    tags = {"tags": {key: "me"}}
    assert "are the operator's own" in apply(account("tags", ACCOUNT_ID, identity=tags))


@pytest.mark.parametrize(
    "allowed",
    [
        {"names": ["a"], "all": True},
        {"names": ["a"], "selector": {"matchLabels": {"a": "b"}}},
        {"all": True, "selector": {"matchLabels": {"a": "b"}}},
    ],
)
def test_who_may_use_an_account_is_said_in_one_way(apply, allowed):
    refusal = apply(account("allowed", ACCOUNT_ID, allowedNamespaces=allowed))
    assert "give one of names, selector and all" in refusal


def test_a_chatbot_cannot_move_to_another_account(apply, namespace):
    assert not apply(chatbot("support", namespace))
    moved = apply(chatbot("support", namespace, openai={"account": "other"}))
    assert "openAI.account cannot change" in moved


@pytest.mark.parametrize("name", ["a" * 64, "a" * 250, "9lives", "dotted.name"])
def test_a_name_that_no_service_could_bear_is_refused(apply, namespace, name):
    assert "at most 63 lower-case letters" in apply(chatbot(name, namespace))


@pytest.mark.parametrize(
    ("prompt", "accepted"),
    [
        ("You are 🤖 helpful.\n\tAnswer in Français, 日本語 or العربية.", True),
        ("bell \x07", False),
        ("delete \x7f", False),
        ("next line \x85", False),
        ("escape \x1b[31m", False),
        ("x" * 65536, True),
        ("x" * 65537, False),
    ],
    ids=["text", "bell", "delete", "c1", "escape", "longest", "too long"],
)
def test_a_prompt_is_any_text_without_control_characters(apply, namespace, prompt, accepted):
    refusal = apply(chatbot("prompt", namespace, chat={"systemPrompt": prompt}))
    assert ("spec.chat.systemPrompt" not in refusal) is accepted


@pytest.mark.parametrize(
    ("openai", "field"),
    [
        ({"temperature": 2.5}, "temperature"),
        ({"temperature": -1}, "temperature"),
        ({"maxOutputTokens": 0}, "maxOutputTokens"),
        ({"deployment": "no spaces"}, "deployment"),
        ({"apiVersion": "latest"}, "apiVersion"),
        ({"maxOutputTokens": 4096, "contextWindow": 4096}, ""),
    ],
)
def test_settings_have_bounds(apply, namespace, openai, field):
    assert f"spec.openAI.{field}".rstrip(".") in apply(chatbot("bounds", namespace, openai=openai))


@pytest.mark.parametrize(
    "given",
    [
        {"pods": {"env": [{"name": "AZURE_CLIENT_ID", "value": "x"}]}},
        {"pods": {"env": [{"name": "SSL_CERT_FILE", "value": "x"}]}},
        {"pods": {"env": [{"name": "HOST", "value": "x"}]}},
        {"pods": {"env": [{"name": "https_proxy", "value": "x"}]}},
        {"pods": {"labels": {"azure.workload.identity/use": "false"}}},
        {"pods": {"labels": {"app.kubernetes.io/instance": "other"}}},
        {"pods": {"annotations": {"azure.workload.identity/inject-proxy-sidecar": "true"}}},
        {"pods": {"annotations": {"chatbot-operator.dev/template": "x"}}},
        {"serviceAccount": {"annotations": {"azure.workload.identity/client-id": "x"}}},
    ],
    ids=lambda given: str(given)[-60:],
)
def test_what_is_the_operators_own_cannot_be_said_of_pods(apply, namespace, given):
    assert "the operator's own" in apply(chatbot("support", namespace, **given))


@pytest.mark.parametrize(
    "given",
    [
        {
            "pods": {
                "env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
            }
        },
        {"pods": {"env": [{"name": "A B", "value": "x"}]}},
        {"pods": {"volumes": [{"name": "v", "emptyDir": {}}]}},
        {"pods": {"containers": [{"name": "c", "image": "x"}]}},
        {"pods": {"resources": {"limits": {"memory": "lots"}}}},
        {"serviceAccount": {"tokenExpirationSeconds": 3599}},
        {"serviceAccount": {"tokenExpirationSeconds": 86401}},
        {"pods": {"affinity": {"nodeAffinty": {}}}},
        {"pods": {"affinity": {"nodeAffinity": 5}}},
        {"pods": {"labels": {"team": "A & B"}}},
        {"pods": {"nodeSelector": {"pool": "A & B"}}},
        {"pods": {"tolerations": [{"operator": "Exists", "value": "x"}]}},
        {"pods": {"tolerations": [{"effect": "NoSchedule", "tolerationSeconds": 9}]}},
        {"pods": {"priorityClassName": "Very High"}},
        {"autoscaling": {"minReplicas": 3, "maxReplicas": 2}},
    ],
    ids=lambda given: str(given)[-60:],
)
def test_pods_take_no_more_than_the_schema_knows(apply, namespace, given):
    assert apply(chatbot("support", namespace, **given))


def test_the_schema_fills_in_every_default(apply, kubectl, namespace):
    assert not apply(chatbot("plain", namespace))
    made = json.loads(kubectl("get", "chatbot", "plain", "-n", namespace, "-o", "json"))
    assert made["spec"] == {
        "openAI": {"account": "contoso", "deployment": "gpt-4o"},
        "chat": {"title": "Chatbot"},
        "replicas": 1,
        "service": {"type": "ClusterIP", "port": 80},
        "networkPolicy": {"enabled": True, "egress": {"enabled": False}},
        "deletionPolicy": "Delete",
        "suspend": False,
    }
    assert made["status"]["observedGeneration"] == -1


@pytest.mark.parametrize(
    ("resources", "enough"),
    [
        ({}, True),
        ({"requests": {"cpu": "1"}}, True),
        ({"limits": {"cpu": "1"}}, True),
        ({"requests": {"memory": "1Gi"}}, False),
        ({"limits": {"memory": "1Gi"}, "requests": {}}, False),
    ],
)
def test_autoscaling_needs_a_request_for_cpu_to_go_by(apply, namespace, resources, enough):
    scaled = {"autoscaling": {"maxReplicas": 3}, "pods": {"resources": resources}}
    refusal = apply(chatbot("support", namespace, **scaled))
    assert ("give pods.resources.requests.cpu" not in refusal) is enough


def test_an_unknown_field_is_an_error_to_who_types_it(apply, namespace):
    assert 'unknown field "spec.openAi"' in apply(chatbot("typo", namespace, openAi={}))


PROXY = {"user": "X-User", "trustedPeers": ["10.244.0.0/16"]}
TOKEN = {"audiences": ["api://bot"]}
PARENTS = [{"name": "public"}]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"service": {"annotations": {"chatbot-operator.dev/intent": "x"}}}, "service"),
        ({"ingress": {}}, "ingress.host"),
        ({"ingress": {"host": "*.example.com"}}, "ingress.host"),
        ({"ingress": {"host": "Chat.example.com"}}, "ingress.host"),
        ({"ingress": {"host": "a.example", "path": "chat"}}, "ingress.path"),
        ({"ingress": {"host": "a.example", "path": "/?x"}}, "ingress.path"),
        ({"ingress": {"host": "a.b", "annotations": {"chatbot-operator.dev/x": ""}}}, "ingress"),
        ({"httpRoute": {"parentRefs": PARENTS, "hostnames": []}}, "httpRoute.hostnames"),
        ({"httpRoute": {"parentRefs": PARENTS, "hostnames": ["*.a.b"]}}, "httpRoute.hostnames"),
        ({"httpRoute": {"parentRefs": [], "hostnames": ["a.b"]}}, "httpRoute.parentRefs"),
        ({"networkPolicy": {"fromNamespaces": ["Team"]}}, "networkPolicy.fromNamespaces"),
        ({"access": {"proxyHeaders": {**PROXY, "user": "X User"}}}, "access.proxyHeaders.user"),
        ({"access": {"proxyHeaders": {**PROXY, "trustedPeers": []}}}, "access.proxyHeaders"),
        ({"access": {"proxyHeaders": {**PROXY, "trustedPeers": ["10.0.0.1"]}}}, "trustedPeers"),
        ({"access": {"proxyHeaders": {"user": "X-User"}}}, "access.proxyHeaders.trustedPeers"),
        ({"access": {}}, "exactly one of proxyHeaders and entraToken"),
        ({"access": {"proxyHeaders": PROXY, "entraToken": TOKEN}}, "exactly one of"),
        ({"access": {"entraToken": {}}}, "access.entraToken.audiences"),
        ({"access": {"entraToken": {"audiences": []}}}, "access.entraToken.audiences"),
        ({"access": {"entraToken": {"audiences": ["a,b"]}}}, "access.entraToken.audiences"),
        ({"access": {"entraToken": {**TOKEN, "header": "X Token"}}}, "access.entraToken.header"),
        ({"access": {"entraToken": {**TOKEN, "tenantId": "common"}}}, "access.entraToken.tenantId"),
        ({"access": {"entraToken": {**TOKEN, "groups": []}}}, "access.entraToken.groups"),
        ({"access": {"entraToken": {**TOKEN, "groups": ["All"]}}}, "access.entraToken.groups"),
        ({"access": {"entraToken": {**TOKEN, "trustedPeers": ["10.0.0.1"]}}}, "trustedPeers"),
    ],
)
def test_how_a_chatbot_is_reached_has_bounds(apply, namespace, spec, field):
    assert field in apply(chatbot("reached", namespace, **spec))
