"""Azure refuses, throttles, breaks off: a reason in words, a wait, and no harm in the end."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

import pytest
from azure.identity.aio import WorkloadIdentityCredential
from chatbot_operator.azure.resource_manager import ResourceManager
from chatbot_operator.errors import REASONS, Blind, Pending
from chatbot_operator.ports import ACCOUNTS, CHATBOTS
from chatbot_operator.reconcile import Key
from cluster_world import ASSIGNMENTS, Operator, chatbot, identity_path, key
from sandbox.azure import settings as fixed


@dataclass(frozen=True)
class Trouble:
    """What goes wrong, the reason that the status gives, and the least wait in seconds."""

    fault: dict
    reason: str
    wait: float = 0.0


def respond(status, code, **headers):
    return {"action": "respond", "status": status, "code": code, "headers": headers}


TROUBLES = (
    Trouble(respond(403, "AuthorizationFailed"), "AzureAccessDenied"),
    Trouble(respond(403, "RequestDisallowedByPolicy"), "DeniedByAzurePolicy"),
    Trouble(respond(404, "ResourceGroupNotFound"), "ResourceGroupNotFound"),
    Trouble(respond(401, "ExpiredAuthenticationToken"), "OperatorNotAuthenticated"),
    Trouble(respond(409, "Conflict"), "AzureError"),
    Trouble(respond(409, "ScopeLocked"), "ResourceLocked"),
    Trouble(respond(412, "PreconditionFailed"), "AzureRefused"),
    Trouble(respond(429, "TooManyRequests", **{"retry-after": "2"}), "AzureThrottled", 2),
    Trouble(respond(429, "TooManyRequests"), "AzureThrottled"),
    Trouble(respond(500, "InternalServerError"), "AzureError"),
    Trouble(respond(503, "ServiceUnavailable", **{"retry-after": "5"}), "AzureError", 5),
    Trouble({"action": "reset"}, "AzureUnreachable"),
    Trouble({"action": "apply-then-reset"}, "AzureUnreachable"),
)

IDENTITY = "userAssignedIdentities/cb-[^/]*$"
CREDENTIAL = "federatedIdentityCredentials/"
ASSIGNMENT = "roleAssignments/"
LIST = "roleAssignments$"
UNLISTED = {**respond(403, "AuthorizationFailed"), "method": "GET", "path": "Identities$"}
UP = {
    "read identity": ("GET", IDENTITY, ""),
    "create identity": ("PUT", IDENTITY, "identity"),
    "tag identity": ("PATCH", IDENTITY, "tags"),
    "read assignment": ("GET", ASSIGNMENT, ""),
    "list assignments": ("GET", LIST, "assignment"),
    "create assignment": ("PUT", ASSIGNMENT, "assignment"),
    "read credential": ("GET", CREDENTIAL, ""),
    "write credential": ("PUT", CREDENTIAL, "credential"),
}


async def undo(azure, namespace, what, at):
    """Take away what the operation under test makes."""
    identity = await azure.identity(namespace)
    if what == "identity":
        await azure.done("DELETE", at)
    if what == "tags":
        tags = {**identity["tags"], "chatbot-operator-retained": "true"}
        await azure.done("PATCH", at, {"tags": tags})
    if what == "assignment":
        for each in await azure.described(namespace):
            await azure.done("DELETE", f"{ASSIGNMENTS}/{each['name']}")
    if what == "credential":
        for each in identity["credentials"]:
            await azure.done("DELETE", each["id"])


@pytest.mark.parametrize("operation", UP)
async def test_trouble_while_making_is_said_waited_for_and_survived(
    *, operator, hand, azure, namespace, operation, clock
):
    method, where, made = UP[operation]
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    at = identity_path(operator.world.installation, namespace)
    for trouble in TROUBLES:
        await undo(azure, namespace, made, at)
        # Twice for each call: aiohttp repeats it by itself when a kept connection broke.
        await azure.fault(**trouble.fault, method=method, path=where, times=4)
        # Without lists everything is read one by one.
        await azure.fault(**UNLISTED)
        clock.ahead += operator.world.installation.resync
        again = await operator.look(key(namespace))
        await azure.heal()
        await told(hand, namespace, again, trouble)
        await operator.settle(key(namespace))
        await whole(hand, azure, namespace)


async def told(hand, namespace, again, trouble):
    """The pass gave up, asks to wait, and the status says why."""
    assert again.failed, trouble
    assert again.fault.reason == trouble.reason, trouble
    assert again.seconds >= trouble.wait, trouble
    conditions = await hand.conditions(namespace)
    said = [c for c in conditions.values() if c["reason"] == trouble.reason]
    assert said, (trouble, conditions)
    assert all(c["message"] and "Traceback" not in c["message"] for c in said)


async def whole(hand, azure, namespace):
    """Everything is there once, and the status no longer speaks of trouble."""
    conditions = await hand.conditions(namespace)
    assert conditions["Ready"]["status"] == "True"
    assert not {"Degraded", "Stalled", "Reconciling"} & conditions.keys()
    identity = await azure.identity(namespace)
    assert len(identity["credentials"]) == 1
    (assignment,) = await azure.described(namespace)
    assert assignment["principal_id"] == identity["principal_id"]


NAMED = {
    "DeniedByAzurePolicy": respond(403, "RequestDisallowedByPolicy")
    | {
        "message": "Resource 'cb' was disallowed by policy. Policy identifiers:"
        ' \'[{"policyAssignment":{"name":"Allowed locations"}}]\'.'
    },
    "ResourceLocked": respond(409, "ScopeLocked")
    | {"message": "The following scope(s) are locked: '/resourceGroups/g/locks/keep'."},
    "QuotaExceeded": respond(409, "InsufficientQuota")
    | {"message": "userAssignedIdentities: limit 100, in use 100."},
}


@pytest.mark.parametrize("reason", NAMED)
async def test_a_lock_a_policy_and_a_quota_are_told_by_name(
    *, operator, hand, azure, namespace, reason
):
    await hand.create(chatbot(namespace))
    await azure.fault(**NAMED[reason], method="PUT", path=IDENTITY)
    fault = await operator.refused(key(namespace))
    conditions = await hand.conditions(namespace)
    known = REASONS[reason]
    assert fault.reason == reason
    for kind, status in (("IdentityReady", "False"), ("Ready", "False"), ("Stalled", "True")):
        assert (conditions[kind]["status"], conditions[kind]["reason"]) == (status, reason)
        for words in (known.cause, known.fix, NAMED[reason]["message"]):
            assert words in conditions[kind]["message"]


@pytest.mark.parametrize("code", ["AuthorizationFailed", "ScopeLocked"])
async def test_a_refusal_that_lasts_is_written_down_once_with_the_id_of_its_request(
    *, operator, hand, azure, audit, namespace, code
):
    await hand.create(chatbot(namespace))
    await azure.fault(action="respond", status=403, code=code, method="PUT", path=IDENTITY)
    for _ in range(2):  # the finalizer first
        await operator.look(key(namespace))
    ledger, mark = await azure.mark(), audit.mark()
    told = (await hand.conditions(namespace))["Ready"]["message"]
    for _ in range(3):
        assert (await operator.look(key(namespace))).failed
    refused = await azure.writes(ledger)
    assert len({entry["requestId"] for entry in refused}) == 3
    assert audit.writes(mark, namespace) == []
    assert (await hand.conditions(namespace))["Ready"]["message"] == told
    (cause,) = [c for c in told.splitlines() if code in c]
    first = [e for e in await azure.ledger(0) if f"(request {e['requestId']})" in cause]
    assert [entry["code"] for entry in first] == [code]


@contextlib.asynccontextmanager
async def newcomer(operator, standing, emulator):
    """An operator that has no token yet."""
    fresh = WorkloadIdentityCredential(
        tenant_id=fixed.TENANT,
        client_id=standing.client_id,
        token_file_path=str(standing.token_file),
        authority=emulator.url,
        retry_total=0,
    )
    scope = f"{fixed.ARM_AUDIENCE}/.default"
    async with fresh, ResourceManager(fresh, endpoint=emulator.url, scope=scope) as manager:
        yield Operator(replace(operator.world, azure=manager), operator.hand)


async def test_an_entra_that_fails_is_waited_for(
    *, operator, hand, azure, standing, emulator, namespace
):
    await azure.fault(action="respond", status=503, code="Away", plane="entra")
    await hand.create(chatbot(namespace))
    async with newcomer(operator, standing, emulator) as without_token:
        for _ in range(2):  # the finalizer first
            again = await without_token.look(key(namespace))
        assert (again.failed, again.fault.reason) == (True, "EntraUnavailable")
        conditions = await hand.conditions(namespace)
        assert conditions["Ready"]["reason"] == "EntraUnavailable"
        assert "Stalled" not in conditions
        await azure.heal()
        await without_token.settle(key(namespace))
    assert (await hand.conditions(namespace))["Ready"]["status"] == "True"


@pytest.mark.parametrize("gap", [" ", "\r\n"], ids=["today", "2022"])
async def test_an_entra_that_refuses_the_operator_is_told_with_number_and_correlation(
    *, operator, hand, azure, standing, emulator, namespace, gap
):
    traces = f"{gap}Trace ID: t-1{gap}Correlation ID: c-1{gap}Timestamp: 2026-01-31 12:00:00Z"
    message = f"No matching federated identity record found.{traces}"
    number = {"code": "AADSTS700213", "message": message}
    await azure.fault(action="respond", status=401, **number, plane="entra")
    await hand.create(chatbot(namespace))
    async with newcomer(operator, standing, emulator) as without_token:
        for _ in range(2):  # the finalizer first
            again = await without_token.look(key(namespace))
    assert isinstance(again.fault, Blind)
    assert again.fault.reason == "OperatorNotAuthenticated"
    told = (await hand.conditions(namespace))["Ready"]["message"]
    assert told.startswith("Entra refuses the operator's own token. Entra finds no federated")
    assert "AADSTS700213: No matching federated identity record found. (request c-1)" in told
    assert "t-1" not in told


DOWN = {
    "read identity": ("GET", IDENTITY),
    "read assignment": ("GET", ASSIGNMENT),
    "delete assignment": ("DELETE", ASSIGNMENT),
    "delete identity": ("DELETE", IDENTITY),
}
PASSED_OVER = {
    # Gone with its group, which is what deletion wants.
    ("read identity", "ResourceGroupNotFound"),
    # The account, and the operator's role on it with it, may be gone.
    ("read assignment", "AzureAccessDenied"),
    ("read assignment", "ResourceGroupNotFound"),
    ("delete assignment", "AzureAccessDenied"),
    ("delete assignment", "ResourceGroupNotFound"),
}


@pytest.mark.parametrize("operation", DOWN)
async def test_trouble_while_taking_away_is_said_waited_for_and_survived(
    operator, hand, azure, namespace, operation
):
    method, where = DOWN[operation]
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    await hand.delete(CHATBOTS, namespace)
    for trouble in TROUBLES:
        if (operation, trouble.reason) in PASSED_OVER:
            continue
        await azure.fault(**trouble.fault, method=method, path=where, times=2)
        again = await operator.look(key(namespace))
        while isinstance(again.fault, Pending):  # pods leave first
            again = await operator.look(key(namespace))
        await azure.heal()
        await told(hand, namespace, again, trouble)
        assert await hand.get(CHATBOTS, namespace) is not None
    await operator.settle(key(namespace))
    assert await hand.get(CHATBOTS, namespace) is None
    assert await hand.children(namespace) == {}
    assert await azure.identities(namespace) == []
    assert await azure.described(namespace) == []


async def test_a_retained_identity_never_keeps_its_access(operator, hand, azure, namespace):
    await hand.create(chatbot(namespace, deletionPolicy="Retain"))
    await operator.settle(key(namespace))
    await hand.delete(CHATBOTS, namespace)
    trouble = TROUBLES[0]
    await azure.fault(**trouble.fault, method="DELETE", path=ASSIGNMENT)
    again = await operator.look(key(namespace))
    while isinstance(again.fault, Pending):
        again = await operator.look(key(namespace))
    await told(hand, namespace, again, trouble)
    assert "chatbot-operator-retained" not in (await azure.identity(namespace))["tags"]
    await azure.heal()
    await operator.settle(key(namespace))
    assert await azure.described(namespace) == []
    assert (await azure.identity(namespace))["tags"]["chatbot-operator-retained"] == "true"


@pytest.mark.parametrize(
    "trouble", TROUBLES, ids=lambda t: str(t.fault.get("status", t.fault["action"]))
)
async def test_trouble_with_the_account_does_not_unmake_what_was_known(
    operator, hand, azure, trouble
):
    await azure.fault(**trouble.fault, method="GET", path="accounts/contoso$", times=2)
    again = await Operator(operator.world, hand).look(Key(ACCOUNTS, "", "contoso"))
    await azure.heal()
    assert (again.failed, again.fault.reason) == (True, trouble.reason)
    assert again.seconds >= trouble.wait
    usable = (await hand.conditions_of(ACCOUNTS, "", "contoso"))["Usable"]
    passing = {
        *("AzureError", "AzureThrottled", "AzureUnreachable"),
        *("AzureAccessDenied", "OperatorNotAuthenticated"),  # about the operator, not the account
    }
    assert (usable["status"] == "True") is (trouble.reason in passing)
    await operator.settle(Key(ACCOUNTS, "", "contoso"))
    assert (await hand.conditions_of(ACCOUNTS, "", "contoso"))["Usable"]["status"] == "True"
