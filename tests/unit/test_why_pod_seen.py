"""`why pod/NAME`: from the words of Kubernetes and Azure to what was observed."""

from __future__ import annotations

import base64
import datetime as dt
import json

import pytest
from chatbot_operator.cli.pod.asking import unseen
from chatbot_operator.cli.pod.in_azure import (
    answers,
    endpoint_of,
    parse_identity,
    parse_lock,
    parse_role,
    short,
)
from chatbot_operator.cli.pod.observed import HOOK, Container, Hook, Projection, Variable
from chatbot_operator.cli.pod.parsing import (
    maps_of,
    parse_claims,
    parse_hooks,
    parse_owner,
    parse_pod,
    pod_of,
    refused,
)
from chatbot_operator.errors import Refusal, Service
from unit.pod_world import ACCOUNT, GROUP

BODY = {
    "metadata": {
        "name": "web-1",
        "namespace": "team",
        "creationTimestamp": "2026-05-04T12:00:00Z",
    },
    "spec": {
        "initContainers": [{"name": "first", "envFrom": [{"configMapRef": {"name": "all"}}]}],
        "containers": [
            {
                "name": "web",
                "env": [
                    {"name": "A", "value": "a"},
                    {"name": "NONE"},
                    {"name": "M", "valueFrom": {"configMapKeyRef": {"name": "one", "key": "m"}}},
                    {"name": "X", "valueFrom": {"configMapKeyRef": {"name": "gone", "key": "x"}}},
                    {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "s"}}},
                    {"name": "F", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                ],
                "volumeMounts": [{"name": "wi", "mountPath": "/wi/"}],
            }
        ],
        "volumes": [
            {"name": "tmp", "emptyDir": {}},
            {
                "name": "wi",
                "projected": {
                    "sources": [
                        {"configMap": {"name": "ca"}},
                        {"serviceAccountToken": {"path": "t", "audience": "aud"}},
                    ]
                },
            },
        ],
    },
}


def test_a_pod_is_read_with_what_its_config_maps_say():
    pod = parse_pod(BODY, {"all": {"K": "k"}, "one": {"m": "mapped"}})

    assert maps_of(BODY) == {"all", "one", "gone"}
    assert (pod.account, pod.phase, pod.chatbot, pod.leaving) == ("default", "", "", False)
    assert pod.projections == (Projection("wi", "t", "aud", 0),)
    assert pod.containers == (
        Container("first", {"K": Variable("k")}),
        Container(
            "web",
            {
                "A": Variable("a"),
                "NONE": Variable(""),
                "M": Variable("mapped"),
                "X": Variable(None, "ConfigMap gone"),
                "S": Variable(None, "Secret s"),
                "F": Variable(None, "fieldRef"),
            },
            {"wi": "/wi/"},
        ),
    )


def test_a_chatbots_pod_is_known_by_its_labels():
    labels = {
        "app.kubernetes.io/managed-by": "chatbot-operator",
        "app.kubernetes.io/instance": "support",
    }
    body = {**BODY, "metadata": {**BODY["metadata"], "labels": labels}}
    assert parse_pod(body, {}).chatbot == "support"


def test_a_cron_jobs_template_lies_deeper():
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "env": [{"name": "A", "value": "x"}]}]},
    }
    for kind, spec in (
        ("Job", {"template": template}),
        ("CronJob", {"jobTemplate": {"spec": {"template": template}}}),
    ):
        owner = parse_owner({"kind": kind, "metadata": {"name": "n"}, "spec": spec})
        assert owner.template_labels == {"a": "b"}
        assert owner.variables == {"c": frozenset({"A"})}


@pytest.mark.parametrize(
    ("spec", "conditions", "words"),
    [
        ({"replicas": 0}, [], "scaled to 0"),
        ({}, [{"type": "Progressing"}], "not made one yet"),
        ({}, [{"type": "ReplicaFailure", "message": "denied"}], "denied"),
    ],
)
def test_the_pod_that_a_deployment_would_make_is_read(spec, conditions, words):
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c"}]}}
    metadata = {**BODY["metadata"], "name": "web", "labels": {"not": "the pod's"}}
    body = {"metadata": metadata, "spec": {**spec, "template": template}}
    body["status"] = {"conditions": conditions}
    pod = parse_pod(pod_of(body), {})
    assert (pod.name, pod.labels) == ("web", {"a": "b"})
    assert words in refused(body)


def test_only_the_hook_of_workload_identity_is_meant():
    service = {"service": {"namespace": "kube-system", "name": "wi"}}
    hooks = [{"name": "other"}, {"name": HOOK, "clientConfig": service, "failurePolicy": "Ignore"}]
    assert parse_hooks([{"metadata": {"name": "aks"}, "webhooks": hooks}, {"metadata": {}}]) == (
        Hook("aks", "Ignore", {}, {}, ("kube-system", "wi")),
    )


@pytest.mark.parametrize("audience", ["aud", ["aud", "more"]])
def test_claims_are_read_and_the_token_is_not_kept(audience):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"iss": "i", "sub": "s", "aud": audience, "iat": 0, "exp": 600}
    read = parse_claims(f"{part({'kid': 'k'})}.{part(claims)}.signature")

    assert (read.issuer, read.subject, read.audience, read.key) == ("i", "s", "aud", "k")
    assert read.expires == dt.datetime(1970, 1, 1, 0, 10, tzinfo=dt.UTC)
    assert "signature" not in repr(read)


@pytest.mark.parametrize(
    ("variables", "endpoint"),
    [
        ([("URL", "https://x.openai.azure.com/")], "https://x.openai.azure.com/"),
        ([("URL", "https://x.services.ai.azure.com/p")], "https://x.services.ai.azure.com/p"),
        ([("AZURE_OPENAI_ENDPOINT", "https://apim.example/a")], "https://apim.example/a"),
        ([("OPENAI_API_BASE", "https://apim.example/a")], "https://apim.example/a"),
        ([("AZURE_OPENAI_ENDPOINT", "http://x")], ""),
        ([("OTHER", "https://example.com"), ("OPENAI_MODEL", "https://")], ""),
        ([], ""),
    ],
)
def test_the_endpoint_is_found_among_variables(variables, endpoint):
    assert endpoint_of(variables) == endpoint


@pytest.mark.parametrize(
    ("endpoint", "found"),
    [
        ("https://contoso.openai.azure.com/", True),
        ("https://Contoso.openai.azure.com/openai/v1", True),
        ("https://contoso.services.ai.azure.com", True),
        ("https://contoso2.openai.azure.com/", False),
        ("https://contoso.example/", False),
        ("https://emulator:1/contoso/openai/v1/", True),
        ("https://emulator:1/contoso-two/", False),
    ],
)
def test_an_account_is_known_by_where_it_answers(endpoint, found):
    properties = {
        "endpoint": "https://emulator:1/contoso/",
        "endpoints": {"OpenAI": "https://contoso.openai.azure.com/"},
        "customSubDomainName": "contoso",
    }
    assert answers({"properties": properties}, endpoint) is found
    assert not answers({"properties": {"endpoint": None}}, endpoint)


def test_ids_are_short_for_people():
    assert short(ACCOUNT) == "contoso in resource group rg"
    assert short(f"{ACCOUNT}/deployments/gpt") == "gpt in resource group rg"
    assert short(GROUP) == "resource group rg"
    assert short("/subscriptions/s") == "subscription s"
    assert short("/") == "/"


def test_azures_documents_are_read():
    lock = {"name": "keep", "properties": {"level": "ReadOnly"}}
    lock["id"] = f"{GROUP}/providers/Microsoft.Authorization/locks/keep"
    assert parse_lock(lock).scope == GROUP
    role = {"roleName": "R", "permissions": [{"dataActions": ["a"]}, {"notDataActions": ["b"]}]}
    assert parse_role({"properties": role}).data == ("a",)
    ids = {"principalId": "p", "clientId": "c", "tenantId": "t"}
    assert parse_identity({"id": "i", "name": "n", "properties": ids}).client_id == "c"


@pytest.mark.parametrize(
    ("status", "service", "message", "why", "commands"),
    [
        (401, Service.ENTRA, "Azure CLI not found on path", "CLI is not installed", ("az login",)),
        (401, Service.ENTRA, "Please run 'az login'", "nobody is signed in", ("az login",)),
        (401, Service.ARM, "expired", "does not accept your sign-in", ("az login",)),
        (403, Service.ARM, "", "you may not read it", ()),
        (0, Service.ARM, "no route", "was not reached: no route", ()),
        (500, Service.ARM, "sorry", "not known: code sorry", ()),
    ],
)
def test_what_azure_refuses_is_said_with_what_to_do(*, status, service, message, why, commands):
    refusal = Refusal("read", status=status, code="code", message=message, service=service)
    said = unseen(refusal, "read it")
    assert why in said.why
    assert said.commands == commands
