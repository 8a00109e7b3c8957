"""Whom an account lets in, and to which deployments."""

from __future__ import annotations

import pytest
from chatbot_operator.errors import Denied, Pending, Stuck
from chatbot_operator.limits import Use
from chatbot_operator.ports import Model, OpenAIAccount
from chatbot_operator.steps.account import _judge, facts
from unit.bodies import ACCOUNT_ID, account, usable

EVERYONE = {"allowedNamespaces": {"all": True}}
FOUND = OpenAIAccount(
    kind="OpenAI",
    location="swedencentral",
    endpoint="https://contoso.openai.azure.com",
    subdomain="contoso",
    provisioning_state="Succeeded",
    models=(Model("mini", "gpt-4o-mini", "1"), Model("big", "gpt-4o", "2")),
)


SAID = {"capacity": 0, "state": "Succeeded", "chat": True}


def refusal(given, namespace="team", labels=None, deployment="gpt-4o"):
    with pytest.raises((Stuck, Pending)) as caught:
        given.permit(Use(namespace, labels or {}, deployment))
    return caught.value


def test_nobody_may_use_an_account_that_names_nobody():
    for allowed in ({}, {"names": []}, {"selector": {"matchLabels": {}}}, {"selector": {}}):
        fault = refusal(account(allowedNamespaces=allowed))
        assert (type(fault), fault.reason) == (Denied, "NamespaceNotAllowed")
    assert refusal(account()).reason == "NamespaceNotAllowed"


def test_a_namespace_is_allowed_by_its_name():
    shared = account(allowedNamespaces={"names": ["team", "other"]})
    shared.permit(Use("team", {}, "gpt-4o"))
    assert refusal(shared, "team2").reason == "NamespaceNotAllowed"
    assert refusal(shared, "tea").reason == "NamespaceNotAllowed"


def test_a_namespace_is_allowed_by_all_of_the_labels_and_only_with_their_values():
    labels = {"chat": "yes", "stage": "live"}
    shared = account(allowedNamespaces={"selector": {"matchLabels": labels}})
    shared.permit(Use("team", {**labels, "more": "x"}, "gpt-4o"))
    for short in ({}, {"chat": "yes"}, {"chat": "no", "stage": "live"}):
        assert refusal(shared, labels=short).reason == "NamespaceNotAllowed"


def test_everybody_is_allowed_when_it_says_so():
    account(**EVERYONE).permit(Use("anything", {}, "gpt-4o"))


def test_only_listed_deployments_may_be_named():
    shared = account(**EVERYONE, deployments=["mini"])
    shared.permit(Use("team", {}, "mini"))
    fault = refusal(shared, deployment="gpt-4o")
    assert (type(fault), fault.reason) == (Denied, "DeploymentNotAllowed")
    assert "mini" in fault.message


def test_a_deployment_must_be_in_the_account():
    fault = refusal(account(**EVERYONE), deployment="gone")
    assert (type(fault), fault.reason) == (Stuck, "DeploymentNotFound")
    assert "gpt-4o, mini" in fault.message


def test_a_deployment_must_answer_chats():
    status = usable()
    status["deployments"] = [{"name": "embed", "chat": False}, {"name": "gpt-4o", "chat": True}]
    fault = refusal(account(**EVERYONE, status=status), deployment="embed")
    assert (type(fault), fault.reason) == (Stuck, "DeploymentNotForChat")
    assert "these do: gpt-4o" in fault.message


def test_who_may_not_use_it_learns_nothing_of_its_state():
    closed = account(status=usable("False", "NoCustomSubdomain"))
    assert refusal(closed).reason == "NamespaceNotAllowed"


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        ({}, Pending, "AccountChecking"),
        ({"observedGeneration": -1}, Pending, "AccountChecking"),
        (usable("Unknown", "AccountProvisioning"), Pending, "AccountChecking"),
        (usable("False", "NoCustomSubdomain"), Stuck, "AccountNotUsable"),
        (usable("False", "NoCustomSubdomain", generation=1), Pending, "AccountChecking"),
    ],
)
def test_an_account_must_have_been_found_usable(status, kind, reason):
    fault = refusal(account(**EVERYONE, status=status))
    assert (type(fault), fault.reason) == (kind, reason)


def test_an_account_that_is_not_usable_says_why():
    fault = refusal(account(**EVERYONE, status=usable("False", "NoCustomSubdomain")))
    assert "As found. (NoCustomSubdomain)" in fault.message


def test_an_account_knows_where_it_is():
    parsed = account(identity={"location": "westeurope", "tags": {"cost": "1"}})
    assert parsed.subscription == ACCOUNT_ID.split("/")[2]
    assert (parsed.resource_group, parsed.azure_name) == ("ai", "contoso")
    assert parsed.endpoint == "https://contoso.openai.azure.com/"
    assert parsed.location == "westeurope"
    assert account().location == "swedencentral"


@pytest.mark.parametrize(
    ("change", "kind", "reason"),
    [
        ({"kind": "FormRecognizer"}, Stuck, "NotOpenAI"),
        ({"provisioning_state": "Creating"}, Pending, "AccountProvisioning"),
        ({"provisioning_state": "Failed"}, Stuck, "AccountNotReady"),
        ({"subdomain": ""}, Stuck, "NoCustomSubdomain"),
    ],
)
def test_an_account_in_azure_may_be_of_no_use(change, kind, reason):
    fields = {name: getattr(FOUND, name) for name in FOUND.__slots__}
    fault = _judge(account(), OpenAIAccount(**{**fields, **change}))
    assert fault is not None
    assert (type(fault), fault.reason) == (kind, reason)


def test_what_azure_says_of_an_account_is_put_down_in_order_with_one_slash():
    assert _judge(account(), FOUND) is None
    assert facts(account(), FOUND) == {
        "endpoint": "https://contoso.openai.azure.com/",
        "location": "swedencentral",
        "deployments": [
            {"name": "big", "model": "gpt-4o", "version": "2", **SAID},
            {"name": "mini", "model": "gpt-4o-mini", "version": "1", **SAID},
        ],
    }
    other = account(endpoint="https://gateway.example/x/")
    assert facts(other, FOUND)["endpoint"] == "https://gateway.example/x/"


def test_no_tag_of_an_account_stands_for_one_of_the_operators():
    given = account(identity={"tags": {"Chatbot-Operator-UID": "mine", "cost": "help"}})
    assert given.identity_tags == {"cost": "help"}
