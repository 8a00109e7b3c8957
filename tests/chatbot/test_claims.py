"""What is read from a token, whatever it is."""

from __future__ import annotations

import base64
import json

import pytest
from chatbot_app.claims import LIMIT, Presented, claim, presented
from hypothesis import given
from hypothesis import strategies as st

CLAIMS = {"iss": "https://i/", "sub": "system:serviceaccount:a:b", "aud": ["api://x"]}


def token(claims):
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{body}.signature"


def test_a_projected_token_presents_issuer_subject_and_audience():
    assert presented(token(CLAIMS)) == Presented(
        "https://i/", "system:serviceaccount:a:b", "api://x"
    )
    assert presented(token({**CLAIMS, "aud": "api://x"})).audience == "api://x"
    assert presented(token({**CLAIMS, "aud": ["a", "b"]})).audience == "a, b"


@pytest.mark.parametrize("name", CLAIMS)
def test_a_token_that_lacks_a_claim_presents_nothing(name):
    assert presented(token({k: v for k, v in CLAIMS.items() if k != name})) is None


def test_a_claim_is_short():
    assert len(claim(token({"iss": "i" * 5000}), "iss")) == LIMIT


@given(st.text())
def test_what_is_no_token_presents_nothing(text):
    assert presented(text) is None


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_claims_are_survived(body):
    assert claim(token(body), "iss") == ""
