"""Faults, settings, the ledger and the state: the emulator's own API."""

import asyncio
import time

import httpx2
import pytest
from azure.core.exceptions import HttpResponseError
from sandbox.azure import settings as fixed

GROUPS = f"/subscriptions/{fixed.SUBSCRIPTION}/resourceGroups"
IDENTITY = (
    f"{GROUPS}/chatbot-identities/providers/Microsoft.ManagedIdentity"
    "/userAssignedIdentities/support"
)


@pytest.fixture
async def owner(azure):
    return (await azure.token()).json()["access_token"]


async def test_a_fault_answers_so_many_times_and_then_no_more(azure, owner):
    await azure.fault(
        action="respond",
        plane="arm",
        method="GET",
        path="resourcegroups$",
        status=503,
        code="ServerBusy",
        message="Try later.",
        headers={"Retry-After": "7"},
        times=2,
    )

    answers = [await azure.arm("GET", GROUPS, token=owner) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert answers[0].json() == {"error": {"code": "ServerBusy", "message": "Try later."}}


async def test_a_fault_of_resource_manager_bears_the_id_by_which_it_is_in_the_ledger(azure, owner):
    await azure.fault(action="respond", plane="arm", status=403, code="ScopeLocked")

    ids = [(await azure.arm("GET", GROUPS, token=owner)).headers["x-ms-request-id"] for _ in "ab"]

    assert [entry["requestId"] for entry in (await azure.ledger())[-2:]] == ids
    assert len(set(ids)) == 2


async def test_a_fault_concerns_only_what_it_names(azure, owner):
    await azure.fault(action="respond", plane="entra", status=500)
    await azure.fault(action="respond", plane="arm", method="DELETE", status=500)
    await azure.fault(action="respond", plane="arm", path="/nothing/like/this", status=500)

    assert (await azure.arm("GET", GROUPS, token=owner)).status_code == 200
    assert (await azure.token()).status_code == 500


async def test_a_fault_at_entra_has_entras_form(azure):
    await azure.fault(
        action="respond", plane="entra", status=401, code="AADSTS700213", message="No match."
    )

    answer = await azure.token()

    assert answer.status_code == 401
    assert answer.json()["error_codes"] == [700213]
    assert answer.json()["error_description"] == "AADSTS700213: No match."


async def test_a_reset_closes_the_connection_and_nothing_happens(azure, owner):
    await azure.fault(action="reset", plane="arm", method="PUT", times=1)

    with pytest.raises(httpx2.TransportError):
        await azure.arm("PUT", IDENTITY, {"location": "eastus"}, token=owner)

    assert (await azure.state())["identities"] == []
    assert (
        await azure.arm("PUT", IDENTITY, {"location": "eastus"}, token=owner)
    ).status_code == 201


async def test_a_reset_after_applying_loses_only_the_answer(azure, owner):
    await azure.fault(action="apply-then-reset", plane="arm", method="PUT", times=1)

    with pytest.raises(httpx2.TransportError):
        await azure.arm("PUT", IDENTITY, {"location": "eastus"}, token=owner)

    assert [i["name"] for i in (await azure.state())["identities"]] == ["support"]


async def test_the_sdk_sees_a_reset_as_an_error(azure):
    await azure.fault(action="reset", plane="arm")

    with pytest.raises(Exception, match=r"(?i)disconnected|reset|closed"):
        await azure.identity()


async def test_a_delay_comes_before_an_ordinary_answer(azure, owner):
    await azure.fault(action="delay", plane="arm", delay=0.3)

    started = time.monotonic()
    answer = await azure.arm("GET", GROUPS, token=owner)

    assert answer.status_code == 200
    assert time.monotonic() - started >= 0.3


async def test_faults_are_listed_and_called_off(azure, owner):
    first = (await azure.http.post("/_emulator/faults", json={"action": "reset"})).json()["id"]
    await azure.fault(action="respond", status=500, times=5)
    listed = (await azure.http.get("/_emulator/faults")).json()["faults"]
    assert [(f["action"], f["times"]) for f in listed] == [("reset", None), ("respond", 5)]

    await azure.http.delete(f"/_emulator/faults/{first}")
    assert (await azure.arm("GET", GROUPS, token=owner)).status_code == 500
    await azure.http.delete("/_emulator/faults")
    assert (await azure.arm("GET", GROUPS, token=owner)).status_code == 200


@pytest.mark.parametrize(
    "fault",
    [{}, {"action": "explode"}, {"action": "reset", "path": "("}, {"action": "reset", "x": 1}],
)
async def test_a_fault_that_makes_no_sense_is_refused(azure, fault):
    assert (await azure.http.post("/_emulator/faults", json=fault)).status_code == 400


@pytest.mark.parametrize(
    "settings", [{"unknown": 1}, {"latency_read": -1}, {"latency_read": "1"}, {"throttling": 1}]
)
async def test_a_setting_that_makes_no_sense_is_refused(azure, settings):
    before = (await azure.http.get("/_emulator/settings")).json()

    assert (await azure.http.patch("/_emulator/settings", json=settings)).status_code == 400
    assert (await azure.http.get("/_emulator/settings")).json() == before


@pytest.mark.parametrize(
    ("setting", "method", "body"),
    [
        ("latency_read", "GET", None),
        ("latency_identity", "PUT", {"location": "eastus"}),
        ("latency_delete", "DELETE", None),
    ],
)
async def test_latencies_take_their_time(azure, owner, setting, method, body):
    await azure.set(**{setting: 0.3})

    started = time.monotonic()
    await azure.arm(method, IDENTITY, body, token=owner)

    assert time.monotonic() - started >= 0.3


async def test_a_reset_of_the_emulator_restores_the_seed_and_the_settings(azure, owner):
    await azure.identity()
    await azure.set(latency_read=5)
    await azure.fault(action="reset")

    assert (await azure.http.post("/_emulator/reset")).status_code == 204

    state = await azure.state()
    assert state["identities"] == []
    assert [account["name"] for account in state["accounts"]] == ["contoso"]
    assert [d["name"] for d in state["accounts"][0]["deployments"]] == ["gpt-4o", "gpt-4o-mini"]
    assert (await azure.http.get("/_emulator/settings")).json()["latency_read"] == 0
    assert (await azure.arm("GET", GROUPS, token=owner)).status_code == 200


async def test_the_state_shows_identities_with_their_credentials(azure, issuer):
    identity = await azure.identity()
    await azure.federate("support", issuer.url)
    await azure.assign(identity.principal_id)

    state = await azure.state()

    assert state["identities"][0]["client_id"] == identity.client_id
    assert state["identities"][0]["credentials"][0]["issuer"] == issuer.url
    assert identity.principal_id in [a["principal_id"] for a in state["assignments"]]


async def test_the_ledger_tells_who_did_what_and_how_it_ended(azure, issuer):
    identity = await azure.identity()
    with pytest.raises(HttpResponseError):
        await azure.identity(group="nowhere")

    entries = await azure.ledger()

    token, made, refused = entries
    assert [entry["n"] for entry in entries] == list(range(token["n"], token["n"] + 3))
    assert (token["plane"], token["operation"], token["status"]) == ("entra", "token", 200)
    assert token["principal"] == made["principal"] == fixed.OWNER_OBJECT_ID
    assert made["operation"] == "Microsoft.ManagedIdentity/userAssignedIdentities/write"
    assert (made["plane"], made["method"], made["status"]) == ("arm", "PUT", 201)
    assert made["requestId"]
    assert made["duration"] >= 0
    assert (refused["status"], refused["code"]) == (404, "ResourceGroupNotFound")
    assert await azure.ledger(since=made["n"]) == [refused]
    assert identity.principal_id


async def test_the_ledger_keeps_no_secret(azure, owner):
    await azure.arm("PUT", IDENTITY, {"location": "eastus", "tags": {"a": "private"}}, token=owner)

    text = str(await azure.ledger())

    assert fixed.OWNER_SECRET not in text
    assert owner not in text
    assert "private" not in text


@pytest.mark.parametrize("action", ["reset", "apply-then-reset"])
async def test_the_ledger_knows_answers_that_were_never_given(azure, owner, action):
    await azure.fault(action=action, plane="arm", times=1)
    with pytest.raises(httpx2.TransportError):
        await azure.arm("GET", GROUPS, token=owner)

    entry = (await azure.ledger())[-1]

    assert (entry["plane"], entry["status"], entry["code"]) == ("arm", 0, action)


async def test_the_ledger_notes_entras_codes(azure):
    await azure.token(client_id=fixed.OWNER_CLIENT_ID)

    assert (await azure.ledger())[-1]["code"] == "AADSTS7000216"


async def test_many_connections_at_once_are_served(azure, owner):
    answers = await asyncio.gather(
        *(
            azure.arm("PUT", f"{IDENTITY}-{n}", {"location": "eastus"}, token=owner)
            for n in range(50)
        )
    )

    assert {answer.status_code for answer in answers} == {201}
