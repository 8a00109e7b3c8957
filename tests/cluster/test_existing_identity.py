"""Chatbots that run as a managed identity that somebody else made: consent, use, and leaving it."""

from __future__ import annotations

import asyncio
import re
import shlex
from dataclasses import replace

import azure_cli
import existing_identities
import pytest
from azure_bodies import contribute
from chatbot_operator import naming
from chatbot_operator.errors import Denied
from chatbot_operator.ports import (
    ACCOUNTS,
    CHATBOTS,
    DEPLOYMENTS,
    EVENTS,
    SERVICE_ACCOUNTS,
    Manage,
)
from cluster_world import Operator, chatbot, key, path
from existing_identities import assign
from sandbox.cluster.api import ApiError

CLIENT_ID = "azure.workload.identity/client-id"


@pytest.fixture
async def theirs(azure):
    return await existing_identities.make(azure)


@pytest.fixture
async def listing(offer, theirs):
    """An account that lists the identity."""
    return await offer(identity={"existing": [theirs.listed]})


@pytest.fixture
async def sharing(*, operator, hand, namespace, theirs, listing):
    """A chatbot that works as the identity; gives its namespace."""
    await hand.create(chatbot(namespace, account=listing, identity={"existing": theirs.name}))
    await operator.settle(key(namespace))
    return namespace


async def reason_of(hand, namespace, kind, name="support"):
    return (await hand.conditions(namespace, name))[kind]["reason"]


async def denied(operator, clock, key_):
    """Passes until the grace is over and what there was is taken."""
    again = await operator.look(key_)
    assert isinstance(again.fault, Denied), again
    clock.ahead += 301
    await operator.look(key_)


async def reread(operator, clock, key_):
    """A pass when all of Azure is due to be read again."""
    clock.ahead += operator.world.installation.resync + 1
    return await operator.look(key_)


async def test_one_that_the_account_lists(*, operator, hand, azure, sharing, theirs):
    (ours,) = await theirs.ours()
    assert ours["properties"]["subject"] == f"system:serviceaccount:{sharing}:support"
    identity = await azure.done("GET", theirs.id)
    account = await hand.get(SERVICE_ACCOUNTS, sharing)
    assert account["metadata"]["annotations"][CLIENT_ID] == identity["properties"]["clientId"]
    assert identity["tags"] == {"team": "data"}
    assert await azure.identities(sharing) == []
    assert len(await azure.assignments(theirs.principal_id)) == 1
    assert await reason_of(hand, sharing, "Ready") == "Ready"
    status = (await hand.get(CHATBOTS, sharing))["status"]
    assert status["identity"]["id"] == theirs.id
    events = (await hand.api.get(path(EVENTS, sharing)))["items"]
    (told,) = [e["note"] for e in events if e["reason"] == "CredentialWritten"]
    assert re.search(r"\(request [-0-9a-f]+\)", told)
    mark = await azure.mark()
    await Operator(operator.world, hand).settle(key(sharing))
    assert await azure.writes(mark) == []


async def test_what_others_may_do_as_it_is_told(*, hand, sharing):
    found = (await hand.conditions(sharing))["LeastPrivilege"]
    assert (found["status"], found["reason"]) == ("False", "SharedIdentity")
    assert "repo:theirs of https://theirs" in found["message"]
    assert sharing not in found["message"]


async def test_without_consent_nothing_is_given_and_both_ways_are_told(
    *, operator, hand, azure, namespace, offer, theirs
):
    before = await theirs.all()
    account = await offer()
    await hand.create(chatbot(namespace, account=account, identity={"existing": theirs.name}))
    mark = await azure.mark()
    fault = await operator.refused(key(namespace))
    assert (type(fault), fault.reason) == (Denied, "IdentityNotAllowed")
    assert f"spec.identity.existing of AzureOpenAIAccount {account}" in fault.message
    assert "`az tag update --resource-id" in fault.message
    conditions = await hand.conditions(namespace)
    assert conditions["Permitted"]["reason"] == "IdentityNotAllowed"
    assert conditions["Stalled"]["status"] == "True"
    assert await azure.writes(mark) == []
    assert await theirs.all() == before
    assert "identity" not in (await hand.get(CHATBOTS, namespace))["status"]
    assert await hand.children(namespace) == {}


async def test_consent_by_tag_with_the_command_that_it_prints(
    *, operator, hand, azure, clock, namespace, offer, theirs, az
):
    account = await offer()
    await hand.create(chatbot(namespace, account=account, identity={"existing": theirs.name}))
    fault = await operator.refused(key(namespace))
    await follow(az, fault.message)
    await operator.settle(key(namespace))
    assert await reason_of(hand, namespace, "Ready") == "Ready"
    tags = (await azure.done("GET", theirs.id))["tags"]
    assert tags["team"] == "data"
    await theirs.tag(**{"Chatbot-Operator-Allow": tags["chatbot-operator-allow"]})
    await reread(operator, clock, key(namespace))
    assert await reason_of(hand, namespace, "Ready") == "Ready"
    for value in ("", tags["chatbot-operator-allow"].upper(), f"x/{namespace}/support"):
        await theirs.tag(**{"chatbot-operator-allow": value})
        assert (await reread(operator, clock, key(namespace))).fault.reason == "IdentityNotAllowed"


@pytest.fixture(scope="session")
def az(emulator, authority, tmp_path_factory):
    return azure_cli.logged_in(emulator.url, authority.bundle, tmp_path_factory.mktemp("az"))


async def follow(az, message):
    """Run the command that a message prints, as it stands there."""
    (command,) = re.findall(r"`az ([^`]*)`", message)
    await azure_cli.run(az, *shlex.split(command))


async def test_consent_that_is_withdrawn_takes_pods_and_credential_and_comes_back(
    *, operator, hand, azure, clock, sharing, listing, theirs
):
    name = (await theirs.ours())[0]["name"]
    await hand.edit(ACCOUNTS, "", {"spec": {"identity": None}}, listing)
    again = await operator.look(key(sharing))
    assert (again.fault.reason, 290 < again.seconds <= 300) == ("IdentityNotAllowed", True)
    assert len(await theirs.ours()) == 1
    assert (await hand.get(DEPLOYMENTS, sharing))["spec"]["replicas"] == 1
    await theirs.forget(name)
    rest = await theirs.all()
    await theirs.trust(name, f"system:serviceaccount:{sharing}:support", "https://edited")
    clock.ahead += 301
    await operator.look(key(sharing))
    assert await theirs.all() == rest
    assert (await hand.get(DEPLOYMENTS, sharing))["spec"]["replicas"] == 0
    conditions = await hand.conditions(sharing)
    assert conditions["FederationReady"]["reason"] == "Withdrawn"
    assert "keeps its role" in conditions["FederationReady"]["message"]
    assert conditions["Permitted"]["reason"] == "IdentityNotAllowed"
    mark = await azure.mark()
    await operator.look(key(sharing))
    assert await azure.writes(mark) == []
    await hand.edit(ACCOUNTS, "", {"spec": {"identity": {"existing": [theirs.listed]}}}, listing)
    await operator.settle(key(sharing))
    assert await reason_of(hand, sharing, "Ready") == "Ready"
    assert (await hand.get(DEPLOYMENTS, sharing))["spec"]["replicas"] == 1
    assert len(await theirs.ours()) == 1


async def test_a_suspended_one_is_withdrawn_when_the_tag_goes(
    *, operator, hand, clock, namespace, offer, theirs
):
    value = f"{operator.world.installation.cluster}/{namespace}/support"
    await theirs.tag(**{"chatbot-operator-allow": value})
    account = await offer()
    await hand.create(chatbot(namespace, account=account, identity={"existing": theirs.name}))
    await operator.settle(key(namespace))
    await hand.edit(CHATBOTS, namespace, {"spec": {"suspend": True}})
    again = await operator.look(key(namespace))
    assert again.seconds <= 1.1 * operator.world.installation.resync
    await theirs.tag()
    await denied(operator, clock, key(namespace))
    assert await theirs.ours() == []
    assert await reason_of(hand, namespace, "Ready") == "Suspended"


async def test_two_chatbots_share_one_and_one_goes(
    *, operator, hand, azure, sharing, listing, theirs
):
    slow = await azure.http.patch("/_emulator/settings", json={"latency_credential": 0.3})
    assert slow.is_success, slow.text
    names = ["one", "other"]
    for name in names:
        identity = {"existing": theirs.name}
        await hand.create(chatbot(sharing, name, account=listing, identity=identity))
    mark = await azure.mark()
    await asyncio.gather(*(operator.settle(key(sharing, name)) for name in names))
    written = [e["status"] for e in await azure.writes(mark)]
    assert written == [201, 201], "never two at the same time"
    await azure.http.patch("/_emulator/settings", json={"latency_credential": 0.0})
    assert len(await theirs.ours()) == 3
    before = {c["name"]: c for c in await theirs.credentials()}
    await hand.delete(CHATBOTS, sharing, "one")
    await operator.settle(key(sharing, "one"))
    after = {c["name"]: c for c in await theirs.credentials()}
    (gone,) = before.keys() - after.keys()
    assert before[gone]["properties"]["subject"] == f"system:serviceaccount:{sharing}:one"
    assert all(before[name] == each for name, each in after.items())
    await Operator(operator.world, hand).settle(key(sharing))
    assert await reason_of(hand, sharing, "Ready") == "Ready"


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
async def test_a_deletion_leaves_all_that_is_theirs_byte_for_byte(
    *, operator, hand, namespace, theirs, listing, policy
):
    before = await theirs.all()
    spec = {"identity": {"existing": theirs.name}, "deletionPolicy": policy}
    await hand.create(chatbot(namespace, account=listing, **spec))
    await operator.settle(key(namespace))
    assert await theirs.all() != before
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert await hand.get(CHATBOTS, namespace) is None
    assert await theirs.all() == before
    events = (await hand.api.get(path(EVENTS, namespace)))["items"]
    assert "CredentialDeleted" in {e["reason"] for e in events}


@pytest.mark.parametrize("listed", [False, True])
async def test_another_chatbots_identity_is_refused_whoever_lists_it(
    *, operator, hand, azure, settled, offer, listed
):
    identity = await azure.identity(settled)
    entry = {"name": identity["name"], "id": identity["id"]}
    account = await offer(identity={"existing": [entry] if listed else []})
    before = await azure.identity(settled), await azure.assignments(identity["principal_id"])
    wanted = chatbot(settled, "mallory", account=account, identity={"existing": identity["name"]})
    await hand.create(wanted)
    fault = await operator.refused(key(settled, "mallory"))
    assert fault.reason == "OwnershipConflict"
    await hand.delete(CHATBOTS, settled, "mallory")
    await operator.settle(key(settled, "mallory"))
    after = await azure.identity(settled), await azure.assignments(identity["principal_id"])
    assert after == before


async def test_one_that_an_operator_marks_as_its_own_is_withdrawn_when_consent_goes(
    *, operator, hand, clock, sharing, listing, theirs
):
    await theirs.tag(**{"chatbot-operator-owner": "another installation"})
    fault = (await reread(operator, clock, key(sharing))).fault
    assert fault.reason == "OwnershipConflict"
    await hand.edit(ACCOUNTS, "", {"spec": {"identity": None}}, listing)
    await denied(operator, clock, key(sharing))
    assert await theirs.ours() == []


async def test_without_a_role_the_command_is_printed_that_mends_it(
    *, operator, hand, azure, namespace, offer, az
):
    theirs = await existing_identities.make(azure, role=False)
    account = await offer(identity={"existing": [theirs.listed]})
    await hand.create(chatbot(namespace, account=account, identity={"existing": theirs.name}))
    fault = await operator.refused(key(namespace))
    assert fault.reason == "RoleNotAssigned"
    assert await azure.assignments(theirs.principal_id) == []
    assert (await hand.conditions(namespace))["RoleAssigned"]["reason"] == "RoleNotAssigned"
    await follow(az, fault.message)
    await operator.settle(key(namespace))
    assert await reason_of(hand, namespace, "Ready") == "Ready"


async def test_one_that_is_listed_and_not_there(*, operator, hand, namespace, offer, theirs, az):
    entry = {"name": f"{theirs.name}-x", "id": f"{theirs.id}-x"}
    account = await offer(identity={"existing": [entry]})
    await hand.create(chatbot(namespace, account=account, identity={"existing": entry["name"]}))
    fault = await operator.refused(key(namespace))
    assert fault.reason == "IdentityNotThere"
    await follow(az, fault.message)
    assert (await operator.refused(key(namespace))).reason == "RoleNotAssigned"


async def fill(theirs, count):
    for number in range(count - len(await theirs.credentials())):
        await theirs.trust(f"more-{number}", f"repo:{number}")


async def test_the_last_credential_is_told_of_and_none_is_pushed_out(
    *, operator, hand, azure, namespace, theirs, listing
):
    await fill(theirs, 20)
    await hand.create(chatbot(namespace, account=listing, identity={"existing": theirs.name}))
    mark = await azure.mark()
    assert (await operator.refused(key(namespace))).reason == "FederationFull"
    assert await azure.writes(mark) == []
    for name in ("more-1", "more-2"):
        await theirs.forget(name)
    await operator.settle(key(namespace))
    assert len(await theirs.credentials()) == 19
    assert await reason_of(hand, namespace, "Degraded") == "FederationNearlyFull"
    assert await reason_of(hand, namespace, "Ready") == "Ready"


async def test_a_credential_deleted_by_hand_is_put_back(*, operator, hand, clock, sharing, theirs):
    (ours,) = await theirs.ours()
    await theirs.forget(ours["name"])
    await reread(operator, clock, key(sharing))
    assert await theirs.ours() == [ours]
    await theirs.trust(ours["name"], "repo:edited", "https://edited")
    await reread(operator, clock, key(sharing))
    assert await theirs.ours() == [ours]


async def test_an_equal_one_of_somebody_elses_is_used_and_left(
    *, operator, hand, azure, clock, namespace, theirs, listing
):
    issuer = operator.world.installation.issuer
    await theirs.trust("handmade", f"system:serviceaccount:{namespace}:support", issuer)
    before = await theirs.all()
    await hand.create(chatbot(namespace, account=listing, identity={"existing": theirs.name}))
    await operator.settle(key(namespace))
    assert await reason_of(hand, namespace, "Ready") == "Ready"
    assert await theirs.all() == before
    found = (await hand.conditions(namespace))["LeastPrivilege"]
    assert "handmade" not in found["message"]
    await hand.edit(ACCOUNTS, "", {"spec": {"identity": None}}, listing)
    await denied(operator, clock, key(namespace))
    federation = (await hand.conditions(namespace))["FederationReady"]
    assert federation["reason"] == "AccessRemains"
    assert "federated-credential delete --yes --name handmade" in federation["message"]
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert await theirs.all() == before


async def test_an_equal_one_for_another_audience_is_told(
    *, operator, hand, azure, namespace, theirs, listing
):
    body = {
        "issuer": operator.world.installation.issuer,
        "subject": f"system:serviceaccount:{namespace}:support",
        "audiences": ["api://other"],
    }
    at = f"{theirs.id}/federatedIdentityCredentials/handmade"
    await azure.done("PUT", at, {"properties": body})
    await hand.create(chatbot(namespace, account=listing, identity={"existing": theirs.name}))
    mark = await azure.mark()
    assert (await operator.refused(key(namespace))).reason == "OwnershipConflict"
    assert await azure.writes(mark) == []


def managing(operator, manage):
    """The same operator, with another AZURE_MANAGE."""
    installation = replace(operator.world.installation, manage=manage)
    return Operator(replace(operator.world, installation=installation), operator.hand)


async def test_with_federation_only_all_is_the_same(*, operator, hand, namespace, theirs, listing):
    before = await theirs.all()
    operator = managing(operator, Manage.FEDERATION_ONLY)
    await hand.create(chatbot(namespace, account=listing, identity={"existing": theirs.name}))
    await operator.settle(key(namespace))
    assert len(await theirs.ours()) == 1
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert await theirs.all() == before


async def test_where_it_manages_nothing_the_credential_is_others_too(
    *, operator, hand, azure, namespace, theirs, listing, az
):
    before = await theirs.all()
    operator = managing(operator, Manage.NOTHING)
    await hand.create(chatbot(namespace, account=listing, identity={"existing": theirs.name}))
    mark = await azure.mark()
    fault = await operator.refused(key(namespace))
    assert fault.reason == "CredentialNotThere"
    await follow(az, fault.message)
    await operator.settle(key(namespace))
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    operators = (await azure.writes(mark))[1:]
    assert operators == [], "the first is az"
    events = (await hand.api.get(path(EVENTS, namespace)))["items"]
    (told,) = [e["note"] for e in events if e["reason"] == "LeftInAzure"]
    command = told.partition("To delete it: ")[2]
    await azure_cli.run(az, *shlex.split(command)[1:])
    assert await theirs.all() == before


async def forge(hand, namespace, change):
    live = await hand.get(CHATBOTS, namespace)
    change(live["status"])
    patch = [{"op": "replace", "path": "/status", "value": live["status"]}]
    where = f"{path(CHATBOTS, namespace, 'support')}/status"
    await hand.api.patch(where, patch, kind="application/json-patch+json")


@pytest.mark.parametrize("end", ["delete", "withdraw", "go on"])
@pytest.mark.parametrize("forged", ["stolen", "vanished"])
async def test_a_forged_status_hides_nothing_and_touches_nothing_of_others(
    *, operator, hand, azure, clock, sharing, listing, theirs, forged, end
):
    victim = await existing_identities.make(azure)
    subject = f"system:serviceaccount:{sharing}:support"
    issuer = operator.world.installation.issuer
    await victim.trust(naming.credential_name(issuer), subject, issuer)
    before = await victim.all()

    def change(status):
        if forged == "stolen":
            status["identity"] = {"id": victim.id, "principalId": victim.principal_id}
        else:
            status.pop("identity", None)
            status.pop("grantedAt", None)
            status["conditions"] = []

    await forge(hand, sharing, change)
    operator = Operator(operator.world, hand)
    if end == "delete":
        await hand.delete(CHATBOTS, sharing)
        await operator.settle(key(sharing))
        assert await theirs.ours() == []
    elif end == "withdraw":
        await hand.edit(ACCOUNTS, "", {"spec": {"allowedNamespaces": None}}, listing)
        await operator.look(key(sharing))
        clock.ahead += 301
        await operator.look(key(sharing))
        assert await theirs.ours() == []
    else:
        await operator.settle(key(sharing))
        assert (await hand.get(CHATBOTS, sharing))["status"]["identity"]["id"] == theirs.id
        assert len(await theirs.ours()) == 1
    assert await victim.all() == before


async def test_another_id_for_the_name_moves_the_credential(
    *, operator, hand, azure, standing, sharing, listing, theirs
):
    group = theirs.id.replace("chatbot-identities", f"g-{sharing}").rpartition("/providers/")[0]
    await azure.done("PUT", group, {"location": "swedencentral"})
    moved = theirs.id.replace("chatbot-identities", f"g-{sharing}")
    made = await azure.done("PUT", moved, {"location": "swedencentral"})
    other = existing_identities.Theirs(azure, moved, made["properties"]["principalId"])
    await assign(other)
    await hand.edit(ACCOUNTS, "", {"spec": {"identity": {"existing": [other.listed]}}}, listing)
    again = await operator.look(key(sharing))
    assert again.fault.reason == "AzureAccessDenied"
    await contribute(azure, moved, standing.principal_id)
    await operator.settle(key(sharing))
    assert await theirs.ours() == []
    assert len(await other.ours()) == 1
    assert await reason_of(hand, sharing, "Ready") == "Ready"


async def test_a_former_issuers_credential_goes_and_nobody_elses(
    *, operator, hand, clock, namespace, listing, theirs
):
    subject = f"system:serviceaccount:{namespace}:support"
    await theirs.trust(naming.credential_name("https://former/"), subject, "https://older/")
    before = await theirs.all()
    now = operator.world.installation
    former = replace(operator.world, installation=replace(now, issuer="https://former/"))
    await hand.create(chatbot(namespace, account=listing, identity={"existing": theirs.name}))
    await Operator(former, hand).settle(key(namespace))
    await operator.settle(key(namespace))
    assert len(await theirs.credentials()) == 4
    await reread(operator, clock, key(namespace))
    await reread(operator, clock, key(namespace))
    assert {c["properties"]["issuer"] for c in await theirs.credentials()} == {
        *("https://theirs", "https://older/", now.issuer)
    }
    await Operator(former, hand).settle(key(namespace))
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert await theirs.all() == before


async def test_a_finalizer_taken_off_leaves_no_credential_while_an_operator_runs(
    *, operator, hand, sharing, theirs
):
    await hand.edit(CHATBOTS, sharing, {"metadata": {"finalizers": None}})
    await hand.delete(CHATBOTS, sharing)
    await operator.look(key(sharing))
    assert await theirs.ours() == []


SPEC = [
    ({}, {"identity": {"existing": "theirs"}}),
    ({"identity": {}}, {"identity": {"existing": "theirs"}}),
    ({"identity": {"existing": "theirs"}}, {"identity": {"existing": "others"}}),
    ({"identity": {"existing": "theirs"}}, {"identity": {"existing": None}}),
    ({"identity": {"existing": "theirs"}}, {"identity": None}),
]


@pytest.mark.parametrize(("first", "then"), SPEC)
async def test_it_is_neither_added_nor_changed_nor_removed(hand, installed, namespace, first, then):
    await hand.create(chatbot(namespace, **first))
    with pytest.raises(ApiError, match="cannot be added, changed or removed"):
        await hand.edit(CHATBOTS, namespace, {"spec": then})
    await hand.edit(CHATBOTS, namespace, {"spec": {"replicas": 2}})


@pytest.mark.parametrize("name", ["ab", "a/b", "-ab", "a" * 129, "/subscriptions/x"])
async def test_a_chatbot_says_a_name_and_no_scope(hand, installed, namespace, name):
    with pytest.raises(ApiError, match=r"identity\.existing"):
        await hand.create(chatbot(namespace, identity={"existing": name}))


@pytest.mark.parametrize(
    "change", [{"name": "other"}, {"id": "theirs"}, {"id": "/subscriptions/x/theirs"}, {"id": None}]
)
async def test_an_account_lists_a_whole_id_that_ends_in_the_name(hand, offer, theirs, change):
    entry = {key: value for key, value in {**theirs.listed, **change}.items() if value}
    with pytest.raises(ApiError, match=r"identity\.existing"):
        await offer(identity={"existing": [entry]})
