"""What a refusal means: decided by status and code, never by what the text says."""

from __future__ import annotations

import pytest
from chatbot_operator.errors import (
    REASONS,
    TABLE,
    Blind,
    KubernetesRefusal,
    Pending,
    Refusal,
    Row,
    Service,
    Stuck,
    Transient,
    entra_code,
    judge,
    judge_cluster,
    look_up,
)
from hypothesis import given
from hypothesis import strategies as st


def refusal(status, code="", message="said", **more):
    return Refusal("put identity", status=status, code=code, message=message, **more)


@pytest.mark.parametrize(
    ("status", "code", "kind", "reason"),
    [
        (403, "AuthorizationFailed", Blind, "AzureAccessDenied"),
        (403, "LinkedAuthorizationFailed", Blind, "AzureAccessDenied"),
        (404, "ResourceGroupNotFound", Stuck, "ResourceGroupNotFound"),
        (404, "SubscriptionNotFound", Stuck, "SubscriptionNotFound"),
        (403, "RequestDisallowedByPolicy", Stuck, "DeniedByAzurePolicy"),
        (409, "ScopeLocked", Stuck, "ResourceLocked"),
        (400, "RoleAssignmentLimitExceeded", Stuck, "RoleAssignmentLimit"),
        (409, "InvalidResourceLocation", Stuck, "IdentityLocationConflict"),
        (401, "InvalidAuthenticationToken", Blind, "OperatorNotAuthenticated"),
        (401, "ExpiredAuthenticationToken", Blind, "OperatorNotAuthenticated"),
        (401, "", Blind, "OperatorNotAuthenticated"),
        (401, "SomethingNew", Blind, "OperatorNotAuthenticated"),
        (403, "Forbidden", Stuck, "AzureRefused"),
        (400, "PrincipalNotFound", Transient, "PrincipalReplicating"),
        (409, "MissingSubscriptionRegistration", Stuck, "ProviderNotRegistered"),
        (404, "ResourceNotFound", Transient, "AzureResourceMissing"),
        (409, "Conflict", Transient, "AzureError"),
        (429, "TooManyRequests", Transient, "AzureThrottled"),
        (429, "AuthorizationFailed", Transient, "AzureThrottled"),
        (405, "BadRequestFormat", Stuck, "RegionWithoutFederation"),
        (0, "", Transient, "AzureUnreachable"),
    ],
)
def test_a_code_decides(status, code, kind, reason):
    fault = judge(refusal(status, code))
    assert (type(fault), fault.reason) == (kind, reason)


@given(st.integers(500, 599), st.sampled_from(["", "InternalServerError", "ServerTimeout"]))
def test_trouble_on_azures_side_passes(status, code):
    fault = judge(refusal(status, code, retry_after=7))
    assert (type(fault), fault.reason, fault.retry_after) == (Transient, "AzureError", 7)


PASSING = {401, 404, 405, 408, 409, 429}


@given(st.integers(400, 499).filter(lambda status: status not in PASSING))
def test_an_unknown_refusal_needs_a_person(status):
    fault = judge(refusal(status, "SomethingNew"))
    assert (type(fault), fault.reason) == (Stuck, "AzureRefused")
    assert "put identity: SomethingNew: said" in fault.message


@given(
    st.sampled_from([0, 400, 401, 403, 404, 409, 429, 500, 503]),
    st.sampled_from(["", "AuthorizationFailed", "PrincipalNotFound", "ScopeLocked", "Other"]),
    st.text() | st.sampled_from(["AuthorizationFailed", "TooManyRequests", "ScopeLocked"]),
)
def test_the_text_changes_nothing_but_the_text(status, code, text):
    plain, spoken = judge(refusal(status, code, "")), judge(refusal(status, code, text))
    assert (type(plain), plain.reason, plain.retry_after) == (
        type(spoken),
        spoken.reason,
        spoken.retry_after,
    )
    assert text in spoken.message


@pytest.mark.parametrize("status", [0, 401, 403, 404, 429, 503])
@pytest.mark.parametrize("reading", [True, False])
def test_only_a_read_that_fails_leaves_unseen_what_is(status, reading):
    assert judge(refusal(status, "AuthorizationFailed", reading=reading)).unseen is reading
    assert not Pending("RoleOnItsWay", "Wait.").unseen


def test_azure_may_say_how_long_to_wait():
    assert judge(refusal(429, retry_after=17)).retry_after == 17


def test_a_message_says_cause_and_fix_and_leaves_the_id_of_the_request_to_the_trace():
    one = judge(refusal(403, "AuthorizationFailed", request_id="abc"))
    other = judge(refusal(403, "AuthorizationFailed", request_id="def"))
    assert one.message == other.message
    assert (one.trace, other.trace) == ("abc", "def")
    assert "Managed Identity Contributor" in one.message
    lost = judge(refusal(401, "AADSTS700213", service=Service.ENTRA, request_id="ghi"))
    assert lost.trace == "ghi"


@pytest.mark.parametrize("status", [400, 403, 422])
def test_a_cluster_that_refuses_a_manifest_needs_a_person(status):
    fault = judge_cluster(KubernetesRefusal("PATCH /x", status, "Forbidden", "quota"))
    assert (type(fault), fault.reason) == (Stuck, "ClusterRefused")
    assert "quota" in fault.message


@pytest.mark.parametrize("status", [0, 401, 404, 409, 429, 500, 503])
def test_other_trouble_with_the_cluster_passes(status):
    fault = judge_cluster(KubernetesRefusal("PATCH /x", status, "", ""))
    assert (type(fault), fault.reason) == (Transient, "ClusterUnavailable")


def test_a_fault_reads_as_reason_and_message():
    assert str(Pending("RoleOnItsWay", "Wait.")) == "RoleOnItsWay: Wait."


AZURE = """
401 AuthenticationFailed OperatorNotAuthenticated
401 ExpiredAuthenticationToken OperatorNotAuthenticated
401 InvalidAuthenticationToken OperatorNotAuthenticated
401 InvalidAuthenticationTokenTenant OperatorNotAuthenticated
403 AuthorizationFailed AzureAccessDenied
403 LinkedAuthorizationFailed AzureAccessDenied
403 RequestDisallowedByPolicy DeniedByAzurePolicy
400 MissingApiVersionParameter AzureRefused
404 ResourceGroupNotFound ResourceGroupNotFound
404 ResourceNotFound AzureResourceMissing
404 ParentResourceNotFound AzureResourceMissing
404 SubscriptionNotFound SubscriptionNotFound
404 RoleAssignmentNotFound AzureResourceMissing
409 MissingSubscriptionRegistration ProviderNotRegistered
409 InvalidResourceLocation IdentityLocationConflict
409 ScopeLocked ResourceLocked
429 SubscriptionRequestsThrottled AzureThrottled
429 TooManyRequests AzureThrottled
400 BadRequest AzureRefused
404 BadRequest AzureResourceMissing
405 BadRequest RegionWithoutFederation
409 ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity ConcurrentWrites
400 PrincipalNotFound PrincipalReplicating
409 RoleAssignmentExists RoleAssignmentExists
400 RoleAssignmentUpdateNotPermitted RoleAssignmentNameTaken
400 RoleAssignmentLimitExceeded RoleAssignmentLimit
400 InvalidRoleAssignmentId AzureRefused
400 RoleDefinitionDoesNotExist RoleMissing
409 AccountIsNotSucceeded AzureError
409 AccountProvisioningStateInvalid AzureError
400 InsufficientQuota QuotaExceeded
409 RequestConflict ConcurrentWrites
"""
"""Every code that Resource Manager was seen or is documented to give for what the operator asks."""

ENTRA = {
    70021: "FederationMisconfigured",
    700211: "FederationMisconfigured",
    700212: "FederationMisconfigured",
    700213: "FederationMisconfigured",
    7002138: "FederationMisconfigured",
    70025: "FederationMisconfigured",
    700016: "IdentityUnknownToEntra",
    700024: "ClockSkew",
    90061: "IssuerUnreachable",
    50027: "TokenMalformed",
    90002: "TenantNotFound",
    7000216: "TokenMissing",
}


@pytest.mark.parametrize("line", AZURE.split("\n")[1:-1])
def test_each_code_of_resource_manager_is_known_and_tells_what_to_do(line):
    status, code, reason = line.split()
    assert code in {row.code for row in TABLE if row.service is Service.ARM}
    fault = judge(refusal(int(status), code))
    assert fault.reason == reason
    known = REASONS[reason]
    assert fault.message.startswith(f"{known.cause} {known.fix}")
    assert isinstance(fault, known.fault)


@pytest.mark.parametrize(("number", "reason"), ENTRA.items())
def test_each_number_of_entra_is_known_and_blinds_the_operator_whose_token_it_refuses(
    number, reason
):
    code = f"AADSTS{number}"
    assert code in {row.code for row in TABLE if row.service is Service.ENTRA}
    fault = judge(refusal(401, code, f"{code}: No.", service=Service.ENTRA))
    assert (type(fault), fault.reason) == (Blind, "OperatorNotAuthenticated")
    assert look_up(Service.ENTRA, 401, code).reason == reason
    known = REASONS[reason]
    assert f"{known.cause} {known.fix}" in fault.message


@pytest.mark.parametrize("status", [0, 429, 500, 503])
def test_an_entra_that_fails_passes(status):
    fault = judge(refusal(status, service=Service.ENTRA))
    assert (type(fault), fault.reason) == (Transient, "EntraUnavailable")


def test_a_number_of_entra_that_nobody_knows_says_that_the_token_was_refused():
    fault = judge(refusal(400, "AADSTS999999", service=Service.ENTRA))
    assert (type(fault), fault.reason) == (Blind, "OperatorNotAuthenticated")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Microsoft Entra ID error '(invalid_client) AADSTS700213: No.'", "AADSTS700213"),
        ("AADSTS7002138: differs by case. AADSTS700213", "AADSTS7002138"),
        ("AADSTS12: too short", ""),
        ("AADSTS123456789: too long", ""),
        ("no number", ""),
        ("AADSTS٧٠٠٢١٣: not Latin", ""),
    ],
)
def test_the_number_is_what_entra_begins_with(words, code):
    assert entra_code(words) == code


def test_no_answer_has_two_meanings_and_every_meaning_is_described():
    keys = [(row.service, row.status, row.code) for row in TABLE]
    assert len(set(keys)) == len(keys)
    assert {row.reason for row in TABLE} | {row.meanwhile for row in TABLE} - {""} <= set(REASONS)


@given(st.sampled_from(list(Service)), st.integers(0, 599), st.text(max_size=30))
def test_every_answer_means_something(service, status, code):
    assert isinstance(look_up(service, status, code), Row)
    assert REASONS[look_up(service, status, code).reason].fault is not None


def test_a_namespace_that_is_going_is_no_refusal():
    fault = judge_cluster(KubernetesRefusal("POST /x", 403, "NamespaceTerminating", ""))
    assert (type(fault), fault.reason) == (Pending, "NamespaceLeaving")
