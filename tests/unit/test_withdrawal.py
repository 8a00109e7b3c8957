"""Permission taken back: the grace, the brake, and what the status says of either."""

from __future__ import annotations

import copy
import datetime as dt

import pytest
from chatbot_operator import ports
from chatbot_operator.account import Account
from chatbot_operator.errors import DENIALS, Denied, Refusal
from chatbot_operator.limits import Use
from chatbot_operator.ports import Assignment
from chatbot_operator.reconcile.withdrawal import HELD, count, denial, too_many
from chatbot_operator.status import stamp
from hypothesis import given
from hypothesis import strategies as st
from unit.bodies import ACCOUNT_ID, INSTALLATION, account_body, chatbot, chatbot_body
from unit.small_world import NOON, SmallWorld

GRACE = INSTALLATION.withdrawal_grace
ACCOUNT = ("azureopenaiaccounts", "", "contoso")


def deny(world):
    world.cluster.objects[ACCOUNT]["spec"]["allowedNamespaces"] = {}


def permit(world):
    world.cluster.objects[ACCOUNT]["spec"]["allowedNamespaces"] = {"all": True}


async def working(**spec):
    world = SmallWorld(**spec)
    await world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    return world


async def withdrawn(**spec):
    world = await working(**spec)
    deny(world)
    await world.look()
    await world.look(after=GRACE)
    return world


def written(world):
    """What Azure was asked to change in the last pass."""
    return [what for what in world.azure.asked if " " in what]


async def test_within_the_grace_nothing_is_taken_and_nothing_is_given():
    world = await working()
    deny(world)
    before = copy.deepcopy(world.deployment)
    for after, left in ((0, GRACE), (100, GRACE - 100), (GRACE - 101, 1)):
        again = await world.look(after=after)
        assert (again.failed, again.seconds) == (False, left)
        assert world.condition("Permitted") == ("False", "NamespaceNotAllowed")
        assert not written(world)
    assert world.deployment == before


async def test_after_the_grace_pods_and_role_go_and_identity_and_credential_stay():
    world = await withdrawn()
    assert world.deployment["spec"]["replicas"] == 0
    assert world.azure.assigned == {}
    assert len(world.azure.held) == len(world.azure.trusted) == 1
    assert world.condition("RoleAssigned") == ("False", "Withdrawn")
    assert world.condition("Ready") == ("False", "NamespaceNotAllowed")
    assert world.condition("Stalled") == ("True", "NamespaceNotAllowed")
    assert "provenAt" not in world.chatbot["status"]
    assert world.chatbot["status"]["pods"] == "0/1"
    assert [n.reason for n in world.cluster.told][-2:] == ["Withdrawn", "RoleWithdrawn"]


async def test_what_is_withdrawn_rests():
    world = await withdrawn()
    before = copy.deepcopy(world.cluster.objects)
    again = await world.look(after=3600)
    assert not written(world)
    assert world.cluster.objects == before
    assert not again.failed
    assert again.seconds > 3000


async def test_pods_scaled_up_by_hand_after_a_withdrawal_go_again():
    world = await withdrawn()
    world.deployment["spec"]["replicas"] = 2
    await world.look(after=1)
    assert world.deployment["spec"]["replicas"] == 0


async def test_a_new_permission_puts_everything_back_and_has_it_proven_again():
    world = await withdrawn(replicas=3)
    told = len(world.cluster.told)
    permit(world)
    await world.look(after=10)
    assert world.deployment["spec"]["replicas"] == 1, "one pod tries first"
    await world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    assert world.deployment["spec"]["replicas"] == 3
    assert len(world.azure.assigned) == 1
    reasons = [n.reason for n in world.cluster.told[told:]]
    assert reasons == ["RoleAssigned", "Ready"], "nobody edited anything"


async def test_a_permission_that_is_back_within_the_grace_changes_nothing():
    world = await working()
    deny(world)
    await world.look()
    permit(world)
    await world.look(after=GRACE + 1)
    assert not written(world)
    assert world.condition("Ready") == ("True", "Ready")
    deny(world)
    assert (await world.look(after=1)).seconds == GRACE, "the grace begins anew"


async def test_an_account_object_that_is_gone_withdraws():
    world = await working()
    del world.cluster.objects[ACCOUNT]
    await world.look()
    await world.look(after=GRACE)
    assert world.azure.assigned == {}
    assert world.condition("RoleAssigned") == ("False", "Withdrawn")


async def test_a_suspended_chatbot_is_withdrawn_too_and_comes_back_only_when_it_goes_on():
    world = await working()
    world.chatbot["spec"]["suspend"] = True
    deny(world)
    await world.look()
    assert world.condition("Permitted") == ("False", "NamespaceNotAllowed")
    await world.look(after=GRACE)
    assert world.deployment["spec"]["replicas"] == 0
    assert world.azure.assigned == {}
    assert world.condition("Ready") == ("Unknown", "Suspended")
    assert world.condition("RoleAssigned") == ("False", "Withdrawn")
    before = copy.deepcopy(world.chatbot)
    await world.look(after=1)
    assert world.chatbot == before
    permit(world)
    await world.look(after=1)
    assert world.condition("Permitted") == ("True", "Allowed")
    assert not written(world)
    world.chatbot["spec"]["suspend"] = False
    await world.settle()
    assert world.condition("Ready") == ("True", "Ready")


@pytest.mark.parametrize("reason", ["AccountNotUsable", "DeploymentNotFound", "AccountChecking"])
async def test_what_is_wrong_with_the_account_withdraws_nothing(reason):
    world = await working()
    status = world.cluster.objects[ACCOUNT]["status"]
    if reason == "DeploymentNotFound":
        status["deployments"] = []
    elif reason == "AccountChecking":
        status["conditions"] = []
    else:
        status["conditions"][0]["status"] = "False"
    for _ in range(3):
        await world.look(after=GRACE)
        assert world.condition("Permitted")[1] == reason
        assert not written(world)
    assert world.deployment["spec"]["replicas"] == 1
    deny(world)
    await world.look(after=GRACE)
    assert len(world.azure.assigned) == 1, "its grace has only begun"
    await world.look(after=GRACE)
    assert world.azure.assigned == {}


async def test_a_forged_time_of_the_denial_buys_none():
    world = await working()
    deny(world)
    await world.look()
    for condition in world.chatbot["status"]["conditions"]:
        condition["lastTransitionTime"] = "2099-01-01T00:00:00Z"
    await world.look(after=GRACE)
    assert world.azure.assigned == {}


async def test_an_emptied_status_hides_nothing_from_a_withdrawal():
    world = await working()
    deny(world)
    await world.look()
    world.chatbot["status"] = {"observedGeneration": -1}
    await world.look(after=GRACE)
    assert world.azure.assigned == {}
    assert world.deployment["spec"]["replicas"] == 0


async def test_the_denial_that_a_new_process_finds_written_counts():
    world = await working()
    deny(world)
    await world.look()
    world.restart()
    await world.look(after=GRACE)
    assert world.azure.assigned == {}


def test_the_first_look_never_withdraws():
    found = denial(chatbot(), SmallWorld().memory, NOON)
    assert found.first
    assert found.since == NOON


@pytest.mark.parametrize(
    "scope", [ACCOUNT_ID, ACCOUNT_ID.partition("/providers")[0]], ids=["account", "group"]
)
async def test_what_others_have_assigned_remains_and_is_named(scope):
    world = await working()
    ((_, ours),) = world.azure.assigned.items()
    theirs = Assignment("theirs", scope, ours.principal_id, ours.role_definition_id, "")
    world.azure.assigned[ACCOUNT_ID, "theirs"] = theirs
    deny(world)
    await world.look()
    await world.look(after=GRACE)
    assert list(world.azure.assigned.values()) == [theirs]
    assert world.condition("RoleAssigned") == ("False", "AccessRemains")
    message = next(
        c["message"] for c in world.chatbot["status"]["conditions"] if scope in c["message"]
    )
    assert f"theirs on {scope}" in message


async def test_what_azure_refuses_to_take_away_is_said_and_tried_again():
    world = await working()
    deny(world)
    await world.look()
    world.azure.unwritable = Refusal("call", status=403, code="AuthorizationFailed", message="no")
    again = await world.look(after=GRACE)
    assert again.failed
    assert world.deployment["spec"]["replicas"] == 0
    assert world.condition("RoleAssigned") == ("False", "AzureAccessDenied")
    world.azure.unwritable = None
    await world.look(after=60)
    assert world.condition("RoleAssigned") == ("False", "Withdrawn")


def others(world, number, *, denied):
    """Put more chatbots that hold a role into the cluster."""
    reason = {"status": "False", "reason": "NamespaceNotAllowed"} if denied else {"status": "True"}
    for i in range(number):
        body = chatbot_body()
        body["metadata"] |= {"name": f"o-{denied}-{i}", "uid": f"{denied}-{i}"}
        condition = {"type": "Permitted", "reason": "Allowed", "message": "", **reason}
        condition["lastTransitionTime"] = stamp(NOON)
        body["status"] |= {"grantedAt": {"role": stamp(NOON)}, "conditions": [condition]}
        world.cluster.objects[ports.CHATBOTS.plural, "team", body["metadata"]["name"]] = body


async def test_many_at_once_keep_what_they_have_until_somebody_confirms():
    world = await working()
    others(world, 5, denied=True)
    others(world, 20, denied=False)
    deny(world)
    await world.look()
    again = await world.look(after=GRACE)
    assert again.failed
    assert world.condition("Permitted") == world.condition("Ready") == ("False", HELD)
    message = world.chatbot["status"]["conditions"][0]["message"]
    assert "6 of the 26" in message
    assert "chatbot-operator.dev/confirm-withdrawal=true" in message
    assert world.deployment["spec"]["replicas"] == 1
    assert len(world.azure.assigned) == 1
    world.chatbot["metadata"]["annotations"] = {"chatbot-operator.dev/confirm-withdrawal": "true"}
    await world.look(after=1)
    assert world.azure.assigned == {}
    assert world.condition("Ready") == ("False", "NamespaceNotAllowed")


def taken(world, number, *, since):
    """Let so many of the others that are denied have lost their role."""
    bodies = [o for (kind, *_), o in world.cluster.objects.items() if "chatbots" in kind]
    for body in [each for each in bodies if each["metadata"]["uid"].startswith("True-")][:number]:
        body["status"].pop("grantedAt")
        (permitted,) = body["status"]["conditions"]
        permitted["lastTransitionTime"] = stamp(since)
        gone = {**permitted, "type": "RoleAssigned", "reason": "Withdrawn"}
        body["status"]["conditions"] = [permitted, gone]


@pytest.mark.parametrize(("hours", "held"), [(0, True), (0.9, True), (2, False)])
async def test_some_that_are_confirmed_do_not_release_the_rest_of_their_wave(hours, held):
    world = await working()
    others(world, 6, denied=True)
    deny(world)
    await world.look()
    taken(world, 5, since=NOON - dt.timedelta(hours=hours))
    world.restart()
    await world.look(after=GRACE)
    assert bool(world.azure.assigned) is held
    if held:
        assert world.condition("Permitted") == ("False", HELD)
        message = world.chatbot["status"]["conditions"][0]["message"]
        assert "7 of the 7" in message
        assert "5 of them have lost it" in message


async def test_few_at_once_are_withdrawn():
    world = await working()
    others(world, 4, denied=True)
    deny(world)
    await world.look()
    await world.look(after=GRACE)
    assert world.azure.assigned == {}


@given(st.integers(0, 2000), st.integers(0, 2000))
def test_the_brake_wants_more_than_five_and_more_than_a_tenth(holding, denied):
    assert too_many(holding, denied) == (denied > 5 and denied * 10 > holding)


def test_those_that_hold_nothing_or_go_are_not_counted():
    world = SmallWorld()
    others(world, 3, denied=True)
    others(world, 2, denied=False)
    bodies = [o for (kind, *_), o in world.cluster.objects.items() if "chatbots" in kind]
    bodies[1]["metadata"]["deletionTimestamp"] = stamp(NOON)
    counted = count(bodies, NOON)
    assert (counted.holding, counted.denied, counted.taken) == (4, 2, ())


@pytest.mark.parametrize(
    ("spec", "use"),
    [
        ({}, {}),
        ({"deployments": ["mini"]}, {"deployment": "gpt-4o"}),
        ({}, {"image": "x.io/y"}),
        ({}, {"service_type": "LoadBalancer"}),
        ({"serviceTypes": ["LoadBalancer"]}, {"service_type": "LoadBalancer", "anonymous": True}),
    ],
)
def test_every_refusal_of_consent_is_a_denial_that_a_status_is_known_by(spec, use):
    allowed = {"allowedNamespaces": {"names": ["team"]}} if spec or use else {}
    account = Account.parse(account_body(**allowed, **spec))
    with pytest.raises(Denied) as denied:
        account.permit(Use(**{"namespace": "team", "deployment": "gpt-4o", **use}))
    assert denied.value.reason in DENIALS
