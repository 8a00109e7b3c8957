"""What the answers of a chatbot's pods prove."""

from __future__ import annotations

import datetime as dt

import pytest
from chatbot_operator.errors import Fault, Pending, Stuck
from chatbot_operator.ports import Credential, Presented, Readiness
from chatbot_operator.steps.proof import Grants, Proof, judge

NOW = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
DEADLINE = dt.timedelta(minutes=15)
CREDENTIAL = Credential("cb-1", "https://issuer/", "system:serviceaccount:a:b", ("api://x",))
EQUAL = Presented("https://issuer/", "system:serviceaccount:a:b", "api://x")
PROVEN_AT = "2026-01-31T11:00:00Z"
PROVEN = Readiness("Proven", "The account answered.", PROVEN_AT)


def answer(reason, *, proven=False):
    return Readiness(reason, "In words.", PROVEN_AT if proven else "")


def granted(ago):
    return Grants(role=NOW - ago, federation=NOW - ago, deadline=DEADLINE, credential=CREDENTIAL)


def outcome(*answers, ago=dt.timedelta(minutes=1), latched=""):
    """What the answers come to: a proof, or the fault."""
    try:
        return judge(list(answers), granted(ago), NOW, latched=latched)
    except Fault as fault:
        return fault


def said(fault):
    return type(fault), fault.reason


ABOUT_US = [
    "NotInjected",
    "WrongPrincipal",
    "TokenRejected",
    "NetworkDenied",
    "SubdomainMissing",
    "DeploymentNotFound",
    "Misconfigured",
]
PASSING = {
    "Starting": "Proving",
    "WaitingForCredential": "Proving",
    "AuthorityUnreachable": "AuthorityUnreachable",
    "EndpointUnreachable": "EndpointUnreachable",
    "Throttled": "Throttled",
    "ServiceError": "ServiceError",
}
EVERYTHING_ELSE = [*ABOUT_US, *PASSING, "PermissionDenied", "ExchangeRefused", "Nonsense"]


def test_nothing_is_proven_while_no_pod_answers():
    assert said(outcome()) == (Pending, "PodsStarting")


def test_silence_does_not_undo_an_older_proof():
    proven = outcome(latched=PROVEN_AT)
    assert isinstance(proven, Proof)
    assert proven.at == PROVEN_AT
    assert proven.trouble is not None
    assert proven.trouble.reason == "PodsSilent"


def test_pods_that_answer_count_more_than_an_older_proof_that_is_only_remembered():
    assert outcome(PROVEN, latched="2026-01-30T11:00:00Z") == Proof(PROVEN_AT, None)
    assert said(outcome(answer("NetworkDenied"), latched=PROVEN_AT)) == (Stuck, "NetworkDenied")
    assert said(outcome(answer("Throttled"), latched=PROVEN_AT)) == (Pending, "Throttled")


@pytest.mark.parametrize("other", EVERYTHING_ELSE)
@pytest.mark.parametrize("proven", [True, False])
def test_one_pod_that_was_just_answered_settles_it(other, proven):
    for answers in ((PROVEN, answer(other, proven=proven)), (answer(other, proven=proven), PROVEN)):
        assert outcome(*answers) == Proof(PROVEN_AT, None)


def test_a_proof_without_a_time_is_none():
    assert said(outcome(Readiness("Proven", "", ""))) == (Stuck, "UnknownReadiness")


@pytest.mark.parametrize(("reason", "shown"), PASSING.items())
def test_trouble_that_passes_keeps_an_unproven_chatbot_waiting(reason, shown):
    fault = outcome(answer(reason))
    assert said(fault) == (Pending, shown)
    assert fault.message.endswith("In words.")


@pytest.mark.parametrize("reason", PASSING)
def test_trouble_that_passes_leaves_an_older_proof_standing(reason):
    troubled = answer(reason, proven=True)
    for answers in ([troubled], [answer("Starting"), troubled]):
        proven = outcome(*answers)
        assert isinstance(proven, Proof)
        assert proven.at == PROVEN_AT
        assert proven.trouble.reason == PASSING[reason]


@pytest.mark.parametrize("reason", ABOUT_US)
@pytest.mark.parametrize("proven", [True, False])
def test_a_refusal_about_us_outweighs_an_older_proof(reason, proven):
    fault = outcome(answer(reason, proven=proven), answer("Throttled", proven=True))
    assert said(fault) == (Stuck, reason)
    assert fault.message.endswith("In words.")


@pytest.mark.parametrize(
    ("reason", "what"), [("PermissionDenied", "Role"), ("ExchangeRefused", "Federation")]
)
@pytest.mark.parametrize("proven", [True, False])
def test_a_grant_may_take_its_time_to_spread_and_no_longer(reason, what, proven):
    refused, tick = answer(reason, proven=proven), dt.timedelta(seconds=1)
    assert said(outcome(refused, ago=DEADLINE - tick)) == (Pending, f"{what}Propagating")
    assert said(outcome(refused, ago=DEADLINE)) == (Stuck, f"{what}Misconfigured")
    assert said(outcome(refused, ago=DEADLINE * 100)) == (Stuck, f"{what}Misconfigured")


def test_each_grant_has_a_deadline_of_its_own():
    old, young = NOW - DEADLINE * 2, NOW
    for reason, grants in (
        ("PermissionDenied", Grants(young, old, DEADLINE, CREDENTIAL)),
        ("ExchangeRefused", Grants(old, young, DEADLINE, CREDENTIAL)),
    ):
        with pytest.raises(Pending):
            judge([answer(reason)], grants, NOW)


def test_what_is_said_while_a_grant_spreads_does_not_change_from_pass_to_pass():
    grants = granted(dt.timedelta(minutes=1))
    said = set()
    for seconds in (0, 1, 59, 300):
        with pytest.raises(Pending) as caught:
            judge([answer("PermissionDenied")], grants, NOW + dt.timedelta(seconds=seconds))
        said.add(caught.value.message)
    assert len(said) == 1
    assert "12:14 UTC" in said.pop()


def test_an_unknown_reason_is_said_to_be_unknown():
    assert said(outcome(answer("Nonsense"))) == (Stuck, "UnknownReadiness")
    assert said(outcome(answer("Nonsense", proven=True))) == (Stuck, "UnknownReadiness")


def exchange(number, presented=EQUAL, trace=""):
    """What a pod says when Entra refuses its token."""
    said = f"Entra refused this chatbot's federated token: AADSTS{number}: No."
    return Readiness("ExchangeRefused", said, "", presented, trace)


OLD = DEADLINE + dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("number", "young", "old"),
    [
        (70021, (Pending, "FederationPropagating"), (Stuck, "FederationMisconfigured")),
        (700211, (Pending, "FederationPropagating"), (Stuck, "FederationMisconfigured")),
        (700212, (Pending, "FederationPropagating"), (Stuck, "FederationMisconfigured")),
        (700213, (Pending, "FederationPropagating"), (Stuck, "FederationMisconfigured")),
        (70025, (Pending, "FederationPropagating"), (Stuck, "FederationMisconfigured")),
        (700016, (Pending, "FederationPropagating"), (Stuck, "IdentityUnknownToEntra")),
        (999999, (Pending, "FederationPropagating"), (Stuck, "FederationMisconfigured")),
        (7002138, (Stuck, "FederationMisconfigured"), (Stuck, "FederationMisconfigured")),
        (700024, (Stuck, "ClockSkew"), (Stuck, "ClockSkew")),
        (90061, (Stuck, "IssuerUnreachable"), (Stuck, "IssuerUnreachable")),
        (50027, (Stuck, "TokenMalformed"), (Stuck, "TokenMalformed")),
        (90002, (Stuck, "TenantNotFound"), (Stuck, "TenantNotFound")),
        (7000216, (Stuck, "TokenMissing"), (Stuck, "TokenMissing")),
    ],
)
@pytest.mark.parametrize("presented", [EQUAL, None])
def test_entras_number_tells_what_heals_by_waiting_from_what_does_not(
    number, young, old, presented
):
    assert said(outcome(exchange(number, presented))) == young
    assert said(outcome(exchange(number, presented), ago=OLD)) == old


@pytest.mark.parametrize(
    ("presented", "words"),
    [
        (
            Presented("https://issuer", EQUAL.subject, EQUAL.audience),
            "The token's issuer is 'https://issuer', the credential's is 'https://issuer/'.",
        ),
        (
            Presented(EQUAL.issuer, "system:serviceaccount:a:B", EQUAL.audience),
            (
                "The token's subject is 'system:serviceaccount:a:B', the credential's is"
                " 'system:serviceaccount:a:b'."
            ),
        ),
        (
            Presented(EQUAL.issuer, EQUAL.subject, "api://y"),
            "The token's audience is 'api://y', the credential's is 'api://x'.",
        ),
    ],
)
@pytest.mark.parametrize("number", [70021, 700211, 700212, 700213, 7002138, 70025, 1000000])
def test_a_token_that_differs_from_the_credential_is_misconfigured_however_young_it_is(
    presented, words, number
):
    fault = outcome(exchange(number, presented), ago=dt.timedelta(0))
    assert said(fault) == (Stuck, "FederationMisconfigured")
    assert words in fault.message
    assert "equals" not in fault.message


def test_a_difference_does_not_explain_what_entra_refuses_for_another_cause():
    other = Presented("https://other/", EQUAL.subject, EQUAL.audience)
    assert said(outcome(exchange(700024, other))) == (Stuck, "ClockSkew")


@pytest.mark.parametrize("ago", [dt.timedelta(minutes=1), OLD])
def test_what_azure_was_found_to_hold_is_said(ago):
    since = f"{NOW - ago:%Y-%m-%d %H:%M UTC}"
    federated = outcome(exchange(700213), ago=ago).message
    assert f"credential is there since {since} and equals what the pod presents." in federated
    unknown = outcome(exchange(700213, None), ago=ago).message
    assert f"credential is there since {since}." in unknown
    denied = outcome(answer("PermissionDenied"), ago=ago).message
    assert f"role assignment is there since {since}." in denied


def test_a_fault_bears_the_id_by_which_the_request_is_found_but_for_a_wait_that_tells_the_time():
    assert outcome(Readiness("Throttled", "Retry after 7 s.", "", None, "abc")).trace == "abc"
    assert outcome(exchange(90061, trace="abc")).trace == "abc"
    assert outcome(exchange(700213, trace="abc"), ago=OLD).trace == "abc"
    assert outcome(exchange(700213, trace="abc")).trace == ""
