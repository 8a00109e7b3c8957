"""Azure that does not see yet what was just written: nothing is made twice, nothing is given up."""

from __future__ import annotations

from collections import Counter

import pytest
from chatbot_operator.ports import CHATBOTS, DEPLOYMENTS, EVENTS, PODS
from cluster_world import AT_REST, Operator, chatbot, key, path

IDENTITY = "userAssignedIdentities/cb-[^/]*$"
CREDENTIAL = "federatedIdentityCredentials/cb-"
ASSIGNMENT = "roleAssignments/[-0-9a-f]{36}$"
LAGS = {
    "identity": (IDENTITY, "ResourceNotFound"),
    "credential": (CREDENTIAL, "ResourceNotFound"),
    "credential's identity": (CREDENTIAL, "ParentResourceNotFound"),
    "assignment": (ASSIGNMENT, "RoleAssignmentNotFound"),
}
TIMES = 4


def unseen(method, lag):
    where, code = LAGS[lag]
    return {
        "action": "respond",
        "method": method,
        "path": where,
        "status": 404,
        "code": code,
        "times": TIMES,
    }


async def until_ready(operator, hand, namespace):
    """Passes of operators that have each just started, so that all of them read."""
    for _ in range(40):
        again = await Operator(operator.world, hand).look(key(namespace))
        if again.fault and again.fault.reason in {"PodsStarting", "RollingOut"}:
            await hand.roll_out(namespace, "support")
        elif not again.failed and (again.seconds or 0) >= AT_REST:
            return
    raise AssertionError(f"it does not come to rest: {again}")


async def made(azure, mark, namespace):
    """How many identities and assignments of the namespace were created since."""
    (identity,) = await azure.identities(namespace)
    names = {a["name"] for a in await azure.assignments(identity["principal_id"])}
    created = Counter()
    for write in await azure.writes(mark):
        last = write["path"].rpartition("/")[2]
        if write["method"] == "PUT" and write["status"] == 201:
            created["identity"] += last == identity["name"]
            created["assignment"] += last in names
    return dict(created), len(names)


@pytest.mark.parametrize("lag", LAGS)
async def test_what_was_just_made_and_is_not_seen_yet_is_not_made_twice(
    *, operator, hand, azure, namespace, lag
):
    mark = await azure.mark()
    await azure.fault(**unseen("GET", lag))
    await hand.create(chatbot(namespace))
    await until_ready(operator, hand, namespace)
    created, assigned = await made(azure, mark, namespace)
    assert (created, assigned) == ({"identity": 1, "assignment": 1}, 1)
    assert len((await azure.identity(namespace))["credentials"]) == 1
    assert (await hand.conditions(namespace))["Ready"]["status"] == "True"


@pytest.mark.parametrize("lag", LAGS)
async def test_what_was_written_a_moment_ago_and_is_not_seen_is_no_drift(
    *, operator, hand, azure, settled, lag
):
    before = (await hand.get(CHATBOTS, settled))["status"]["grantedAt"]
    told = await events(hand, settled)
    operator.memory.granted[(await hand.get(CHATBOTS, settled))["metadata"]["uid"]] = None
    await azure.fault(**unseen("GET", lag))
    mark = await azure.mark()
    await operator.settle(key(settled))
    # Azure makes an identity by the same call that finds it.
    assert len(await azure.writes(mark)) == (lag == "identity")
    assert (await hand.get(CHATBOTS, settled))["status"]["grantedAt"] == before
    assert await events(hand, settled) == told


async def events(hand, namespace):
    found = (await hand.api.get(path(EVENTS, namespace)))["items"]
    ours = [e for e in found if e["reportingController"] == "chatbot-operator.dev/operator"]
    return sorted(e["reason"] for e in ours)


@pytest.mark.parametrize("lag", ["credential", "credential's identity", "assignment"])
async def test_a_write_to_what_is_not_seen_yet_is_tried_again(
    *, operator, hand, azure, namespace, lag
):
    await azure.fault(**unseen("PUT", lag))
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    assert (await hand.conditions(namespace))["Ready"]["status"] == "True"
    assert len((await azure.identity(namespace))["credentials"]) == 1


@pytest.mark.parametrize("lag", LAGS)
async def test_what_is_there_and_not_seen_for_a_moment_stays_what_it_is(
    *, operator, hand, azure, settled, clock, lag
):
    before = await azure.identity(settled)
    granted = await azure.assignments(before["principal_id"])
    pods = {p["metadata"]["uid"] for p in (await hand.api.get(path(PODS, settled)))["items"]}
    await azure.fault(**unseen("GET", lag))
    clock.ahead += 2 * operator.world.installation.resync
    await until_ready(operator, hand, settled)
    assert await azure.identity(settled) == before
    after = await azure.assignments(before["principal_id"])
    assert [a["name"] for a in after] == [a["name"] for a in granted]
    left = {p["metadata"]["uid"] for p in (await hand.api.get(path(PODS, settled)))["items"]}
    assert left == pods


async def test_an_identity_made_by_another_hand_gets_new_pods_that_know_it(
    operator, hand, azure, settled, clock
):
    before = await azure.identity(settled)
    old = {p["metadata"]["uid"] for p in (await hand.api.get(path(PODS, settled)))["items"]}
    await azure.done("DELETE", before["id"])
    body = {"location": before["location"], "tags": before["tags"]}
    await azure.done("PUT", before["id"], body)
    clock.ahead += 2 * operator.world.installation.resync
    await operator.settle(key(settled))
    after = await azure.identity(settled)
    assert after["principal_id"] != before["principal_id"]
    (assignment,) = await azure.described(settled)
    assert assignment["principal_id"] == after["principal_id"]
    (container,) = (await hand.get(DEPLOYMENTS, settled))["spec"]["template"]["spec"]["containers"]
    told = {e["name"]: e.get("value") for e in container["env"]}
    assert told["AZURE_PRINCIPAL_ID"] == after["principal_id"]
    running = [
        p["metadata"]["uid"]
        for p in (await hand.api.get(path(PODS, settled)))["items"]
        if "deletionTimestamp" not in p["metadata"]
    ]
    assert not old & set(running)
    assert (await hand.conditions(settled))["Ready"]["status"] == "True"


async def test_a_pod_with_another_identitys_token_is_said(operator, hand, pods, namespace):
    pods.say("WrongPrincipal", "The token is another's.", proven_at=None)
    await hand.create(chatbot(namespace))
    fault = await operator.refused(key(namespace))
    assert fault.reason == "WrongPrincipal"
    ready = (await hand.conditions(namespace))["Ready"]
    assert (ready["status"], ready["reason"]) == ("False", "WrongPrincipal")
    await hand.delete(CHATBOTS, namespace)
