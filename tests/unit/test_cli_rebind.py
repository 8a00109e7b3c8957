"""What a chatbot may take over from an earlier life, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chatbot_operator import naming
from chatbot_operator.cli.checks import Check
from chatbot_operator.cli.command import Code
from chatbot_operator.cli.lives.claim import Case, Claim, abroad, case, warnings
from chatbot_operator.cli.lives.rebound import Found
from chatbot_operator.cli.lives.takeover import Taken, Takeover
from chatbot_operator.errors import KubernetesRefusal, Refusal
from chatbot_operator.naming import Owner
from chatbot_operator.ports import Assignment, Credential, Identity
from unit.bodies import ACCOUNT_ID, INSTALLATION
from unit.small_world import NOON, SmallAzure

MINE = Owner(INSTALLATION.cluster, "team", "support", "uid-now")
BEFORE = replace(MINE, uid="uid-before")
AT = naming.identity_id("s", "ai", naming.identity_name(MINE))
SUBJECT = naming.subject("team", "support")
ISSUER, FORMER = "https://issuer/", "https://former/"


def identity(owner=BEFORE, **tags):
    name = AT.rpartition("/")[2]
    return Identity(AT, name, "eu", "principal", "client", "tenant", {**owner.tags, **tags})


def claim(**how):
    live = how.pop("live", identity())
    return Claim(MINE, AT, live, case(live, MINE), account_id=ACCOUNT_ID, **how)


@pytest.mark.parametrize(
    ("live", "wanted"),
    [
        (None, Case.NONE),
        (identity(MINE), Case.ITS_OWN),
        (identity(BEFORE), Case.EARLIER),
        (identity(BEFORE, **{"chatbot-operator-retained": "true"}), Case.EARLIER),
        (identity(replace(BEFORE, cluster="other")), Case.OTHERS),
        (identity(replace(BEFORE, namespace="other")), Case.OTHERS),
        (identity(replace(BEFORE, name="other")), Case.OTHERS),
        (replace(identity(), tags={}), Case.OTHERS),
        (
            replace(identity(), tags={k: v for k, v in BEFORE.tags.items() if "uid" not in k}),
            Case.OTHERS,
        ),
    ],
)
def test_only_an_earlier_chatbot_of_the_very_name_is_taken_over_from(live, wanted):
    assert case(live, MINE) is wanted


def credential(issuer, *, name="", subject=SUBJECT):
    return Credential(name or naming.credential_name(issuer), issuer, subject, ("a",))


def role(scope=ACCOUNT_ID, definition=naming.OPENAI_USER_ROLE):
    return Assignment("r", scope, "principal", f"/x/{definition}", "")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"credentials": (credential(FORMER),)}, "can be the identity until the operator retires"),
        ({"credentials": (credential(ISSUER, name="mine"),)}, "none of the operator's"),
        ({"credentials": (credential(ISSUER, subject="repo:x"),)}, "repo:x of https://issuer/"),
        ({"credentials": None}, "who can be it is not known"),
        ({"roles": None}, "what it can do in the subscription is not known"),
        ({"roles": (role(definition="8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),)}, "more than a"),
        ({"roles": (role(scope="/subscriptions/s"),)}, "more than a chatbot needs"),
        ({"recorded": True}, "another cluster with this owner id took the identity over"),
        ({"suspended": True}, "suspended"),
    ],
)
def test_what_a_person_has_to_know_is_said(how, words):
    (said,) = warnings(claim(**how), ISSUER)
    assert words in said


def test_what_is_as_it_should_be_needs_no_word():
    assert list(warnings(claim(credentials=(credential(ISSUER),), roles=(role(),)), ISSUER)) == []


def test_without_this_clusters_issuer_none_is_called_former():
    (said,) = warnings(claim(credentials=(credential(ISSUER),)), "")
    assert "is not known" in said


def test_chatbots_of_another_owner_are_counted_by_the_names_they_would_have():
    earlier = replace(BEFORE, cluster="earlier")
    theirs = replace(identity(earlier), name=naming.identity_name(earlier))
    renamed = replace(identity(replace(earlier, name="other")), name="whatever")
    settled = replace(identity(MINE), name=naming.identity_name(MINE))
    names = [("team", "support"), ("team", "other")]
    found = abroad("earlier", [INSTALLATION], [theirs, renamed, settled], names)
    assert (found.claimed, found.settled) == ((("team", "support"),), 1)
    assert found.present == (INSTALLATION.cluster,)


@pytest.mark.parametrize(
    ("claims", "taken", "code"),
    [
        ((), None, Code.FINE),
        ((claim(),), None, Code.FOUND),
        ((claim(),), (), Code.FOUND),
        ((claim(),), (Taken(claim()),), Code.FINE),
        ((claim(),), (Taken(claim(), "no"),), Code.FOUND),
        ((claim(live=identity(MINE)),), None, Code.FINE),
        ((claim(live=identity(replace(BEFORE, cluster="other"))),), None, Code.FOUND),
    ],
)
def test_it_ends_with_what_is_left(claims, taken, code):
    assert Found(claims, ISSUER, taken=taken).code is code


def test_those_that_the_operator_has_not_heard_of_are_rung_again():
    tagged = claim(live=identity(MINE), waiting=True)
    assert Found((tagged, claim(live=identity(MINE))), ISSUER).unheard == (tagged,)


class Cluster:
    """A cluster with one chatbot."""

    def __init__(self, uid=MINE.uid, *, leaving=False, refusing=False) -> None:
        self.body = {"metadata": {"uid": uid, **({"deletionTimestamp": "x"} if leaving else {})}}
        self.refusing = refusing
        self.rung = []

    async def get(self, *_where):
        return self.body

    async def annotate(self, *_where, uid, key, value):
        if self.refusing:
            raise KubernetesRefusal("PATCH", 403, "Forbidden", "")
        self.rung.append((uid, key, value))


async def taken(cluster, azure, of=None):
    return await Takeover(cluster, azure, lambda: NOON).of(of or claim())


async def test_the_tags_are_set_and_others_stay():
    kept = identity(**{"team": "data", "Chatbot-Operator-Retained": "true"})
    azure, cluster = SmallAzure(held={AT: kept}), Cluster()
    done = await taken(cluster, azure, claim(live=kept))
    assert (done.trouble, done.heard) == ("", True)
    assert azure.held[AT].tags == {**MINE.tags, "team": "data"}
    assert [key for _, key, _ in cluster.rung] == ["chatbot-operator.dev/look-again"]


@pytest.mark.parametrize(
    ("cluster", "live", "words"),
    [
        (Cluster("uid-later"), identity(), "another one now"),
        (Cluster(leaving=True), identity(), "or leaves"),
        (Cluster(), identity(replace(BEFORE, uid="uid-other")), "not what it was"),
        (Cluster(), replace(identity(), principal_id="another"), "not what it was"),
        (Cluster(), None, "not what it was"),
    ],
)
async def test_what_was_not_shown_is_not_taken(cluster, live, words):
    azure = SmallAzure(held={AT: live} if live else {})
    done = await taken(cluster, azure)
    assert words in done.trouble
    assert azure.held == ({AT: live} if live else {})
    assert not cluster.rung


async def test_what_is_the_chatbots_by_now_is_done():
    azure = SmallAzure(held={AT: identity(MINE)})
    done = await taken(Cluster(refusing=True), azure)
    assert (done.trouble, done.heard) == ("", False)
    assert "tag identity" not in azure.asked


async def test_without_the_right_to_tag_it_is_said():
    azure = SmallAzure(held={AT: identity()})
    azure.unwritable = Refusal("tag", status=403, code="AuthorizationFailed", message="no")
    assert "you may not tag it" in (await taken(Cluster(), azure)).trouble


def test_the_report_names_everything_that_was_asked_for():
    (shown,) = Found((claim(credentials=(credential(FORMER),)),), ISSUER).document()["chatbots"]
    assert (shown["earlierUid"], shown["uid"]) == ("uid-before", "uid-now")
    assert shown["identity"] == AT
    assert len(shown["warnings"]) == 1
    assert Found((), ISSUER, gaps=(Check("x", "unknown"),)).document()["notKnown"]
