from __future__ import annotations

import datetime as dt
import json

import pytest
from chatbot.upstream import OID, jwt
from chatbot_app import standing as s
from chatbot_app.claims import Presented
from chatbot_app.reasons import ChatReason, Reason, Refusal
from chatbot_app.words import for_readiness, for_visitor

NOW = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)
FRESH = s.Standing()
PROVEN = s.after_attempt(FRESH, None, now=NOW)


def test_a_chatbot_starts_unproven():
    assert s.document(FRESH) == {
        "reason": "Starting",
        "message": "The chatbot is starting.",
        "provenAt": None,
        "presented": None,
        "trace": None,
    }


def test_a_proof_is_reported_with_its_time():
    assert s.document(PROVEN) == {
        "reason": "Proven",
        "message": "The account answered with this chatbot's own token.",
        "provenAt": "2026-01-31T12:00:00Z",
        "presented": None,
        "trace": None,
    }


@pytest.mark.parametrize("reason", [r for r in Reason if r is not Reason.PROVEN])
def test_the_first_proof_latches_whatever_comes_after(reason):
    later = s.after_attempt(PROVEN, Refusal(reason), now=LATER)
    assert s.document(later)["reason"] == reason
    assert later.proven_at == NOW
    assert s.after_attempt(later, None, now=LATER).proven_at == NOW


def test_a_chat_without_deployment_is_reported_until_a_chat_succeeds():
    missing = s.after_chat(PROVEN, Refusal(Reason.DEPLOYMENT_NOT_FOUND))
    assert s.document(missing)["reason"] == "DeploymentNotFound"
    reproven = s.after_attempt(missing, None, now=LATER)
    assert s.document(reproven)["reason"] == "DeploymentNotFound"
    assert s.document(s.after_chat(reproven, None))["reason"] == "Proven"


def test_a_chat_without_role_is_reported_until_a_chat_or_a_proof_succeeds():
    denied = s.after_chat(PROVEN, Refusal(Reason.PERMISSION_DENIED))
    assert s.document(denied)["reason"] == "PermissionDenied"
    assert s.document(s.after_chat(denied, None))["reason"] == "Proven"
    assert s.document(s.after_attempt(denied, None, now=LATER))["reason"] == "Proven"


@pytest.mark.parametrize("reason", [Reason.THROTTLED, ChatReason.CONTENT_FILTERED])
def test_other_chat_failures_say_nothing_about_access(reason):
    assert s.after_chat(PROVEN, Refusal(reason)) == PROVEN


def test_a_chat_does_not_prove_an_unproven_chatbot():
    assert s.after_chat(FRESH, None).proven_at is None


def test_attempts_follow_after_20_60_and_120_seconds_and_then_every_120():
    standing, pauses = FRESH, []
    for _ in range(5):
        standing = s.after_attempt(standing, Refusal(Reason.PERMISSION_DENIED), now=NOW)
        pauses.append(s.pause_after(standing, recheck=300, random=lambda: 0.5))
    assert pauses == [20, 60, 120, 120, 120]


def test_a_proven_chatbot_repeats_the_attempt_at_its_own_pace():
    assert s.pause_after(PROVEN, recheck=300, random=lambda: 0.5) == 300
    failing = s.after_attempt(PROVEN, Refusal(Reason.THROTTLED), now=LATER)
    assert s.pause_after(failing, recheck=300, random=lambda: 0.5) == 300


def test_jitter_stays_within_a_fifth():
    assert s.pause_after(PROVEN, recheck=300, random=lambda: 0.0) == pytest.approx(240)
    assert s.pause_after(PROVEN, recheck=300, random=lambda: 1.0) == pytest.approx(360)


@pytest.mark.parametrize(("age", "wait"), [(0, 15), (10, 5), (15, 0), (3600, 0), (-3600, 15)])
def test_a_credential_is_tried_when_it_is_old_enough(age, wait):
    since = NOW - dt.timedelta(seconds=age)
    assert s.first_wait(since=since, delay=15, now=NOW) == wait


def test_a_token_of_the_right_principal_passes():
    assert s.wrong_principal(jwt({"oid": OID.upper()}), expected=OID) is None
    assert s.wrong_principal("opaque", expected="") is None


@pytest.mark.parametrize("token", [jwt({"oid": "other"}), jwt({}), "opaque", "a.%%%.c", "a.W10.c"])
def test_any_other_token_is_the_wrong_principal(token):
    refusal = s.wrong_principal(token, expected=OID)
    assert refusal is not None
    assert refusal.reason is Reason.WRONG_PRINCIPAL


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words_that_fit_the_document(reason):
    detail = f"line one\nline\x1b[31m two {jwt({'oid': 'x'})} " + "long " * 100
    message = for_readiness(Refusal(reason, detail))
    assert message
    assert len(message) <= 256
    assert message.isprintable()
    assert "eyJ" not in message
    json.dumps(s.document(s.after_attempt(FRESH, Refusal(reason, detail), now=NOW)))


def test_a_visitor_is_told_when_to_come_back():
    def words(seconds):
        return for_visitor(Refusal(Reason.THROTTLED, retry_after=seconds), deployment="gpt")

    assert "in a moment" in words(None)
    assert "in 1 second." in words(0.2)
    assert "in 45 seconds." in words(45)
    assert "in about 5 minutes" in words(300)
    assert "in about 24 hours" in words(86400)


def test_a_visitor_never_sees_details_of_the_account():
    refusal = Refusal(Reason.PERMISSION_DENIED, "The principal `secret-oid` lacks …")
    assert "secret-oid" not in for_visitor(refusal, deployment="gpt")


def test_what_the_pods_token_presents_is_told_and_outlives_later_attempts():
    claims = {"issuer": "https://i/", "subject": "s", "audience": "a"}
    standing = s.presenting(FRESH, Presented(**claims))
    refusal = Refusal(Reason.EXCHANGE_REFUSED, "AADSTS700213: No.", trace="0a-1")
    for later in (
        s.after_attempt(standing, refusal, now=NOW),
        s.after_attempt(standing, None, now=NOW),
    ):
        assert s.document(later)["presented"] == claims
    assert s.document(s.after_attempt(standing, refusal, now=NOW))["trace"] == "0a-1"
