"""What pods say of their proof, and what the status makes of it."""

from __future__ import annotations

import asyncio

import pytest
from chatbot_operator.ports import CHATBOTS, DEPLOYMENTS
from cluster_world import PATIENCE, chatbot, key


async def test_more_than_one_pod_runs_once_one_has_proven_itself(operator, hand, pods, namespace):
    pods.say("WaitingForCredential", "young", None)
    await hand.create(chatbot(namespace, replicas=3))
    for _ in range(8):
        await operator.look(key(namespace))
        await hand.run_pods(namespace)
    assert (await hand.get(DEPLOYMENTS, namespace))["spec"]["replicas"] == 1
    assert (await hand.conditions(namespace))["Ready"]["status"] != "True"
    pods.say()
    await operator.settle(key(namespace))
    assert (await hand.get(DEPLOYMENTS, namespace))["spec"]["replicas"] == 3
    async with asyncio.timeout(PATIENCE):
        while (await hand.get(CHATBOTS, namespace))["status"]["pods"] != "3/3":
            await hand.run_pods(namespace)
            await operator.look(key(namespace))


@pytest.mark.parametrize(
    ("reason", "proven", "ready", "shown"),
    [
        ("PermissionDenied", None, "Unknown", "RolePropagating"),
        ("ExchangeRefused", None, "Unknown", "FederationPropagating"),
        ("NetworkDenied", None, "False", "NetworkDenied"),
        ("SubdomainMissing", None, "False", "SubdomainMissing"),
        ("TokenRejected", None, "False", "TokenRejected"),
        ("Misconfigured", None, "False", "Misconfigured"),
        ("AuthorityUnreachable", None, "Unknown", "AuthorityUnreachable"),
        ("EndpointUnreachable", None, "Unknown", "EndpointUnreachable"),
        ("ServiceError", None, "Unknown", "ServiceError"),
        ("Made\x07up", None, "False", "UnknownReadiness"),
    ],
)
async def test_what_a_pod_cannot_do_is_said_in_words(
    *, operator, hand, pods, namespace, reason, proven, ready, shown
):
    pods.say(reason, "because", proven)
    await hand.create(chatbot(namespace))
    condition = await until(shown, operator, hand, namespace)
    assert condition["status"] == ready
    assert "because" in condition["message"]


async def until(reason, operator, hand, namespace):
    """Look until the chatbot is not ready for this reason; gives the condition."""
    for _ in range(40):
        again = await operator.look(key(namespace))
        await hand.run_pods(namespace)
        if again.fault and again.fault.reason == reason:
            break
        await asyncio.sleep(0.05)
    condition = (await hand.conditions(namespace))["Ready"]
    assert condition["reason"] == reason
    return condition


def presents(pods, credential, trace, **other):
    """Have pods say that Entra refused a token with the claims of a credential, but for others."""
    pods.say("ExchangeRefused", "AADSTS700213: No.", None)
    claims = {name: credential[name] for name in ("issuer", "subject", "audience")}
    pods.document |= {"presented": {**claims, **other}, "trace": trace}


async def test_a_young_credential_is_waited_for_only_if_it_is_what_the_pod_presents(
    *, operator, hand, azure, pods, audit, namespace
):
    pods.say("Starting", "", None)
    await hand.create(chatbot(namespace))
    await until("Proving", operator, hand, namespace)
    (credential,) = (await azure.identity(namespace))["credentials"]
    presents(pods, credential, "first")
    waits = await until("FederationPropagating", operator, hand, namespace)
    assert waits["status"] == "Unknown"
    assert "and equals what the pod presents" in waits["message"]
    slip = credential["issuer"].rstrip("/") + "/other"
    presents(pods, credential, "second", issuer=slip)
    stalls = await until("FederationMisconfigured", operator, hand, namespace)
    assert stalls["status"] == "False"
    for word in (slip, credential["issuer"], "AADSTS700213", "(request second)"):
        assert word in stalls["message"]
    mark = audit.mark()
    presents(pods, credential, "third", issuer=slip)
    await operator.look(key(namespace))
    assert audit.writes(mark, namespace) == []
    pods.say()
    await operator.settle(key(namespace))


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (700024, "ClockSkew"),
        (90061, "IssuerUnreachable"),
        (50027, "TokenMalformed"),
        (90002, "TenantNotFound"),
        (7000216, "TokenMissing"),
    ],
)
async def test_what_no_wait_heals_is_said_at_once(
    *, operator, hand, pods, namespace, number, reason
):
    pods.say("ExchangeRefused", f"Entra refused: AADSTS{number}: No.", None)
    await hand.create(chatbot(namespace))
    condition = await until(reason, operator, hand, namespace)
    assert condition["status"] == "False"
    assert (await hand.conditions(namespace))["Stalled"]["reason"] == reason


async def test_an_identity_that_entra_does_not_know_is_read_again_and_then_told(
    *, operator, hand, pods, namespace, clock
):
    pods.say("ExchangeRefused", "Entra refused: AADSTS700016: Not found.", None)
    await hand.create(chatbot(namespace))
    await until("FederationPropagating", operator, hand, namespace)
    clock.ahead += operator.world.installation.propagation_deadline
    await until("IdentityUnknownToEntra", operator, hand, namespace)


async def test_a_role_that_is_refused_for_long_is_misconfigured(
    *, operator, hand, pods, namespace, clock
):
    pods.say("PermissionDenied", "HTTP 401", None)
    await hand.create(chatbot(namespace))
    await until("RolePropagating", operator, hand, namespace)
    clock.ahead += operator.world.installation.propagation_deadline
    told = await until("RoleMisconfigured", operator, hand, namespace)
    assert (told["status"], "role assignment is there since" in told["message"]) == ("False", True)


def throttled(pods, seconds, trace):
    pods.say("Throttled", f"HTTP 429 Please retry after {seconds} seconds.")
    pods.document |= {"trace": trace}


async def test_an_outage_degrades_a_proven_chatbot_and_does_not_stop_it(
    operator, hand, pods, audit, namespace
):
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    throttled(pods, 45, "first")
    await operator.settle(key(namespace))
    conditions = await hand.conditions(namespace)
    assert conditions["Ready"]["status"] == "True"
    assert conditions["Degraded"]["reason"] == "Throttled"
    mark = audit.mark()
    throttled(pods, 30, "second")
    await operator.settle(key(namespace))
    assert audit.writes(mark, namespace) == [], "how long to wait is no news"
    pods.say()
    await operator.settle(key(namespace))
    assert "Degraded" not in await hand.conditions(namespace)
