"""Passes over a chatbot: what is believed, what is kept, and how long is waited."""

from __future__ import annotations

import datetime as dt

import pytest
from chatbot_operator.errors import KubernetesRefusal, Refusal
from chatbot_operator.ports import Readiness
from chatbot_operator.reconcile.grant import DOUBT_SECONDS
from chatbot_operator.reconcile.up import LONGEST_WAIT
from chatbot_operator.steps.lag import LAG_SECONDS
from chatbot_operator.steps.workload import LEAVING_SECONDS
from unit.bodies import INSTALLATION
from unit.kstatus import verdict
from unit.small_world import NOON, PROVEN, SmallWorld

STARTING = Readiness("Starting", "No attempt yet.", "")
GRANTS = ("IdentityReady", "RoleAssigned", "FederationReady")


def refusal(status, code="", *, reading=True):
    return Refusal("call", status=status, code=code, message="said", reading=reading)


BLIND = (403, "AuthorizationFailed", "AzureAccessDenied")
TOKENLESS = (401, "ExpiredAuthenticationToken", "OperatorNotAuthenticated")
THROTTLED = (429, "TooManyRequests", "AzureThrottled")
CUT_OFF = (0, "", "AzureUnreachable")
FAULTS = [BLIND, TOKENLESS, THROTTLED, CUT_OFF]


async def working(**spec):
    """A world whose chatbot works."""
    world = SmallWorld(**spec)
    await world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    return world


async def test_a_chatbot_comes_to_work_and_then_rests():
    world = await working()
    again = await world.look()
    assert not again.failed
    assert 270 <= again.seconds <= 330
    assert verdict(3, world.chatbot["status"]) == "Current"
    assert world.chatbot["status"]["provenAt"] == PROVEN.proven_at
    assert len(world.azure.held) == len(world.azure.assigned) == 1
    assert len(world.azure.trusted) == 1


async def test_one_pod_proves_before_there_are_more():
    world = SmallWorld(replicas=3)
    world.pods.answer = STARTING
    await world.settle()
    assert world.deployment["spec"]["replicas"] == 1
    world.pods.answer = PROVEN
    await world.settle()
    assert world.deployment["spec"]["replicas"] == 3


@pytest.mark.parametrize(("status", "code", "reason"), FAULTS)
async def test_an_azure_that_cannot_be_asked_leaves_a_working_chatbot_working(status, code, reason):
    world = await working()
    world.azure.unreadable = refusal(status, code)
    before = world.deployment
    del world.cluster.objects["deployments", "team", "support"]
    again = await world.look(after=INSTALLATION.resync)
    assert world.condition("Ready") == ("True", "Ready")
    assert world.condition("Degraded") == ("True", reason)
    assert [world.condition(kind)[0] for kind in GRANTS] == ["True"] * 3
    assert world.condition("Stalled") == world.condition("Reconciling") == ("", "")
    assert (again.failed, again.fault.reason) == (True, reason)
    assert world.deployment == before, "it is served on"


async def test_trouble_that_is_over_is_no_longer_said():
    world = await working()
    world.azure.unreadable = refusal(503)
    await world.look(after=INSTALLATION.resync)
    assert world.condition("Degraded") == ("True", "AzureError")
    world.azure.unreadable = None
    assert not (await world.look(after=60)).failed
    assert world.condition("Degraded") == ("", "")


@pytest.mark.parametrize(("status", "code", "reason"), FAULTS)
async def test_an_azure_that_cannot_be_asked_keeps_a_new_chatbot_waiting(status, code, reason):
    world = SmallWorld()
    world.azure.unreadable = refusal(status, code)
    await world.look()
    again = await world.look()
    kind = "Stalled" if (status, code, reason) in (BLIND, TOKENLESS) else "Reconciling"
    other = "Reconciling" if kind == "Stalled" else "Stalled"
    assert world.condition("Ready") == ("False", reason)
    assert world.condition("IdentityReady") == ("False", reason)
    assert world.condition(kind) == ("True", reason)
    assert world.condition(other) == ("", "")
    assert again.failed
    assert world.deployment is None


@pytest.mark.parametrize(("status", "code", "reason"), [BLIND, TOKENLESS])
async def test_what_is_known_to_be_missing_is_said_of_a_working_chatbot(status, code, reason):
    world = await working()
    world.azure.trusted.clear()
    world.azure.unwritable = refusal(status, code, reading=False)
    again = await world.look(after=INSTALLATION.resync)
    assert world.condition("FederationReady") == ("False", reason)
    assert again.failed


async def test_a_person_is_called_when_azure_refuses_what_must_be_mended():
    world = await working()
    world.azure.trusted.clear()
    world.azure.unwritable = refusal(403, "RequestDisallowedByPolicy", reading=False)
    await world.look(after=INSTALLATION.resync)
    assert world.condition("Ready") == ("False", "DeniedByAzurePolicy")
    assert world.condition("Stalled") == ("True", "DeniedByAzurePolicy")


async def test_a_cluster_that_cannot_be_asked_leaves_a_working_chatbot_working():
    world = await working()
    world.cluster.trouble = KubernetesRefusal("GET /x", 503, "ServiceUnavailable", "")
    again = await world.look(after=60)
    assert world.condition("Ready") == ("True", "Ready")
    assert world.condition("Degraded") == ("True", "ClusterUnavailable")
    assert again.failed


LISTS = ["list assignments", "list identities"]


def asked(world):
    """What was asked for, but for what the audit looks for."""
    audit = {"list credentials", "list assignments below", "assignments"}
    return [what for what in world.azure.asked if what not in audit]


async def test_azure_is_believed_for_as_long_as_the_pods_do_not_contradict():
    world = await working()
    await world.look(after=INSTALLATION.resync - 1)
    assert sorted(asked(world)) == LISTS
    await world.look(after=1)
    assert asked(world) == ["credential"]
    await world.look(after=1)
    assert asked(world) == []


async def test_lists_stand_for_reads_and_are_made_once_for_all():
    world = await working()
    for _ in range(3):
        await world.look(after=INSTALLATION.resync)
        assert sorted(asked(world)) == ["credential", *LISTS]
    await world.look(after=60)
    assert asked(world) == []


async def test_what_lists_show_to_differ_is_read_before_it_is_written():
    world = await working()
    lost = dict(world.azure.assigned)
    world.azure.assigned.clear()
    await world.look(after=INSTALLATION.resync - 1)
    assert world.azure.asked.index("assignment") < world.azure.asked.index("put assignment")
    assert world.azure.assigned == lost
    await world.look(after=60)
    assert asked(world) == []


async def test_a_list_older_than_our_own_write_takes_nothing_for_lost():
    world = await working()
    await world.look(after=60)
    listed = world.azure.held.copy()
    world.azure.held.clear()
    await world.look(after=INSTALLATION.resync)
    assert "put identity" in world.azure.asked
    assert world.azure.held != listed
    await world.look(after=60)
    await world.look(after=60)
    assert asked(world) == []


async def test_lists_that_cannot_be_made_leave_reads():
    world = await working()
    world.azure.unlistable = refusal(403, "AuthorizationFailed")
    again = await world.look(after=INSTALLATION.resync)
    assert not again.failed
    assert sorted(asked(world)) == ["assignment", "credential", "identity", *LISTS]
    await world.look(after=INSTALLATION.resync / 2)
    assert sorted(asked(world)) == LISTS
    assert world.condition("Ready") == ("True", "Ready")


@pytest.mark.parametrize("reason", ["PermissionDenied", "ExchangeRefused"])
async def test_a_pod_that_is_refused_has_azure_asked_again(reason):
    world = await working()
    world.pods.answer = Readiness(reason, "In words.", PROVEN.proven_at)
    await world.look(after=1)
    await world.look(after=DOUBT_SECONDS - 2)
    assert world.azure.asked == []
    await world.look(after=1)
    assert world.azure.asked != []
    await world.look(after=1)
    assert world.azure.asked == []


@pytest.mark.parametrize("reason", ["NetworkDenied", "WrongPrincipal", "Throttled"])
async def test_a_pod_with_other_trouble_casts_no_doubt_on_azure(reason):
    world = await working()
    world.pods.answer = Readiness(reason, "In words.", PROVEN.proven_at)
    for _ in range(3):
        await world.look(after=DOUBT_SECONDS)
        assert world.azure.asked == []


async def test_what_was_taken_away_is_given_back_and_its_age_begins_anew():
    world = await working()
    world.azure.assigned.clear()
    world.pods.answer = Readiness("PermissionDenied", "In words.", PROVEN.proven_at)
    await world.look(after=LAG_SECONDS)
    await world.look(after=1)
    assert len(world.azure.assigned) == 1
    since = NOON + dt.timedelta(seconds=LAG_SECONDS + 1)
    assert world.chatbot["status"]["grantedAt"] == {
        "role": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "credential": "2026-01-31T12:00:00Z",
    }
    assert world.condition("AccessProven") == ("Unknown", "RolePropagating")


async def test_a_new_operator_believes_what_works_and_asks_for_lists_only():
    world = await working()
    granted = world.chatbot["status"]["grantedAt"]
    world.restart()
    await world.look()
    assert sorted(world.azure.asked) == LISTS
    reads = []
    for _ in range(13):
        await world.look(after=INSTALLATION.resync / 12)
        reads += world.azure.asked
    assert reads.count("credential") == 1
    assert {"identity", "assignment"}.isdisjoint(reads)
    assert world.chatbot["status"]["grantedAt"] == granted


async def test_a_new_operator_finds_at_once_what_lists_show_to_be_gone():
    world = await working()
    world.restart()
    world.azure.held.clear()
    await world.look()
    assert "put identity" in world.azure.asked
    await world.settle()
    assert world.condition("Ready") == ("True", "Ready")


async def test_a_new_operator_reads_all_of_a_chatbot_that_is_refused():
    world = await working()
    world.pods.answer = Readiness("PermissionDenied", "In words.", PROVEN.proven_at)
    await world.look()
    world.restart()
    await world.look()
    assert {"identity", "assignment", "credential"} <= set(world.azure.asked)


async def test_silent_pods_that_the_kubelet_finds_available_only_degrade():
    world = await working()
    world.pods.answer = None
    again = await world.look(after=60)
    assert world.condition("Ready") == ("True", "Ready")
    assert world.condition("Degraded") == ("True", "PodsSilent")
    assert not again.failed


async def test_silent_pods_that_nobody_finds_available_are_starting():
    world = await working()
    world.pods.answer = None
    world.cluster.serving = False
    world.cluster.run(world.deployment)
    await world.look(after=60)
    assert world.condition("Ready") == ("Unknown", "PodsStarting")


async def test_a_proven_chatbot_is_ready_once_the_service_leads_to_a_pod():
    world = SmallWorld()
    world.cluster.serving = False
    await world.settle()
    assert world.condition("Ready") == ("Unknown", "PodsStarting")
    assert world.condition("AccessProven") == ("True", "Proven")
    world.cluster.serving = True
    world.cluster.run(world.deployment)
    await world.settle()
    assert world.condition("Ready") == ("True", "Ready")


async def test_the_workload_is_not_said_to_be_ready_before_a_pod_is_and_goes_no_way_back():
    world, seen = SmallWorld(), []
    world.cluster.serving, world.pods.answer = False, STARTING

    async def looks():
        await world.settle()
        seen.append((world.condition("WorkloadReady"), world.condition("Ready")))

    await looks()
    world.pods.answer = PROVEN
    await looks()
    world.cluster.serving = True
    world.cluster.run(world.deployment)
    await looks()
    assert seen == [
        (("Unknown", "AwaitingProof"), ("Unknown", "Proving")),
        (("Unknown", "PodsStarting"), ("Unknown", "PodsStarting")),
        (("True", "PodsRun"), ("True", "Ready")),
    ]


async def test_more_pods_than_the_first_change_nothing_for_it():
    world = SmallWorld(replicas=3)
    play = world.cluster.run

    def one_is_ready(deployment):
        play(deployment)
        deployment["status"] |= dict.fromkeys(("updatedReplicas", "availableReplicas"), 1)

    world.cluster.run = one_is_ready
    for _ in range(4):
        await world.look()
        if world.chatbot["status"].get("provenAt"):
            assert world.condition("Ready") == ("True", "Ready")
    assert world.deployment["spec"]["replicas"] == 3


async def test_the_longer_something_takes_the_longer_is_waited_for_it():
    world = SmallWorld()
    world.pods.answer = STARTING
    await world.settle()
    waits = [(await world.look(after=seconds)).seconds for seconds in (1, 99, 200, 10_000)]
    assert waits == [INSTALLATION.proof_poll, 10, 30, LONGEST_WAIT]


async def test_a_chatbot_scaled_to_zero_is_nobodys_fault():
    world = SmallWorld(replicas=0)
    world.pods.answer = None
    await world.settle()
    again = await world.look()
    assert world.condition("Ready") == ("Unknown", "ScaledToZero")
    assert world.condition("Stalled") == ("", "")
    assert (again.failed, again.seconds) == (False, 3600)


async def test_pods_that_do_not_start_are_looked_at_again_without_backing_off():
    world = SmallWorld()
    world.cluster.serving = False
    await world.settle()
    failing = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    pod = world.cluster.objects["pods", "team", "pod"]
    pod["status"]["containerStatuses"] = [{"image": "nosuch:1", "state": failing}]
    world.deployment["status"]["updatedReplicas"] = 0
    for _ in range(3):
        again = await world.look(after=60)
        assert world.condition("Stalled") == ("True", "ImagePullFailed")
        assert (again.failed, again.seconds) == (False, LONGEST_WAIT)


async def test_a_deletion_waits_for_an_azure_that_does_not_answer():
    world = SmallWorld()
    world.azure.unreadable = refusal(503)
    await world.look()
    delete(world)
    assert (await world.look()).failed
    assert world.chatbot["metadata"]["finalizers"]
    world.azure.unreadable = refusal(403, "AuthorizationFailed")
    await world.look(after=60)
    assert world.chatbot["metadata"]["finalizers"] == []


def delete(world):
    world.chatbot["metadata"]["deletionTimestamp"] = "2026-01-31T12:00:00Z"


async def test_a_deleted_chatbot_leaves_nothing_in_azure():
    world = await working()
    delete(world)
    del world.cluster.objects["pods", "team", "pod"]
    passes = [await world.look(after=1) for _ in range(3)]
    assert [again.failed for again in passes] == [False] * 3
    assert passes[-1].seconds is None
    assert world.azure.held == world.azure.assigned == {}
    assert world.chatbot["metadata"]["finalizers"] == []
    assert {plural for plural, *_ in world.cluster.objects} == {
        "azureopenaichatbots",
        "azureopenaiaccounts",
        "namespaces",
    }


@pytest.mark.parametrize("lingering", [True, False])
async def test_pods_that_will_not_go_are_waited_for_no_longer_than_their_grace(lingering):
    world = await working()
    delete(world)
    world.cluster.lingering = lingering
    again = await world.look(after=LEAVING_SECONDS - 1)
    assert (again.failed, again.fault.reason) == (False, "PodsLeaving")
    assert world.condition("Ready") == ("False", "PodsLeaving")
    assert world.azure.asked == []
    await world.look(after=1)
    assert world.azure.held == world.azure.assigned == {}
    assert ("pods", "team", "pod") in world.cluster.objects
