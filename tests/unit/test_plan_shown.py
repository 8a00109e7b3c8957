"""A plan as a person sees it, and as a program does."""

from __future__ import annotations

import io

from chatbot_operator.cli.checks import Mark
from chatbot_operator.cli.command import Code, Report
from chatbot_operator.cli.main import show
from chatbot_operator.cli.plan.laying import Laid
from chatbot_operator.cli.plan.shown import shown
from chatbot_operator.cli.plan.told import Access, Outlook, Plan, barred, confirmations
from chatbot_operator.cli.plan.writes import Difference, Side, Verb, Write
from chatbot_operator.cli.why.remedies import Known
from chatbot_operator.ports import CHATBOTS
from rich.console import Console

IDENTITY = Write(
    Side.AZURE,
    Verb.CREATE,
    "managed identity",
    "cb-x",
    "/subscriptions/s/cb-x",
    (Difference("location", None, "eastus"),),
)
DEPLOYMENT = Write(
    Side.CLUSTER,
    Verb.CHANGE,
    "Deployment",
    "support",
    "team/support",
    (Difference("spec.replicas", 2, 3), Difference("data.system-prompt", "", "", 17)),
    "Its pods are replaced.",
)
SERVICE = Write(Side.CLUSTER, Verb.LEAVE, "Service", "support", "team/support")
BY_HAND = Write(
    Side.AZURE,
    Verb.CREATE,
    "role assignment",
    "",
    "/s",
    command="az role assignment create " + "x" * 90,
)
KNOWN = Known(lambda *words: " ".join(("kubectl", *words)), account_name="contoso")
DENIED = barred("NamespaceNotAllowed", "Ask \x1b[2J[red]`kubectl annotate a b=c`", KNOWN)
WAITS = barred("PodsLeaving", "", KNOWN, mark=Mark.WAITING)


def outlook(name="team/support", **how):
    given = {
        "kind": CHATBOTS.kind,
        "manifest": None,
        "writes": (),
        "left": (),
        "access": Access.KEPT,
        "bar": None,
        "remains": (),
    }
    return Outlook(name=name, **{**given, **how})


def plan(*outlooks, notes=()):
    def spell(*words):
        return " ".join(("kubectl", *words))

    return Plan(outlooks, notes, 300.0, confirmations(outlooks, spell))


def printed(found, width=70):
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False)
    show(Report(found.document(), shown(found), found.code), as_json=False, console=console)
    return out.getvalue()


def test_writes_are_numbered_in_their_order_and_grouped_by_place():
    found = plan(outlook(writes=(DEPLOYMENT, IDENTITY), left=(SERVICE,)))
    said = printed(found)
    assert said.index("2. + create  managed identity cb-x") < said.index("1. ~ change  Deployment")
    assert "location: eastus" in said
    assert "spec.replicas: 2 -> 3" in said
    assert "data.system-prompt: 17 characters changed" in said
    assert "Its pods are replaced." in said
    assert "= leave  Service support" in said
    summed = "1 to create, 0 to change, 0 to delete in Azure; 0 to create, 1 to change, 0 to delete"
    assert summed in " ".join(said.split())


def test_what_bars_it_comes_after_the_writes_with_what_to_type():
    said = printed(plan(outlook(writes=(DEPLOYMENT,), bar=DENIED)))
    assert said.index("~ change") < said.index("✘ goes no further (wrong)  NamespaceNotAllowed")
    assert "\x1b[2J" not in said
    assert "    kubectl annotate" not in said, "words from elsewhere are not for typing"
    assert "    kubectl patch aoai contoso" in said
    assert "… waits (waiting)  PodsLeaving" in printed(plan(outlook(bar=WAITS)))


def test_commands_are_whole_however_narrow_the_terminal():
    found = plan(outlook(writes=(BY_HAND,), remains=("Left. To delete it: az x y; az z",)))
    said = printed(found, width=40)
    assert f"    {BY_HAND.command}\n" in said
    assert "    az x y\n" in said
    assert "    az z\n" in said
    assert "1 by hand" in said
    assert found.count()[Side.AZURE, Verb.CREATE] == 0


def test_who_loses_access_is_a_table_and_many_are_confirmed_at_once():
    held = [
        outlook(f"team/s{n}", access=Access.HELD, bar=barred("MassRevocationHeld", "Held.", KNOWN))
        for n in (1, 2)
    ]
    lost = outlook("a/b", access=Access.LOST, bar=DENIED, writes=(DEPLOYMENT,))
    found = plan(*held, lost)
    said = printed(found, width=100)
    assert "Held." not in said, "one breath for all of them"
    assert "team/s1  held back         MassRevocationHeld" in said
    assert "a/b      lost after 300 s  NamespaceNotAllowed" in said
    assert "2 would lose access at once: nothing is taken away." in said
    command = "kubectl annotate chatbot -n team s1 s2 chatbot-operator.dev/confirm-withdrawal=true"
    assert f"    {command}\n" in said
    assert found.document()["confirmations"] == [command]
    assert found.document()["objects"][0]["access"] == "held"


def test_the_code_says_whether_anything_would_be_written_or_bars():
    body = {"metadata": {"name": "support"}, "spec": {"replicas": 1}}
    more = {**body, "spec": {"replicas": 2}}
    assert plan(outlook(left=(SERVICE,))).code is Code.FINE
    assert plan(outlook(bar=WAITS)).code is Code.FINE
    assert plan(outlook(manifest=Laid(CHATBOTS, body, dict(body)))).code is Code.FINE
    for found in (
        {"writes": (DEPLOYMENT,)},
        {"bar": DENIED},
        {"manifest": Laid(CHATBOTS, None, body)},
        {"manifest": Laid(CHATBOTS, body, more)},
        {"manifest": Laid(CHATBOTS, body, None)},
    ):
        assert plan(outlook(**found)).code is Code.FOUND


def test_what_could_not_be_read_is_no_answer():
    unseen = barred("ClusterUnavailable", "", KNOWN, mark=Mark.UNKNOWN)
    found = plan(outlook(writes=(DEPLOYMENT,), bar=unseen))
    assert found.code is Code.UNANSWERED
    assert "? could not look on (unknown)  ClusterUnavailable" in printed(found)


def test_the_document():
    (found,) = plan(outlook(writes=(IDENTITY, BY_HAND), bar=DENIED)).document()["objects"]
    assert found["name"] == "team/support"
    identity, by_hand = found["writes"]
    assert identity == {
        "side": "Azure",
        "verb": "create",
        "kind": "managed identity",
        "name": "cb-x",
        "target": "/subscriptions/s/cb-x",
        "fields": [{"path": "location", "before": None, "after": "eastus"}],
    }
    assert by_hand["command"] == BY_HAND.command
    assert found["bar"]["facts"]["reason"] == "NamespaceNotAllowed"
    assert found["bar"]["ways"]
    (changed,) = plan(outlook(writes=(DEPLOYMENT,))).document()["objects"]
    assert changed["writes"][0]["fields"][1] == {
        "path": "data.system-prompt",
        "charactersChanged": 17,
    }
