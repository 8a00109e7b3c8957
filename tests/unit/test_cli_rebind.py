"""What a chatbot may take over from an earlier life, and what is said of it."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from chatbot_operator import naming
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.cli.checks import Check
from chatbot_operator.cli.command import Code
from chatbot_operator.cli.installed import installed
from chatbot_operator.cli.lives.azure import Questions
from chatbot_operator.cli.lives.claim import Case, Claim, abroad, case, warnings
from chatbot_operator.cli.lives.claiming import claims_of
from chatbot_operator.cli.lives.home import Home
from chatbot_operator.cli.lives.rebound import Found, shown
from chatbot_operator.cli.lives.takeover import Taken, Takeover
from chatbot_operator.errors import KubernetesRefusal, Refusal, Service
from chatbot_operator.naming import Owner
from chatbot_operator.ports import Assignment, Credential, Identity
from rich.console import Console
from unit.bodies import ACCOUNT_ID, INSTALLATION, account, chatbot_body
from unit.small_world import NOON, SmallAzure

POD = {"template": {"spec": {"containers": [{"name": "operator"}]}}}
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


def printed(found, width=80):
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(shown(found), crop=False)
    return out.getvalue()


def test_one_is_shown_with_all_that_its_identity_has():
    found = Found((claim(credentials=(credential(FORMER),), roles=(role(),)),), ISSUER)
    text = " ".join(printed(replace(found, command="kubectl chatbot rebind"), 300).split())
    for words in (
        "team/support can take over the identity of an earlier chatbot",
        f"identity {AT}",
        "principal principal",
        "earlier uid uid-before, now uid-now",
        f"role OpenAI User on {ACCOUNT_ID}",
        f"trusts {SUBJECT} of {FORMER}",
        "until the operator retires that credential",
        "To have it done, after a question: kubectl chatbot rebind",
    ):
        assert words in text


def test_many_have_a_row_each_and_a_warning_once():
    owners = [replace(MINE, name=f"bot-{n}") for n in range(8)]
    many = tuple(
        replace(
            claim(credentials=(credential(FORMER, subject=naming.subject("team", o.name)),)),
            owner=o,
        )
        for o in owners
    )
    text = printed(Found(many, ISSUER), 200)
    assert text.count("it trusts tokens of https://former/") == 1
    assert "and 3 more" in text
    assert "CHATBOT" in text
    assert "8 chatbots can take over" in text


def test_what_was_done_is_summed_up():
    quiet = Taken(claim())
    text = printed(Found((claim(),), ISSUER, taken=(quiet,)), 200)
    assert "1 chatbot rebound, 0 left." in text
    assert "within 10 minutes" in text
    heard = printed(Found((claim(),), ISSUER, taken=(Taken(claim(), heard=True),)), 200)
    assert "looks at 1 of them at once" in heard
    failed = printed(Found((claim(),), ISSUER, taken=(Taken(claim(), "you may not tag it"),)), 200)
    assert "you may not tag it" in failed
    assert "0 chatbots rebound, 1 left." in failed


def test_what_may_not_be_read_is_not_fine():
    unknown = replace(claim(), case=Case.UNKNOWN, said="not known: you may not")
    assert Found((unknown,), ISSUER).code is Code.UNANSWERED
    assert "? team/support (unknown)  not known" in printed(Found((unknown,), ISSUER), 200)


INSTALLED = installed({"metadata": {"namespace": "ops"}, "spec": POD}, [], None)


CONTOSO = account()


def at_home(accounts=(CONTOSO,), watched=()):
    here = replace(INSTALLATION, identity_resource_group="ai", watched=watched)
    return Home("c", ISSUER, ((INSTALLED, here),), tuple(accounts), ())


async def claimed(home, azure, **spec):
    deleted = spec.pop("deleted", None)
    body = chatbot_body(**spec)
    if deleted:
        body["metadata"]["deletionTimestamp"] = deleted
    (found,) = await claims_of(home, [Chatbot.parse(body)], azure, Questions())
    return found


async def test_an_identity_is_looked_for_where_the_operator_would_make_it():
    home, azure = at_home(), SmallAzure()
    at = (await claimed(home, azure)).at
    mine = Owner("c", "team", "support", chatbot_body()["metadata"]["uid"])
    assert at == naming.identity_id(account().subscription, "ai", naming.identity_name(mine))
    azure.held[at] = replace(identity(replace(mine, uid="uid-before")), id=at)
    found = await claimed(home, azure)
    assert (found.case, found.earlier, found.owner) == (Case.EARLIER, "uid-before", mine)


@pytest.mark.parametrize(
    ("home", "spec", "words"),
    [
        (at_home(accounts=()), {}, "no AzureOpenAIAccount contoso"),
        (at_home(watched=("another",)), {}, "No operator watches namespace team"),
        (at_home(), {"identity": {"existing": "theirs"}}, "which others made"),
        (at_home(), {"deleted": "2026-01-31T12:00:00Z"}, "being deleted"),
    ],
)
async def test_whoever_can_take_over_nothing_is_told_why(home, spec, words):
    found = await claimed(home, SmallAzure(), **spec)
    assert (found.case, words in found.said) == (Case.BARRED, True)


@pytest.mark.parametrize(("status", "case_"), [(403, Case.UNKNOWN), (404, Case.NONE)])
async def test_an_identity_that_may_not_be_read_is_not_absent(status, case_):
    code = {403: "AuthorizationFailed", 404: "ResourceGroupNotFound"}[status]
    azure = SmallAzure(unreadable=Refusal("read", status=status, code=code, message="no"))
    assert (await claimed(at_home(), azure)).case is case_


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal("read", status=500, code="", message="no"),
        Refusal("read", status=403, code="", message="no", service=Service.ENTRA),
    ],
    ids=["an error", "not signed in"],
)
async def test_what_is_no_matter_of_one_identity_ends_it(refusal):
    with pytest.raises(Refusal):
        await claimed(at_home(), SmallAzure(unreadable=refusal))
