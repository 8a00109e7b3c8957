"""What a refusal means: decided by status and code, never by what the text says."""

from __future__ import annotations

import pytest
from chatbot_operator.errors import (
    NOT_AUTHENTICATED,
    Blind,
    KubernetesRefusal,
    Pending,
    Refusal,
    Stuck,
    Transient,
    judge,
    judge_cluster,
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
        (401, NOT_AUTHENTICATED, Blind, "OperatorNotAuthenticated"),
        (400, NOT_AUTHENTICATED, Blind, "OperatorNotAuthenticated"),
        (403, "Forbidden", Stuck, "AzureRefused"),
        (400, "PrincipalNotFound", Transient, "AzureError"),
        (409, "MissingSubscriptionRegistration", Transient, "AzureError"),
        (404, "ResourceNotFound", Transient, "AzureError"),
        (409, "Conflict", Transient, "AzureError"),
        (429, "TooManyRequests", Transient, "AzureThrottled"),
        (429, "AuthorizationFailed", Transient, "AzureThrottled"),
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


@given(st.integers(400, 499).filter(lambda status: status not in {401, 404, 409, 429}))
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


def test_a_message_says_the_fix_and_leaves_out_what_differs_with_every_try():
    one = judge(refusal(403, "AuthorizationFailed", request_id="abc"))
    other = judge(refusal(403, "AuthorizationFailed", request_id="def"))
    assert one.message == other.message
    assert "Managed Identity Contributor" in one.message


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
