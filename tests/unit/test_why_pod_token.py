"""`why pod/NAME`: what is judged of the token, its issuer and its tenant."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from chatbot_operator.cli.checks import Mark
from chatbot_operator.cli.pod import judging_token
from chatbot_operator.cli.pod.differences import difference, slip
from chatbot_operator.cli.pod.observed import BINDING, Claims, Unseen
from chatbot_operator.ports import Discovery, Tenancy
from unit.pod_world import (
    AUDIENCE,
    AZURE,
    CLUSTER,
    ISSUER,
    NOW,
    OTHER,
    SUBJECT,
    TENANT,
    kubectl,
    with_pod,
)

WORKED_OUT = replace(
    CLUSTER,
    claims=Claims(ISSUER, SUBJECT, AUDIENCE),
    trouble=Unseen("not known: you may not", "Ask."),
)


def test_a_token_is_told_by_its_claims():
    check = judging_token.token(CLUSTER)
    assert check.mark is Mark.OK
    assert "3600 seconds long" in check.found
    assert check.facts == {
        "iss": ISSUER,
        "sub": SUBJECT,
        "aud": AUDIENCE,
        "exp": "2026-05-04T12:10:00+00:00",
    }


def test_claims_that_are_worked_out_are_said_to_be():
    check = judging_token.token(WORKED_OUT)
    assert (check.mark, "worked out" in check.found) == (Mark.NOTE, True)


def test_without_an_issuer_the_right_that_lacks_is_named():
    check = judging_token.token(replace(WORKED_OUT, claims=Claims("", SUBJECT, AUDIENCE)))
    assert (check.mark, check.fix) == (Mark.UNKNOWN, "Ask.")


def test_an_identity_binding_is_told_of():
    assert "identity binding" in judging_token.token(with_pod(annotations={BINDING: "true"})).found


@pytest.mark.parametrize(
    ("issuer", "published", "mark", "words"),
    [
        (ISSUER, Discovery(ISSUER, frozenset({"key"})), Mark.OK, "answers here"),
        ("", Unseen("x"), Mark.UNKNOWN, "which one is not known"),
        ("https://kubernetes.default.svc", Unseen("x"), Mark.WRONG, "inside the cluster"),
        ("https://kubernetes.default.svc.cluster.local", Unseen("x"), Mark.WRONG, "inside the"),
        (ISSUER, Unseen("was not reached"), Mark.UNKNOWN, "was not reached"),
        (
            ISSUER,
            Discovery(ISSUER.rstrip("/"), frozenset({"key"})),
            Mark.WRONG,
            "it lacks the slash at its end",
        ),
        (ISSUER, Discovery(ISSUER, frozenset({"old"})), Mark.WRONG, "does not publish key key"),
    ],
)
def test_the_issuer_is_what_entra_can_verify_by(issuer, published, mark, words):
    cluster = replace(CLUSTER, claims=replace(CLUSTER.claims, issuer=issuer))
    check = judging_token.issuer(cluster, replace(AZURE, published=published))
    assert (check.mark, words in check.found) == (mark, True), check


def test_a_key_is_not_asked_for_where_there_is_no_token():
    azure = replace(AZURE, published=Discovery(ISSUER, frozenset()))
    assert judging_token.issuer(WORKED_OUT, azure).mark is Mark.OK


@pytest.mark.parametrize(
    ("changes", "mark", "words"),
    [
        ({}, Mark.OK, TENANT),
        ({"tenant": ""}, Mark.UNKNOWN, "none is known"),
        ({"tenant": OTHER}, Mark.WRONG, f"its identity is of {TENANT}"),
        ({"tenant": TENANT.upper()}, Mark.OK, TENANT),
        ({"tenant": "contoso.example"}, Mark.OK, "contoso.example"),
        ({"tenant": OTHER, "identity": None}, Mark.OK, OTHER),
        ({"tenancy": Tenancy("AADSTS90002")}, Mark.WRONG, "AADSTS90002"),
        ({"tenancy": Unseen("Entra was not reached")}, Mark.UNKNOWN, "not reached"),
    ],
)
def test_the_tenant_is_the_identitys(changes, mark, words):
    check = judging_token.tenant(CLUSTER, replace(AZURE, **changes), kubectl)
    assert (check.mark, words in check.found) == (mark, True), check


@pytest.mark.parametrize(
    ("seconds", "mark", "words"),
    [
        (0, Mark.OK, "as Entra's"),
        (59, Mark.OK, "as Entra's"),
        (-90, Mark.NOTE, "90 s ahead of"),
        (90, Mark.NOTE, "90 s behind"),
        (301, Mark.WRONG, "301 s behind"),
    ],
)
def test_the_api_servers_clock_is_compared_with_entras(seconds, mark, words):
    tenancy = Tenancy(at=NOW + dt.timedelta(seconds=seconds))
    check = judging_token.tenant(CLUSTER, replace(AZURE, tenancy=tenancy), kubectl)
    (clock,) = check.below
    assert (clock.mark, words in clock.found) == (mark, True), clock
    assert check.mark is (mark if mark is Mark.WRONG else Mark.OK)


def test_no_clock_is_compared_where_one_is_not_known():
    assert not judging_token.tenant(WORKED_OUT, AZURE, kubectl).below
    silent = replace(AZURE, tenancy=Tenancy())
    assert not judging_token.tenant(CLUSTER, silent, kubectl).below


@pytest.mark.parametrize(
    ("has", "should", "words", "slips"),
    [
        ("a", "a", "", True),
        ("https://a", "https://a/", "it lacks the slash at its end", True),
        ("https://a/", "https://a", "a slash at its end that should not be there", True),
        (" https://a", "https://a", "white space", True),
        ("https://A/", "https://a/", "in case only: from character 9 on", True),
        (
            "system:serviceaccount:team:web",
            "system:serviceaccount:other:web",
            "it names namespace team, not other",
            False,
        ),
        (
            "system:serviceaccount:a:b",
            "system:serviceaccount:c:d",
            "it names namespace a, not c and it names service account b, not d",
            False,
        ),
        ("system:user:a:b", "system:serviceaccount:a:b", "from character 8 on", False),
        (
            "https://westeurope.oic.prod-aks.azure.com/t/one/",
            "https://westeurope.oic.prod-aks.azure.com/t/two/",
            "“…azure.com/t/one/” where “…azure.com/t/two/” should be",
            False,
        ),
    ],
)
def test_a_difference_is_said_to_the_character(has, should, words, slips):
    said = difference(has, should)
    assert words in said if words else not said
    assert slip(has, should) is slips
