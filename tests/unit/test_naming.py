"""Names in Azure: valid, telling owners apart, and the same every time."""

from __future__ import annotations

import re
import uuid

from chatbot_operator import naming
from chatbot_operator.naming import Owner
from hypothesis import assume, example, given
from hypothesis import strategies as st
from unit.bodies import ACCOUNT_ID

LABELS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
CLUSTERS = st.one_of(st.uuids().map(str), st.text(min_size=1, max_size=40))
PRINCIPAL = "11111111-aaaa-1111-1111-111111111111"


def owner(namespace, name, *, cluster="c", uid="u"):
    return Owner(cluster, namespace, name, uid)


@given(CLUSTERS, LABELS, LABELS)
@example("c", "n" * 63, "c" * 63)
@example("c", "a", "b")
def test_an_identity_name_is_one_that_azure_takes(cluster, namespace, name):
    named = naming.identity_name(owner(namespace, name, cluster=cluster))
    assert re.fullmatch(r"[a-z0-9][-a-z0-9]{2,126}[a-z0-9]", named)


@given(st.text())
def test_a_credential_name_is_one_that_azure_takes(issuer):
    assert re.fullmatch(r"[a-z0-9][-a-z0-9]{2,119}", naming.credential_name(issuer))


@given(st.tuples(LABELS, LABELS), st.tuples(LABELS, LABELS))
def test_two_chatbots_never_share_an_identity(one, other):
    assume(one != other)
    assert naming.identity_name(owner(*one)) != naming.identity_name(owner(*other))


@given(st.lists(st.from_regex(r"[a-z0-9]{1,9}", fullmatch=True), min_size=3, max_size=8), st.data())
def test_chatbots_whose_joined_names_are_equal_never_share_an_identity(words, data):
    cuts = st.integers(1, len(words) - 1)
    one, other = data.draw(st.tuples(cuts, cuts).filter(lambda pair: pair[0] != pair[1]))
    names = {
        naming.identity_name(owner("-".join(words[:cut]), "-".join(words[cut:])))
        for cut in (one, other)
    }
    assert len(names) == 2


@given(LABELS, LABELS, CLUSTERS, CLUSTERS)
def test_two_clusters_never_share_an_identity(namespace, name, one, other):
    assume(one != other)
    assert naming.identity_name(owner(namespace, name, cluster=one)) != naming.identity_name(
        owner(namespace, name, cluster=other)
    )


def test_names_beyond_the_cut_still_differ():
    one, other = owner("n" * 63, "c" * 62 + "a"), owner("n" * 63, "c" * 62 + "b")
    assert naming.identity_name(one) != naming.identity_name(other)


def test_a_chatbot_made_again_under_its_name_finds_the_identity_and_bears_other_marks():
    before, after = owner("team", "support", uid="1"), owner("team", "support", uid="2")
    assert naming.identity_name(before) == naming.identity_name(after)
    assert before.tags != after.tags
    assert before.description != after.description


def test_a_slash_more_makes_another_issuer():
    one = naming.credential_name("https://oidc.example/tenant/")
    assert one != naming.credential_name("https://oidc.example/tenant")


def test_marks_say_whose_it_is_in_words():
    mine = Owner("cluster-uid", "team", "support", "uid")
    assert mine.description == "cluster-uid/team/support/uid"
    assert mine.tags == {
        "chatbot-operator-owner": "cluster-uid",
        "chatbot-operator-namespace": "team",
        "chatbot-operator-name": "support",
        "chatbot-operator-uid": "uid",
    }


def test_an_assignment_is_named_by_scope_and_principal_in_any_case():
    named = naming.assignment_name(ACCOUNT_ID, PRINCIPAL)
    assert str(uuid.UUID(named)) == named
    assert named == naming.assignment_name(ACCOUNT_ID.upper(), PRINCIPAL.upper())
    assert named != naming.assignment_name(f"{ACCOUNT_ID}2", PRINCIPAL)
    assert named != naming.assignment_name(ACCOUNT_ID, str(uuid.UUID(int=1)))


def test_names_are_those_of_earlier_versions():
    """A changed name would leave what a running installation made behind."""
    assert naming.identity_name(owner("team", "support")) == "cb-team-support-2w42deowol"
    assert naming.credential_name("https://issuer/") == "cb-ozziukh5kg"
    assert naming.assignment_name(ACCOUNT_ID, PRINCIPAL) == "bd0df740-e908-5e55-9bd4-8c0967d4a1dc"


def test_the_role_is_that_of_the_accounts_subscription():
    subscription = ACCOUNT_ID.split("/")[2]
    assert naming.role_definition_id(ACCOUNT_ID) == (
        f"/subscriptions/{subscription}/providers/Microsoft.Authorization"
        "/roleDefinitions/5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
    )
