"""What `why` says of what was seen: the tree, its marks, its sum."""

from __future__ import annotations

import copy
import datetime as dt
import io
import shlex

import pytest
from chatbot_operator import ports
from chatbot_operator.chatbot import FINALIZER, LEAVE_AZURE
from chatbot_operator.cli import show
from chatbot_operator.cli.checks import Mark
from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.doctor import shipped
from chatbot_operator.cli.doctor.running import Leading
from chatbot_operator.cli.installed import Installed
from chatbot_operator.cli.main import parser
from chatbot_operator.cli.unread import Unread
from chatbot_operator.cli.why import WHY, absent, account, chatbot, fleet, run
from chatbot_operator.cli.why.remedies import Known
from chatbot_operator.cli.why.running import Running, check
from chatbot_operator.cli.why.seen import DEFINITION, Seen
from chatbot_operator.errors import REASONS, KubernetesRefusal
from chatbot_operator.ports import CHATBOTS
from chatbot_operator.status import STEPS
from rich.console import Console
from unit.bodies import account_body, chatbot_body

NOW = dt.datetime(2026, 1, 31, 12, 0, tzinfo=dt.UTC)


def ago(seconds):
    return (NOW - dt.timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def kubectl(*words):
    return shlex.join(("kubectl", *words))


INSTALLED = Installed("ops", "operator:1", "client", 2, 2, None)


def lease(holder="a", renewed=2):
    spec = {"holderIdentity": holder, "renewTime": ago(renewed)}
    return {"metadata": {"resourceVersion": "1"}, "spec": spec}


RUNNING = Running((INSTALLED,), {"ops": Leading(lease(), None, NOW)})


def condition(kind, status="True", reason="Allowed", message="As it should be.", for_=600):
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": ago(for_),
    }


def body(*told, metadata=None, status=None, **spec):
    """A chatbot whose steps are as they should be but for those that are told."""
    made = chatbot_body(**spec)
    made["metadata"] |= {"creationTimestamp": ago(7200), **(metadata or {})}
    fine = {kind: condition(kind) for kind in (*STEPS, "LeastPrivilege", "Ready")}
    made["status"] = {
        "observedGeneration": 3,
        "url": "http://support.team.svc",
        "conditions": list({**fine, **{c["type"]: c for c in told}}.values()),
        **(status or {}),
    }
    return made


def seen(it, **more):
    given = {
        "now": NOW,
        "kubectl": kubectl,
        "chatbot": it,
        "account": account_body(),
        "accounts": (),
        "namespace": {"metadata": {"name": "team"}},
        "pods": [],
        "warnings": [],
        "running": RUNNING,
        **more,
    }
    return Seen(**given)


def why(*told, metadata=None, status=None, spec=None, **more):
    it = body(*told, metadata=metadata, status=status, **(spec or {}))
    return chatbot.verdict(seen(it, **more))


def named(verdict, name):
    return next(each for each in verdict.tree.all() if each.name == name)


def failing(kind, reason, message="", for_=600, status="False"):
    """A step that fails, Ready that says so, and the steps behind it."""
    behind = STEPS[STEPS.index(kind) + 1 :]
    return [
        condition("Ready", status, reason, message, for_),
        condition(kind, status, reason, message, for_),
        *(condition(each, "Unknown", "NotReached", f"Waits for {kind}.") for each in behind),
    ]


def test_a_chatbot_that_works_is_said_to_and_where_it_is():
    found = why()
    assert (found.ready, found.tree.mark) == (True, Mark.OK)
    assert found.tree.found == "Ready for 10 minutes, at http://support.team.svc"
    assert [each.name for each in found.tree.below] == [
        *("operator", "Permitted", "IdentityReady", "WorkloadReady", "AccessProven"),
        "LeastPrivilege",
    ]
    assert [each.name for each in named(found, "IdentityReady").below] == [
        "RoleAssigned",
        "FederationReady",
    ]


def test_the_step_that_fails_says_cause_fix_since_when_and_what_to_type():
    known = REASONS["RoleMisconfigured"]
    message = f"{known.cause} The role is there. {known.fix} The pod said no."
    found = why(*failing("AccessProven", "RoleMisconfigured", message))
    step = named(found, "AccessProven")
    assert (found.tree.mark, found.ready) == (Mark.WRONG, False)
    assert (found.reason, found.message) == ("RoleMisconfigured", message)
    assert step.found == "RoleMisconfigured, for 10 minutes"
    assert (step.cause, step.fix) == (known.cause, known.fix)
    assert step.said == "The role is there. The pod said no."
    assert any(way.commands for way in step.ways)


def test_words_that_say_it_better_than_the_table_stand_alone():
    message = "AzureOpenAIAccount contoso does not allow namespace team. Ask those who own it."
    step = named(why(*failing("Permitted", "NamespaceNotAllowed", message)), "Permitted")
    assert (step.cause, step.fix) == (message, "")


def test_steps_behind_wait_and_have_nothing_to_type():
    found = why(*failing("Permitted", "NamespaceNotAllowed", "No."))
    for kind in STEPS[1:]:
        step = named(found, kind)
        assert (step.mark, step.found) == (Mark.WAITING, "Waits for Permitted.")
        assert not (step.cause)
        assert not (step.fix)
        assert not (step.ways)


def test_a_wait_says_how_long_already_and_how_long_it_may_take():
    told = failing("AccessProven", "RolePropagating", "Azure is spreading it.", 900, "Unknown")
    found = why(*told, status={"grantedAt": {"role": ago(240)}})
    step = named(found, "AccessProven")
    assert (found.tree.mark, step.mark) == (Mark.WAITING, Mark.WAITING)
    assert step.found == "RolePropagating, for 4 minutes"
    assert step.fix.startswith("Nothing to type: wait. It takes up to 15 minutes as a rule;")
    assert "4 minutes have passed" in step.fix
    assert step.ways == ()


def test_a_wait_that_lasts_too_long_is_wrong_and_has_something_to_type():
    found = why(
        *failing("WorkloadReady", "PodsStarting", "The pods are starting.", 3000, "Unknown")
    )
    step = named(found, "WorkloadReady")
    assert step.mark is Mark.WRONG
    assert any(way.commands for way in step.ways)


def test_trouble_of_a_chatbot_that_works_is_found_and_it_is_ready():
    found = why(condition("Degraded", "True", "Throttled", "Too many requests.", 6000))
    assert found.ready
    assert (found.tree.mark, named(found, "Degraded").mark) == (Mark.WRONG, Mark.WRONG)


def test_a_reason_of_a_newer_operator_is_told_as_it_is():
    step = named(why(*failing("Permitted", "FromTheFuture", "Who knows.")), "Permitted")
    assert (step.mark, step.cause) == (Mark.WRONG, "Who knows.")
    assert "older than the operator" in step.fix


def test_what_is_meant_to_be_shared_is_worth_a_note():
    found = why(condition("LeastPrivilege", "False", "SharedIdentity", "Others may be it."))
    assert (named(found, "LeastPrivilege").mark, found.tree.mark) == (Mark.NOTE, Mark.OK)
    found = why(condition("LeastPrivilege", "False", "SharedServiceAccount", "pod x"))
    assert found.tree.mark is Mark.WRONG


# What the conditions cannot know.


def test_an_operator_that_is_not_there_is_said_first():
    found = why(running=Running((), {}), metadata={"generation": 4})
    first = found.tree.below[0]
    assert (first.name, first.mark, first.found) == ("operator", Mark.WRONG, "none is installed")
    assert found.reason == "NotLookedAt"
    assert not found.ready


def test_an_operator_out_of_sight_that_works_is_none_that_is_missing():
    found = why(running=Running((), {}))
    assert (found.tree.below[0].mark, found.tree.mark) == (Mark.NOTE, Mark.OK)


OPERATORS = {
    "none ready": (Running((Installed("ops", "", "", 2, 0, None),), {}), "none of its 2 pods"),
    "stopped": (Running((Installed("ops", "", "", 0, 0, None),), {}), "scaled to 0 in ops"),
    "given back": (
        Running((INSTALLED,), {"ops": Leading(lease(""), lease(""), NOW)}),
        "nobody holds",
    ),
    "never taken": (Running((INSTALLED,), {"ops": Leading(None, None, NOW)}), "nobody holds"),
    "not renewed": (
        Running((INSTALLED,), {"ops": Leading(lease("a", 300), lease("a", 300), NOW)}),
        "last renewed 5 minutes ago",
    ),
}


@pytest.mark.parametrize("case", OPERATORS)
def test_an_operator_that_does_not_work_is_said_first(case):
    running, words = OPERATORS[case]
    first = why(running=running).tree.below[0]
    assert (first.name, first.mark) == ("operator", Mark.WRONG)
    assert words in first.found
    assert first.ways[0].commands
    stale = named(why(running=running, metadata=STALE), "status")
    assert (stale.mark, stale.fix, stale.ways) == (Mark.WRONG, "", ())


def test_a_lease_that_is_renewed_by_another_clock_is_fine():
    told = Leading(lease("a", 3600), lease("a", 3596), NOW)
    first = why(running=Running((INSTALLED,), {"ops": told})).tree.below[0]
    assert first.mark is Mark.OK


def test_a_crd_that_lacks_something_is_told_with_what_mends_it():
    (definition,) = [d for _, d in shipped.definitions() if d["metadata"]["name"] == DEFINITION]
    established = {"conditions": [{"type": "Established", "status": "True"}]}
    same = {**definition, "status": established}
    assert not [c for c in why(definition=same).tree.all() if c.name == DEFINITION]
    old = copy.deepcopy(same)
    schema = old["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    del schema["properties"]["spec"]["properties"]["suspend"]
    found = named(why(definition=old), DEFINITION)
    assert (found.mark, found.found[:9]) == (Mark.WRONG, "is older:")
    assert found.commands[0].endswith("azureopenaichatbots.yaml")


def test_an_operator_that_looks_elsewhere_is_named():
    class Settings:
        watched = ("other",)

    one = Installed("ops", "", "", 1, 1, Settings())
    first = check(Running((one,), {}), "team", Known(kubectl), NOW, fresh=False)
    assert first.found == "none looks at namespace team"
    assert "ops" in first.cause


def test_what_a_team_may_not_read_is_said_and_makes_nothing_doubtful():
    right = Unread("list deployments.apps everywhere")
    found = why(running=right, account=Unread("get aoai"), namespace=Unread("get namespaces"))
    first = found.tree.below[0]
    assert (first.mark, first.found) == (
        Mark.UNKNOWN,
        "not known: you may not list deployments.apps everywhere",
    )
    assert found.tree.mark is Mark.OK
    found = why(pods=Unread("list pods"), warnings=Unread("list events"))
    assert named(found, "pods").mark is Mark.UNKNOWN
    assert named(found, "events").found == "not known: you may not list events"


def fields(seconds, manager="kubectl", **more):
    return {"manager": manager, "time": ago(seconds), "operation": "Update", **more}


STALE = {"generation": 4, "managedFields": [fields(10), fields(1, "chatbot-operator")]}
OLD = {"generation": 4, "managedFields": [fields(300), fields(1, "x", subresource="status")]}


def test_a_change_that_has_just_been_made_is_about_to_be_looked_at():
    found = why(metadata=STALE)
    step = named(found, "status")
    assert (step.mark, found.tree.mark, found.ready) == (Mark.WAITING, Mark.WAITING, False)
    assert step.found == "the operator has not looked at the last change for 10 seconds"


def test_a_change_that_nobody_looks_at_is_wrong():
    step = named(why(metadata=OLD), "status")
    assert step.mark is Mark.WRONG
    assert "kubectl chatbot doctor" in step.ways[0].commands


def test_a_chatbot_that_nobody_has_ever_looked_at():
    it = body()
    it["status"] = {"observedGeneration": -1}
    found = chatbot.verdict(seen(it))
    assert found.tree.found == "not looked at by the operator yet"
    assert named(found, "status").mark is Mark.WRONG
    assert found.reason == "NotLookedAt"


def test_a_namespace_on_its_way_out_is_said():
    gone = {"metadata": {"name": "team", "deletionTimestamp": ago(60)}}
    found = named(why(namespace=gone), "namespace team")
    assert (found.mark, found.found[:17]) == (Mark.WRONG, "is being deleted,")


def test_an_older_crd_is_told_and_no_traceback():
    it = body()
    del it["spec"]["suspend"]
    with pytest.raises(UnansweredError, match="CRDs in the cluster are older"):
        chatbot.verdict(seen(it))


def test_an_older_crd_of_accounts_is_told_likewise():
    it = account_body()
    del it["spec"]["serviceTypes"]
    with pytest.raises(UnansweredError, match="CRDs in the cluster are older"):
        account.verdict(it, RUNNING, NOW, kubectl)
    with pytest.raises(UnansweredError, match="CRDs in the cluster are older"):
        why(account=it)


def test_a_suspended_chatbot_says_what_sets_it_free():
    told = [condition("Ready", "Unknown", "Suspended", "The operator writes nothing.")]
    found = why(*told, spec={"suspend": True})
    assert not found.ready
    (way,) = named(found, "suspend").ways
    assert '{"spec":{"suspend":false}}' in way.commands[0]


# A deletion that waits.

LEAVING = {"deletionTimestamp": ago(300), "finalizers": [FINALIZER]}


def test_a_deletion_that_waits_for_a_person_says_why_and_how_to_let_go():
    told = condition("Ready", "False", "ResourceLocked", "Being deleted. Locked.")
    found = why(told, metadata=LEAVING)
    step = named(found, "deletion")
    assert found.tree.found == "being deleted, for 5 minutes"
    assert (step.mark, step.found) == (Mark.WRONG, "ResourceLocked, for 5 minutes")
    assert f"{LEAVE_AZURE}=true" in step.ways[-1].commands[0]
    assert not [each for each in found.tree.all() if each.name in STEPS]


def test_who_lets_go_already_is_not_told_to():
    told = condition("Ready", "False", "ResourceLocked", "Being deleted. Locked.")
    found = why(told, metadata={**LEAVING, "annotations": {LEAVE_AZURE: "true"}})
    commands = [c for way in named(found, "deletion").ways for c in way.commands]
    assert commands
    assert not any(LEAVE_AZURE in command for command in commands)


def test_a_deletion_that_has_just_begun_is_waited_for():
    told = condition("Ready", "False", "PodsLeaving", "Being deleted. Waiting for the pods.")
    found = why(told, metadata={**LEAVING, "deletionTimestamp": ago(30)})
    assert named(found, "deletion").mark is Mark.WAITING
    assert not found.ready


def test_a_deletion_that_nobody_has_looked_at_says_nothing_of_before():
    told = condition("Ready", "False", "ResourceLocked", "Locked.")
    found = why(told, metadata={**LEAVING, "generation": 4})
    assert [each.name for each in found.tree.below] == ["operator", "status"]
    assert named(found, "status").found.endswith("has not looked at the deletion for 5 minutes")
    assert (found.reason, found.tree.mark) == ("NotLookedAt", Mark.WRONG)


def test_a_finalizer_of_somebody_elses_is_named():
    found = why(metadata={**LEAVING, "finalizers": ["example.com/hold"]})
    assert "example.com/hold" in named(found, "deletion").found


# Pods and events.


def pod(name="support-7d9c5b-x2x8k", *, conditions=(), containers=(), **metadata):
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": ago(600),
            "ownerReferences": [{"kind": "ReplicaSet", "name": "support-7d9c5b"}],
            **metadata,
        },
        "status": {
            "conditions": [{"lastTransitionTime": ago(120), **each} for each in conditions],
            "containerStatuses": list(containers),
        },
    }


READY = {"type": "Ready", "status": "True"}
UNREADY = {"type": "Ready", "status": "False"}
ENDED = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}

PODS = {
    "ready": (pod(conditions=[READY]), Mark.OK, "ready for 2 minutes"),
    "not ready": (
        pod(conditions=[UNREADY], containers=[{"state": {"running": {}}}]),
        Mark.WAITING,
        "runs, and is not ready, for 2 minutes",
    ),
    "starting": (
        pod(containers=[{"state": {"waiting": {"reason": "ContainerCreating"}}}]),
        Mark.WAITING,
        "is starting, for 10 minutes",
    ),
    "no image": (
        pod(containers=[{"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no x"}}}]),
        Mark.WRONG,
        "ImagePullBackOff: no x",
    ),
    "crashing": (
        pod(
            containers=[
                {
                    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
                    "lastState": ENDED,
                }
            ]
        ),
        Mark.WRONG,
        "CrashLoopBackOff: back-off; it ended with OOMKilled (137)",
    ),
    "started again": (
        pod(conditions=[READY], containers=[{"restartCount": 3, "lastState": ENDED}]),
        Mark.OK,
        "ready for 2 minutes; started again 3 times, last after OOMKilled (137)",
    ),
    "unscheduled": (
        pod(conditions=[{"type": "PodScheduled", "status": "False", "message": "0/3 nodes"}]),
        Mark.WRONG,
        "no node takes it",
    ),
    "ending": (pod(conditions=[READY], deletionTimestamp=ago(1)), Mark.NOTE, "is ending"),
}


@pytest.mark.parametrize("case", PODS)
def test_a_pod(case):
    it, mark, words = PODS[case]
    (found,) = named(why(pods=[it]), "WorkloadReady").below
    assert (found.name, found.mark, found.found) == ("pod support-7d9c5b-x2x8k", mark, words)


def test_nobody_is_told_to_wait_for_a_pod_that_no_node_takes():
    told = failing("WorkloadReady", "PodsStarting", "The pods are starting.", 60, "Unknown")
    found = why(*told, pods=[PODS["unscheduled"][0]])
    assert found.tree.mark is Mark.WRONG
    assert named(found, "WorkloadReady").fix == ""
    assert "wait" in named(why(*told), "WorkloadReady").fix


def test_the_worst_pods_come_first_and_many_are_counted():
    many = [pod(f"support-7d9c5b-{n:05}", conditions=[READY]) for n in range(12)]
    stranger = pod("other", conditions=[UNREADY], ownerReferences=[])
    bad = PODS["crashing"][0]
    found = named(why(pods=[*many, bad, stranger]), "WorkloadReady").below
    assert found[0].name == "pod support-7d9c5b-x2x8k"
    assert found[-1].found == "5 more, none of them worse"
    crash = failing("WorkloadReady", "CrashLoop", "Ends.")
    step = named(why(*crash, pods=[*many, bad]), "WorkloadReady")
    assert "pod/support-7d9c5b-x2x8k" in step.ways[0].commands[0]


def event(reason, note="Words.", seconds=60, kind="Pod", name="support-7d9c5b-x2x8k"):
    return {
        "metadata": {"creationTimestamp": ago(3000)},
        "eventTime": ago(seconds),
        "reason": reason,
        "note": note,
        "regarding": {"kind": kind, "name": name},
    }


def test_warnings_from_before_all_was_well_are_over():
    old, new = event("Old", seconds=700), event("New", seconds=60)
    found = named(why(warnings=[old, new]), "recent warnings").below
    assert [each.name for each in found] == ["New"]


def test_recent_warnings_are_each_told_once_the_newest_first():
    told = [event("BackOff", seconds=s) for s in (600, 60)]
    told += [event("FailedCreate", "quota", 90, "ReplicaSet", "support-7d9c5b")]
    told += [event(f"Old{n}", seconds=1000 + n) for n in range(9)]
    crash = failing("WorkloadReady", "CrashLoop", "Ends.")
    found = named(why(*crash, warnings=told), "recent warnings").below
    assert [each.name for each in found] == ["BackOff", "FailedCreate", "Old0", "Old1", "Old2"]
    assert found[0].found == "60 seconds ago, of Pod support-7d9c5b-x2x8k: Words."


STRANGERS = [
    event("A", name="support-eu-7d9c5b-x2x8k"),
    event("B", kind="ReplicaSet", name="support-eu-7d9c5b"),
    event("C", kind="Service", name="other"),
    event("D", kind="Node", name="support"),
]


@pytest.mark.parametrize("stranger", STRANGERS, ids=lambda each: each["reason"])
def test_warnings_of_others_are_left_out(stranger):
    assert not [c for c in why(warnings=[stranger]).tree.all() if c.name == "recent warnings"]


def test_what_the_conditions_say_already_is_not_told_twice():
    told = failing("Permitted", "NamespaceNotAllowed", "No.")
    twice = event("NamespaceNotAllowed", kind="AzureOpenAIChatbot", name="support")
    found = why(*told, warnings=[twice])
    assert not [c for c in found.tree.all() if c.name == "recent warnings"]


def test_what_an_earlier_chatbot_of_the_name_was_told_is_left_out():
    told = event("NamespaceNotAllowed", kind="AzureOpenAIChatbot", name="support")
    assert named(why(warnings=[told]), "recent warnings")
    told["regarding"]["uid"] = "of-an-earlier-one"
    assert not [c for c in why(warnings=[told]).tree.all() if c.name == "recent warnings"]


# Accounts, names, fleets.


def about(told=None, seen_=RUNNING, **spec):
    it = account_body(**spec)
    if told is not None:
        it["status"] = {**it["status"], **told}
    return account.verdict(it, seen_, NOW, kubectl)


def test_an_account_that_is_usable():
    found = about()
    assert (found.ready, found.tree.mark) == (True, Mark.OK)
    assert "deployments: gpt-4o, mini" in found.tree.found


def test_an_account_says_its_trouble_and_its_findings():
    trouble = condition("Usable", "False", "NoCustomSubdomain", "contoso has no custom subdomain.")
    finding = {"type": "KeyAccess", "severity": "Warning", "message": "Keys open it."}
    same = {"type": "NoCustomSubdomain", "severity": "Error", "message": "contoso has none."}
    found = about({"conditions": [trouble], "findings": [same, finding]})
    assert (found.ready, found.tree.mark, found.reason) == (False, Mark.WRONG, "NoCustomSubdomain")
    assert [each.name for each in found.tree.below] == ["operator", "Usable", "KeyAccess"]
    assert named(found, "Usable").ways[0].commands[0].endswith("--custom-domain contoso")
    assert named(found, "KeyAccess").mark is Mark.NOTE


def test_an_account_that_lacks_rights_is_wrong_though_usable():
    less = condition("RightsFit", "False", "HoldsLess", "It lacks much.")
    usable = condition("Usable", reason="Usable")
    found = about({"conditions": [usable, less]})
    assert (found.ready, found.tree.mark) == (True, Mark.WRONG)


def test_an_account_that_nobody_has_looked_at():
    found = about({"conditions": [], "observedGeneration": -1})
    assert (found.ready, found.reason) == (False, "NotLookedAt")
    assert found.tree.found == "not looked at by the operator yet"


def at(namespace, name, *told, **metadata):
    it = body(*told)
    it["metadata"] |= {"namespace": namespace, "name": name, **metadata}
    return it


def test_a_name_that_is_not_there_brings_those_that_may_be_meant():
    here, there = [at("team", "support"), at("team", "writer")], [at("other", "suport")]
    said = absent.words("team", "suport", here, elsewhere=[*here, *there])
    assert said.startswith("There is no chatbot suport in namespace team. Like it: support.")
    assert said.endswith("One of that name is in: -n other.")
    blind = Unread("list azureopenaichatbots everywhere")
    assert "not known: you may not list" in absent.words("team", "x", blind, elsewhere=blind)
    assert "none at all there" in absent.words("team", "x", [], elsewhere=[])


def fleet_of(*bodies):
    return fleet.rows(bodies, NOW, kubectl)


def test_those_that_need_somebody_come_first():
    sad = at("b", "sad", condition("Ready", "False", "ImageNotAllowed", "No. Really."))
    slow = at("a", "slow", condition("Ready", "Unknown", "RolePropagating", "Soon.", 60))
    new = at("a", "new")
    new["status"] = {"observedGeneration": -1}
    tired = at("a", "tired", condition("Degraded", "True", "Throttled", "Too many."))
    found = fleet_of(at("a", "fine"), slow, sad, new, tired)
    assert [(row.name, str(row.mark), row.ready) for row in found] == [
        ("tired", "wrong", True),
        ("sad", "wrong", False),
        ("new", "waiting", False),
        ("slow", "waiting", False),
        ("fine", "ok", True),
    ]
    assert found[2].reason == "NotLookedAt"
    assert found[-1].url == "http://support.team.svc"


def test_the_table_has_a_line_each_and_first_an_operator_that_does_not_work():
    found = fleet_of(at("a", "sad", condition("Ready", "False", "ImageNotAllowed", "No. Really.")))
    operator = check(Running((), {}), "", Known(kubectl), NOW, fresh=False)
    out = io.StringIO()
    console = Console(file=out, width=100)
    console.print(fleet.shown(found, operator, NOW, kubectl, namespace=""))
    text = out.getvalue()
    assert text.index("none is installed") < text.index("sad")
    assert "No." in text
    assert "Really" not in text
    assert text.rstrip().endswith("\n    kubectl chatbot why sad -n a")


def table_of(found, width, namespace=""):
    out = io.StringIO()
    operator = check(RUNNING, "", Known(kubectl), NOW, fresh=True)
    shown = fleet.shown(found, operator, NOW, kubectl, namespace=namespace)
    Console(file=out, width=width).print(shown, crop=False)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_no_name_and_no_reason_is_ever_broken_into_lines():
    told = condition("Ready", "False", "DeploymentNotAllowed", "It allows gpt-4o, and no other.")
    found = fleet_of(at("help", "typo", told), at("help", "fine"))
    head, sad, fine = table_of(found, 120)[:3]
    assert head.split() == ["NAMESPACE", "NAME", "FOR", "REASON", "WHAT"]
    assert sad.endswith("DeploymentNotAllowed  It allows gpt-4o, and no other.")
    assert fine.endswith("http://support.team.svc")
    head, sad, what, fine = table_of(found, 72)[:4]
    assert head.split() == ["NAMESPACE", "NAME", "FOR", "REASON"]
    assert sad.endswith("DeploymentNotAllowed")
    assert what == "    It allows gpt-4o, and no other."
    assert fine.endswith("  Allowed  http://support.team.svc")
    assert table_of(found, 30)[1].endswith("DeploymentNotAllowed")


def test_where_there_are_none_is_said_and_what_shows_all():
    none = table_of([], 80, "default")
    assert none == [
        "There is no chatbot in namespace default. Those of all:",
        "    kubectl chatbot why -A",
    ]
    assert table_of([], 80) == ["There is no chatbot in the cluster."]


class Cluster:
    """Fails at first, and then has a chatbot that is not Ready, and then is."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)

    async def get(self, resource, *_):
        if resource != CHATBOTS:
            return None
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def select(self, *_, **__):
        return []

    async def every(self, *_):
        return []


class World:
    """A reach to that cluster, whose clock goes on by a minute with every look."""

    def __init__(self, cluster) -> None:
        self.there = cluster
        self.time = NOW
        self.kubectl = kubectl

    async def cluster(self):
        return self.there

    async def namespace(self):
        return "team"

    def now(self):
        self.time += dt.timedelta(seconds=1)
        return self.time


GONE = KubernetesRefusal("GET /x", 0, "ClientConnectorError", "")
BROKEN = KubernetesRefusal("GET /x", 503, "ServiceUnavailable", "")
REFUSED = KubernetesRefusal("GET /x", 403, "Forbidden", "")
WAITING = body(condition("Ready", "Unknown", "PodsStarting", "Soon."))


async def watched(monkeypatch, *answers, timeout="60"):
    monkeypatch.setattr("chatbot_operator.cli.why.run.WATCH_SECONDS", 0)
    monkeypatch.setattr("chatbot_operator.cli.why.seen.AGAIN_SECONDS", 0)
    arguments = parser().parse_args(["why", "support", "-w", "--timeout", timeout])
    return await WHY.run(arguments, World(Cluster(*answers)))


async def test_it_looks_on_though_the_cluster_is_away_for_a_while(monkeypatch):
    report = await watched(monkeypatch, GONE, WAITING, BROKEN, body())
    assert (report.code, report.document["ready"]) == (0, True)


async def test_it_ends_where_looking_on_will_not_help(monkeypatch):
    with pytest.raises(KubernetesRefusal):
        await watched(monkeypatch, WAITING, REFUSED, body())
    with pytest.raises(KubernetesRefusal):
        await watched(monkeypatch, GONE, body(), timeout="0")
    report = await watched(monkeypatch, WAITING, timeout="0")
    assert (report.code, report.document["ready"]) == (1, False)


def test_a_tree_is_read_in_a_narrow_terminal():
    found = why(*failing("Permitted", "NamespaceNotAllowed", "No. " * 30))
    out = io.StringIO()
    Console(file=out, width=50).print(show.tree(found.tree), crop=False)
    commands = [line for line in out.getvalue().splitlines() if "kubectl patch" in line]
    assert commands == [f"    {c}" for w in named(found, "Permitted").ways for c in w.commands]


@pytest.mark.parametrize(
    ("words", "kind", "name"),
    [
        ("", CHATBOTS, ""),
        ("support", CHATBOTS, "support"),
        ("chatbot/support", CHATBOTS, "support"),
        ("azureopenaichatbot.chatbot-operator.dev/support", CHATBOTS, "support"),
        ("aoai/contoso", ports.ACCOUNTS, "contoso"),
        ("azureopenaiaccount.chatbot-operator.dev/contoso", ports.ACCOUNTS, "contoso"),
        ("pod/web", ports.PODS, "web"),
        ("deployment.apps/web", ports.PODS, "web"),
    ],
)
def test_names_are_taken_as_kubectl_gives_them(words, kind, name):
    assert run.named(words) == (kind, name)


@pytest.mark.parametrize("words", ["pod/", "chatbot/", "secret/x", "/x", "a/b/c", "/"])
def test_a_name_of_another_kind_or_of_none_is_refused(words):
    with pytest.raises(UnansweredError, match=r"is none of|wants a name"):
        run.named(words)
