"""What an account's status tells of it in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from chatbot_operator import ports
from chatbot_operator.errors import Refusal
from chatbot_operator.ports import Model, Network, OpenAIAccount, PrivateEndpoint
from chatbot_operator.reconcile import Key, Memory, reconcile
from chatbot_operator.steps.preflight import findings, reachable
from unit.bodies import ACCOUNT_ID, account
from unit.small_world import SmallWorld

TODAY = dt.date(2026, 1, 31)
GOOD = OpenAIAccount(
    kind="OpenAI",
    location="swedencentral",
    endpoint="https://contoso.openai.azure.com/",
    subdomain="contoso",
    provisioning_state="Succeeded",
    models=(Model("gpt-4o", "gpt-4o", "2024-08-06", capacity=50),),
)
APPROVED = PrivateEndpoint("hub", "Approved")


def told(found, **spec):
    return {(f.severity, f.type): f.message for f in findings(account(**spec), found, TODAY)}


def with_model(**change):
    return replace(GOOD, models=(replace(GOOD.models[0], **change),))


def test_of_a_good_account_nothing_is_told():
    assert told(GOOD) == {}
    assert (reachable(GOOD).status, reachable(GOOD).reason) == ("True", "Open")


def test_keys_that_open_it_are_told_with_how_to_turn_them_off():
    found = told(replace(GOOD, keys=True))
    assert f"--ids {ACCOUNT_ID}" in found["Warning", "KeyAccess"]


@pytest.mark.parametrize(
    ("network", "status", "reason", "words"),
    [
        (Network(everywhere=False), "False", "NetworkClosed", "answers from nowhere"),
        (Network(public=False), "False", "NetworkClosed", "answers from nowhere"),
        (Network(public=False, everywhere=False, rules=3), "False", "NetworkClosed", "nowhere"),
        (
            Network(public=False, endpoints=(PrivateEndpoint("hub", "Pending"),)),
            "False",
            "NetworkClosed",
            "nowhere",
        ),
        (Network(everywhere=False, rules=2), "Unknown", "NetworkRestricted", "networks of 2 rules"),
        (Network(public=False, endpoints=(APPROVED,)), "Unknown", "NetworkRestricted", "hub"),
        (Network(endpoints=(APPROVED,)), "True", "Open", "everywhere"),
    ],
)
def test_what_the_network_lets_in(network, status, reason, words):
    found = replace(GOOD, network=network)
    condition = reachable(found)
    assert (condition.status, condition.reason) == (status, reason)
    assert words in condition.message
    severity = {"False": "Error", "Unknown": "Warning"}
    if status in severity:
        assert told(found)[severity[status], reason] == condition.message


def test_a_private_endpoint_that_waits_for_approval_is_told():
    network = Network(endpoints=(PrivateEndpoint("hub", "Pending"), APPROVED))
    found = told(replace(GOOD, network=network))
    assert list(found) == [("Warning", "PrivateEndpointNotApproved")]
    assert "hub is Pending" in found["Warning", "PrivateEndpointNotApproved"]


def test_a_deployment_that_the_account_object_names_and_azure_does_not_have_is_told():
    found = told(GOOD, deployments=["gpt-4o", "gpt-5"])
    assert "names gpt-5" in found["Warning", "DeploymentMissing"]


def test_a_deployment_that_azure_has_not_finished_is_told():
    found = told(with_model(state="Failed"))
    assert found["Warning", "DeploymentNotReady"] == "Deployment gpt-4o is Failed."


@pytest.mark.parametrize(
    ("retires", "expected"),
    [
        ("2026-12-31", None),
        ("2026-05-02", None),
        ("2026-05-01", ("Warning", "ModelRetiring")),
        ("2026-02-01", ("Warning", "ModelRetiring")),
        ("2026-01-31", ("Error", "ModelRetired")),
    ],
)
def test_the_end_of_a_model_is_told_three_months_before(retires, expected):
    found = told(with_model(retires=retires))
    assert list(found) == ([expected] if expected else [])
    assert all(retires in message for message in found.values())


async def looked_at(small, memory=None):
    key = Key(ports.ACCOUNTS, "", "contoso")
    again = await reconcile(small.world, key, memory=memory or Memory())
    return again, small.cluster.objects["azureopenaiaccounts", "", "contoso"]["status"]


def conditions(status):
    found = {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}
    return {kind: said for kind, said in found.items() if kind != "RightsFit"}


async def test_what_bars_an_account_stands_before_what_else_is_found():
    small = SmallWorld()
    small.azure.found = replace(GOOD, subdomain="", keys=True)
    _, status = await looked_at(small)
    assert conditions(status)["Usable"] == ("False", "NoCustomSubdomain")
    assert [f["type"] for f in status["findings"]] == ["NoCustomSubdomain", "KeyAccess"]


async def test_a_closed_network_is_a_condition_of_its_own_and_bars_nothing():
    small = SmallWorld()
    small.azure.found = replace(GOOD, network=Network(public=False))
    _, status = await looked_at(small)
    assert conditions(status) == {
        "Usable": ("True", "Usable"),
        "Reachable": ("False", "NetworkClosed"),
    }


@pytest.mark.parametrize(
    ("restorable", "reason"),
    [(True, "AccountSoftDeleted"), (False, "AccountNotFound"), (None, "AccountNotFound")],
)
async def test_an_account_that_was_deleted_softly_can_be_restored(restorable, reason):
    small = SmallWorld()
    small.azure.restorable = restorable
    _, status = await looked_at(small)
    assert conditions(status) == {"Usable": ("False", reason)}
    assert [f["type"] for f in status["findings"]] == [reason]
    recover = "az cognitiveservices account recover --name contoso --resource-group ai"
    assert (recover in status["findings"][0]["message"]) is (reason == "AccountSoftDeleted")


async def test_findings_are_no_longer_and_no_more_than_the_schema_takes():
    small = SmallWorld()
    endpoints = tuple(PrivateEndpoint(f"{n}{'x' * 80}", "Approved") for n in range(100))
    models = tuple(Model(f"m{n}", "x", "1", state="Failed") for n in range(100))
    network = Network(public=False, endpoints=endpoints)
    small.azure.found = replace(GOOD, network=network, models=models)
    _, status = await looked_at(small)
    assert len(status["findings"]) == 64
    assert max(len(f["message"]) for f in status["findings"]) <= 2048


async def test_where_an_account_was_is_not_guessed():
    small = SmallWorld()
    account_body = small.cluster.objects["azureopenaiaccounts", "", "contoso"]
    account_body["status"] = {"observedGeneration": -1}
    small.azure.restorable = True
    _, status = await looked_at(small)
    assert conditions(status) == {"Usable": ("False", "AccountNotFound")}


async def test_where_azure_says_nothing_what_was_found_stays():
    small = SmallWorld()
    small.azure.found = replace(GOOD, keys=True)
    _, before = await looked_at(small)
    small.azure.unreadable = Refusal("read account", status=503, code="", message="", reading=True)
    again, after = await looked_at(small)
    assert again.failed
    assert after == before


async def test_looking_again_changes_nothing():
    small = SmallWorld()
    small.azure.found = replace(GOOD, keys=True, models=(*GOOD.models, Model("a", "x", "1")))
    _, before = await looked_at(small)
    small.now += dt.timedelta(days=1)
    _, after = await looked_at(small)
    assert after == before
    assert [d["name"] for d in after["deployments"]] == ["a", "gpt-4o"]
    assert after["deployments"][1]["capacity"] == 50
