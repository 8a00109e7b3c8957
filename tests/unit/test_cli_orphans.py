"""What is left over, of whom, and what is done about it: judgements, and the last look before."""

from __future__ import annotations

import contextlib
import io
from argparse import Namespace
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from chatbot_operator import naming
from chatbot_operator.cli.command import Code, UnansweredError
from chatbot_operator.cli.installed import installed
from chatbot_operator.cli.lives import azure as asking_azure
from chatbot_operator.cli.lives import home, listing, orphans
from chatbot_operator.cli.lives.azure import Questions, patiently
from chatbot_operator.cli.lives.judging import Life, Seen, guarded, leftovers, of_ours, of_shared
from chatbot_operator.cli.lives.leftover import Why
from chatbot_operator.cli.lives.looking import life
from chatbot_operator.cli.lives.removal import Removal
from chatbot_operator.cli.person import Person
from chatbot_operator.cli.reach import Asked, Reach
from chatbot_operator.errors import KubernetesRefusal, Refusal, Service
from chatbot_operator.naming import Owner
from chatbot_operator.ports import CHATBOTS, NAMESPACES, Assignment, Credential, Identity
from rich.console import Console
from unit.bodies import ACCOUNT_ID, account, chatbot_body
from unit.small_world import SmallAzure

GROUP = naming.group_id("s", "ai")
HERE, THERE = "here", "there"
GONE = Owner(HERE, "team", "support", "uid-before")
ISSUER = "https://issuer/"
IDENTITY_PATH = "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/theirs"


def identity(owner=GONE, *, name="", **tags):
    at = f"{GROUP}/providers/x/y/{name or naming.identity_name(owner)}"
    tagged = {**owner.tags, **tags}
    return Identity(at, at.rpartition("/")[2], "eu", f"p-{owner.uid}", "c", "t", tagged)


def assignment(owner=GONE, **changes):
    principal = changes.pop("principal", f"p-{owner.uid}")
    made = Assignment(
        naming.assignment_name(ACCOUNT_ID, principal),
        ACCOUNT_ID,
        principal,
        naming.role_definition_id(ACCOUNT_ID),
        owner.description,
    )
    return replace(made, **changes)


def credential(owner=GONE, *, name="", issuer=ISSUER):
    name = name or naming.shared_credential_name(owner, issuer)
    return Credential(name, issuer, naming.subject(owner.namespace, owner.name), ("a",))


def seen(*identities, assignments=(), shared=None, living=(), life=None):
    names = (GONE.namespace, GONE.name)
    return Seen(
        frozenset({HERE}),
        ISSUER,
        HERE,
        {each.id.lower(): each for each in identities},
        tuple(assignments),
        {"/shared": tuple(shared or ())},
        frozenset(living),
        {names: life or Life()},
    )


def found(what, asked=""):
    return [(each.kind, each.why) for each in leftovers(what, asked)]


@pytest.mark.parametrize(
    ("life", "why"),
    [
        (Life(), Why.CHATBOT_GONE),
        (Life(namespace_gone=True), Why.NAMESPACE_GONE),
        (Life("uid-now"), Why.ANOTHER_LIFE),
    ],
)
def test_what_a_chatbot_left_is_found_with_its_role_first(life, why):
    left = seen(identity(), assignments=[assignment()], life=life)
    assert found(left) == [("RoleAssignment", why), ("Identity", why)]


def test_what_lives_is_not_left_over():
    assert found(seen(identity(), assignments=[assignment()], living={GONE.uid})) == []
    # The list of chatbots is older than the identity.
    assert found(seen(identity(), assignments=[assignment()], life=Life(GONE.uid))) == []


def test_an_owner_that_nobody_was_asked_for_is_not_found():
    nobody = replace(GONE, name="other")
    assert found(seen(identity(nobody), assignments=[assignment(nobody)])) == []


def test_what_another_owner_made_is_found_only_when_asked_for():
    theirs = replace(GONE, cluster=THERE)
    both = seen(identity(theirs), identity())
    assert found(both) == [("Identity", Why.CHATBOT_GONE)]
    assert found(both, THERE) == [("Identity", Why.OTHER_OWNER)]
    assert found(both, "all") == [("Identity", Why.CHATBOT_GONE), ("Identity", Why.OTHER_OWNER)]


def test_what_another_owner_made_is_barred_until_that_owner_is_named():
    theirs = seen(identity(replace(GONE, cluster=THERE)))
    (left,) = leftovers(theirs, "all")
    assert f"--owner {THERE}" in guarded(left, theirs, "all").barred
    assert guarded(left, theirs, THERE).barred == ""


def test_what_a_living_chatbot_had_under_another_owner_id_is_barred():
    theirs = replace(GONE, cluster=THERE)
    (left,) = leftovers(seen(identity(theirs), living={GONE.uid}), THERE)
    assert (left.why, "lives" in left.barred) == (Why.ANOTHER_IDENTITY, True)


def test_a_name_that_the_operator_does_not_give_bars_the_deletion():
    (left,) = leftovers(seen(identity(name="cb-team-support-mine")))
    assert "its name" in left.barred


def test_a_role_of_an_identity_that_was_taken_over_is_the_operators_to_write_anew():
    rebound = replace(identity(replace(GONE, uid="uid-now")), principal_id=f"p-{GONE.uid}")
    assert found(seen(rebound, assignments=[assignment()], living={"uid-now"})) == []


def test_a_role_of_an_identity_that_is_gone_is_left_over_although_the_chatbot_lives():
    dangling = assignment(principal="p-of-before")
    alive = seen(identity(), assignments=[dangling], living={GONE.uid})
    assert found(alive) == [("RoleAssignment", Why.ANOTHER_IDENTITY)]
    unknown = seen(assignments=[dangling], living={GONE.uid})
    assert found(unknown) == [], "its identity may be where nobody looked"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "another"},
        {"description": "a/b/c"},
        {"description": ""},
        {"role_definition_id": "/x/acdd72a7-3385-48ef-bd42-f606fba81ae7"},
    ],
)
def test_an_assignment_without_all_marks_is_nobodys(change):
    assert of_ours(assignment(**change)) is None
    assert of_ours(assignment()) == GONE


def test_a_shared_credential_is_known_by_chatbot_owner_and_issuer():
    owners = frozenset({HERE, THERE})
    assert of_shared(credential(), owners) == replace(GONE, uid="")
    assert of_shared(credential(), frozenset({THERE})) is None
    assert of_shared(credential(name="pipeline"), owners) is None
    assert of_shared(replace(credential(), subject="repo:x"), owners) is None
    assert of_shared(replace(credential(), issuer="https://other/"), owners) is None


@pytest.mark.parametrize(
    ("life", "why"),
    [
        (Life(), [Why.CHATBOT_GONE]),
        (Life(namespace_gone=True), [Why.NAMESPACE_GONE]),
        (Life("any", uses=frozenset({"/shared"})), []),
        (Life("any", uses=frozenset({"/another"})), [Why.ANOTHER_IDENTITY]),
    ],
)
def test_a_shared_credential_is_left_over_where_nobody_of_the_name_runs_by_it(life, why):
    assert [w for _, w in found(seen(shared=[credential()], life=life))] == why


def test_what_trusts_another_issuer_is_barred_until_its_owner_is_named():
    what = seen(identity())
    (left,) = leftovers(what)
    own = replace(left, credentials=(Credential("cb", ISSUER, "s", ()),))
    other = replace(left, credentials=(Credential("cb", "https://other/", "s", ()),))
    assert guarded(own, what, "").barred == ""
    assert "https://other/" in guarded(other, what, "").barred
    assert guarded(other, what, HERE).barred == ""
    assert guarded(own, replace(what, issuer=""), "").barred, "this cluster's issuer is not known"
    both = replace(left, credentials=own.credentials + other.credentials)
    assert "https://other/" in guarded(both, what, "").barred, "another cluster may be it, too"


@pytest.mark.parametrize("kind", ["RoleAssignment", "Identity"])
def test_what_nothing_tells_the_cluster_of_is_barred_until_its_owner_is_named(kind):
    what = seen(identity(), assignments=[assignment()])
    (left,) = (each for each in leftovers(what) if each.kind == kind)
    unread, none = replace(left, credentials=None), replace(left, credentials=())
    assert "not known" in guarded(unread, what, "").barred
    assert guarded(unread, what, HERE).barred == ""
    assert guarded(none, what, "").barred == "", "no other cluster has this one's uid"
    chosen = replace(what, uid="of kube-system")
    assert "OWNER_ID" in guarded(none, chosen, "").barred
    assert guarded(none, chosen, HERE).barred == ""


@pytest.mark.parametrize(
    ("roles", "credentials", "usable"),
    [
        ((assignment(),), (credential(),), True),
        ((), (credential(),), False),
        ((assignment(),), (), False),
        (None, (credential(),), None),
        (None, (), False),
    ],
)
def test_it_can_be_used_by_a_role_and_a_credential(roles, credentials, usable):
    (left,) = leftovers(seen(identity()))
    assert replace(left, roles=roles, credentials=credentials).usable is usable


def test_what_was_not_looked_at_is_never_fine():
    gap = asking_azure.Check("identities", asking_azure.Mark.UNKNOWN)
    (left,) = leftovers(seen(identity()))
    assert listing.Found(()).code is Code.FINE
    assert listing.Found((), gaps=(gap,)).code is Code.UNANSWERED
    assert listing.Found((left,), gaps=(gap,)).code is Code.FOUND


@dataclass
class Cluster:
    """As much of a cluster as the last look needs."""

    chatbots: dict[tuple[str, str], Any] = field(default_factory=dict)
    known: bool = True
    uid: str = "here"
    trouble: KubernetesRefusal | None = None

    async def get(self, resource, namespace, name):
        if self.trouble:
            raise self.trouble
        if resource == NAMESPACES:
            return {"metadata": {"uid": self.uid}} if name == "kube-system" else None
        return self.chatbots.get((namespace, name))

    async def serves(self, _resource):
        return self.known

    async def every(self, resource):
        if self.trouble:
            raise self.trouble
        return [] if resource != CHATBOTS else list(self.chatbots.values())


LISTED = account(identity={"existing": [{"name": "shared", "id": "/Shared"}]})


@pytest.mark.parametrize(
    ("accounts", "identity", "uses"),
    [
        ((LISTED,), {"existing": "shared"}, {"/shared"}),
        ((LISTED,), None, set()),
        ((LISTED,), {"existing": "another"}, set()),
        ((), {"existing": "shared"}, set()),
        ((replace(LISTED, name="another"),), {"existing": "shared"}, {"/shared"}),
    ],
    ids=["listed", "its own", "another", "unknown", "of an account that is gone"],
)
async def test_a_chatbot_uses_what_accounts_say_and_not_what_its_status_says(
    accounts, identity, uses
):
    body = chatbot_body(**({"identity": identity} if identity else {}))
    forged = account().account_id.partition("/providers/")[0] + IDENTITY_PATH
    body["status"]["identity"] = {"id": forged}
    here = replace(HOME, accounts=accounts)
    found = await life(here, Cluster({("team", "support"): body}), "team", "support")
    assert found.uses == frozenset(uses)


HOME = home.Home("here", ISSUER, (), (account(),), ())


async def removed(cluster, azure, what):
    (left,) = leftovers(what)
    (done,) = await Removal(HOME, cluster, azure, what).every([left], lambda _: None)
    return done.trouble


async def test_what_is_as_it_was_listed_is_deleted():
    azure, left = SmallAzure(held={identity().id: identity()}), seen(identity())
    assert await removed(Cluster(), azure, left) == ""
    assert azure.held == {}
    assert await removed(Cluster(), azure, left) == "", "it is gone already"


async def test_what_was_taken_over_meanwhile_is_not_deleted():
    now = identity(**{"chatbot-operator-uid": "uid-now"})
    azure = SmallAzure(held={identity().id: now})
    assert "changed" in await removed(Cluster(), azure, seen(identity()))
    assert azure.held


@pytest.mark.parametrize(
    ("cluster", "words"),
    [
        (Cluster(known=False), "not what it was"),
        (Cluster(uid="another"), "not what it was"),
        (Cluster(trouble=KubernetesRefusal("GET", 403, "Forbidden", "")), "could not be seen"),
        (Cluster(trouble=KubernetesRefusal("GET", 0, "", "")), "could not be seen"),
    ],
)
async def test_without_an_answer_of_this_very_cluster_nothing_is_deleted(cluster, words):
    azure = SmallAzure(held={identity().id: identity()})
    assert words in await removed(cluster, azure, seen(identity()))
    assert azure.held


async def test_a_chatbot_that_is_there_after_all_keeps_what_it_has():
    body = chatbot_body()
    body["metadata"]["uid"] = GONE.uid
    azure = SmallAzure(held={identity().id: identity()})
    cluster = Cluster({("team", "support"): body})
    assert "is there now" in await removed(cluster, azure, seen(identity()))
    assert azure.held


async def test_a_failure_is_told_and_stops_no_other():
    what = seen(identity(), assignments=[assignment()])
    azure = SmallAzure(held={identity().id: identity()})
    azure.assigned[ACCOUNT_ID, assignment().name] = assignment()
    azure.unwritable = Refusal("delete", status=403, code="AuthorizationFailed", message="no")
    done = await Removal(HOME, Cluster(), azure, what).every(leftovers(what), lambda _: None)
    assert ["you may not" in each.trouble for each in done] == [True, True]


@pytest.mark.parametrize(
    ("cluster", "words"),
    [
        (Cluster(known=False), "CustomResourceDefinition"),
        (
            Cluster(trouble=KubernetesRefusal("GET", 403, "Forbidden", "")),
            "You may not list azureopenaichatbots",
        ),
    ],
)
async def test_a_cluster_that_does_not_tell_has_nothing_gone(cluster, words):
    class Reach:
        async def cluster(self):
            return cluster

    with pytest.raises(UnansweredError, match=words):
        await home.look(Reach())


async def test_for_one_chatbot_nobody_needs_to_see_them_all():
    class Some(Cluster):
        async def every(self, resource):
            if resource == CHATBOTS:
                raise KubernetesRefusal("GET", 403, "Forbidden", "")
            return []

        async def select(self, *_where):
            return []

        async def issuer(self):
            return ISSUER

    class Reach:
        async def cluster(self):
            return Some()

    with pytest.raises(UnansweredError, match="You may not list azureopenaichatbots"):
        await home.look(Reach())
    assert (await home.look(Reach(), fleet=False)).owners == {"here"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"resource_group": ["contoso"]}, "no ARM id"),
        ({"delete": True, "owner": "all"}, "name that owner"),
        ({"yes": True}, "for --delete"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_anything_is_asked(given, words):
    plain = {"resource_group": [], "owner": "", "retained": False, "delete": False, "yes": False}
    with pytest.raises(UnansweredError, match=words):
        await orphans.run(Namespace(**plain | given), None, None)


def test_a_person_says_how_many():
    asked = []

    def answering(answer):
        return Person(lambda _: None, lambda question: asked.append(question) or answer)

    assert answering("3\n").consents("Delete?", 3, yes=False)
    assert not answering("yes\n").consents("Delete?", 3, yes=False)
    assert not answering("").consents("Delete?", 3, yes=False)
    nobody = Person(lambda _: None, None)
    assert nobody.consents("Delete?", 3, yes=True)
    with pytest.raises(UnansweredError, match="--yes"):
        nobody.consents("Delete?", 3, yes=False)


def refusal(status, code="", **more):
    return Refusal("list", status=status, code=code, message="no", **more)


async def test_what_azure_does_not_say_is_kept_apart_from_nothing():
    async def refused(how):
        raise how

    asking = Questions()
    assert await asking.ask("a", "x/read", lambda: refused(refusal(404, "ResourceNotFound"))) == []
    assert asking.gaps == []
    assert await asking.ask("b", "x/read", lambda: refused(refusal(403, "Authorization"))) is None
    assert await asking.ask("c", "x/read", lambda: refused(refusal(500))) is None
    assert ["x/read" in gap.found for gap in asking.gaps] == [True, False]
    with pytest.raises(Refusal):
        await asking.ask("d", "x/read", lambda: refused(refusal(401, service=Service.ENTRA)))


async def test_a_pause_that_azure_asks_for_is_made(monkeypatch):
    slept, answers = [], [refusal(429, retry_after=7), refusal(429, retry_after=900), "there"]

    async def sleep(seconds):
        slept.append(seconds)

    async def call():
        answer = answers.pop(0)
        if isinstance(answer, Refusal):
            raise answer
        return answer

    monkeypatch.setattr(asking_azure.asyncio, "sleep", sleep)
    assert await patiently(call) == "there"
    assert slept == [7, asking_azure.LONGEST_PAUSE]


def deployment(*env, **more):
    container = {"name": "operator", "env": list(env), **more}
    return {
        "metadata": {"namespace": "chatbot-operator"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def test_an_owner_id_that_is_kept_elsewhere_is_not_known():
    named = {"name": "OWNER_ID", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "y"}}}
    host = {"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    assert installed(deployment(named, host), [], None).unsaid == ("OWNER_ID",)
    all_of_them = installed(deployment(host, envFrom=[{"configMapRef": {"name": "x"}}]), [], None)
    assert "OWNER_ID" in all_of_them.unsaid
    assert "HOST" not in all_of_them.unsaid
    with pytest.raises(UnansweredError, match="OWNER_ID from a ConfigMap"):
        home._settings(installed(deployment(named), [], None))


def printed(found, width=300):
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(listing.shown(found), crop=False)
    return out.getvalue()


def test_each_is_shown_with_what_and_whose_it_is_and_why():
    (left,) = leftovers(seen(identity(), life=Life("uid-now")))
    whole = replace(
        left,
        roles=(assignment(created="2026-01-31T12:00:00+00:00"),),
        credentials=(credential(),),
    )
    text = printed(listing.Found((whole,), command="kubectl chatbot orphans --delete"), 60)
    assert f"    {identity().id}\n" in text, "whole, however narrow the terminal"
    text = " ".join(text.split())
    for words in (
        "of team/support (uid uid-before)",
        "`kubectl chatbot rebind support -n team` lets it take",
        "can still be used (its role is from 2026-01-31)",
        "1 thing left over. To delete them, after a question: kubectl chatbot orphans --delete",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"roles": ()}, "cannot be used: it has no role"),
        ({"roles": (assignment(),), "credentials": ()}, "no credential lets anybody be it"),
        ({}, "is not known: its roles may not be listed"),
        ({"barred": "look at it yourself"}, "not deleted from here: look at it yourself"),
        ({"retained": True}, "retained on purpose"),
        ({"why": Why.OTHER_OWNER}, f"owner id {HERE}"),
    ],
)
def test_what_is_to_be_known_of_it_is_said(how, words):
    (left,) = leftovers(seen(identity()))
    assert words in printed(listing.Found((replace(left, **how),)))


def test_nothing_is_left_over_only_where_everything_was_looked_at():
    assert "Nothing is left over." in printed(listing.Found(()))
    gap = asking_azure.Check("identities", asking_azure.Mark.UNKNOWN, "not known")
    assert "Nothing" not in printed(listing.Found((), gaps=(gap,)))


def test_without_an_account_nobody_says_where_to_look():
    (blind,) = orphans._blind(replace(HOME, accounts=()), Namespace(resource_group=[]))
    assert blind.mark is asking_azure.Mark.UNKNOWN


def test_the_command_that_deletes_says_what_was_asked():
    given = Namespace(resource_group=["/s/g"], owner="x y", retained=True, delete=False)
    reach = Reach(Asked(context="prod", namespace="team", cloud="China"), {}, None)
    assert orphans._deleting(given, reach) == (
        "kubectl chatbot orphans --delete --resource-group /s/g --owner 'x y' --retained -n team"
        " --cloud China --context prod"
    )
    given.owner = "all"
    assert orphans._deleting(given, reach) == ""


@pytest.mark.parametrize(
    ("chatbots", "given", "refused"),
    [
        ((), {"yes": True, "owner": ""}, True),
        ((), {"yes": True, "owner": "here"}, False),
        ((), {"yes": False, "owner": ""}, False),
        (({},), {"yes": True, "owner": ""}, False),
    ],
)
def test_where_no_chatbot_lives_nothing_is_deleted_unasked(chatbots, given, refused):
    with pytest.raises(UnansweredError) if refused else contextlib.nullcontext():
        orphans._require_no_restore(replace(HOME, chatbots=chatbots), Namespace(**given))
