"""The status: what the steps found, summed up, without a contradiction."""

from __future__ import annotations

import datetime as dt

import pytest
from chatbot_operator.errors import Stuck
from chatbot_operator.status import (
    STEPS,
    Condition,
    because,
    by_type,
    document,
    false,
    parse,
    stamp,
    summarize,
    transitioned,
    true,
    turn,
    unknown,
)
from chatbot_operator.words import plain
from hypothesis import given
from hypothesis import strategies as st
from unit.kstatus import verdict

NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
LATER = NOON + dt.timedelta(minutes=5)
ALL_TRUE = [true(step, "Done", "Fine.") for step in STEPS]
DEGRADED = true("Degraded", "Throttled", "429")

CONDITIONS = st.builds(
    Condition,
    type=st.just(""),
    status=st.sampled_from(["True", "False", "Unknown"]),
    reason=st.sampled_from(["One", "Two"]),
    message=st.text(max_size=20),
)


@st.composite
def findings(draw):
    """What a pass may have found: any steps, in any order, any of them missing."""
    steps = draw(st.permutations(STEPS))[: draw(st.integers(0, len(STEPS)))]
    found = [
        Condition(step, c.status, c.reason, c.message) for step in steps for c in [draw(CONDITIONS)]
    ]
    return [*found, DEGRADED] if draw(st.booleans()) else found


def written(conditions, *, previous=None, now=NOON, generation=3, **facts):
    return document(conditions, facts, generation=generation, previous=previous or {}, now=now)


def of(conditions):
    return {c.type: c for c in conditions}


@given(findings(), st.booleans())
def test_ready_is_true_exactly_when_every_step_is(found, stalled):
    summary = of(summarize(found, stalled=stalled))
    steps = [summary[step].status for step in STEPS]
    assert (summary["Ready"].status == "True") == (steps == ["True"] * len(STEPS))


@given(findings(), st.booleans())
def test_it_is_at_rest_or_reconciling_or_stalled_and_never_two_of_them(found, stalled):
    summary = of(summarize(found, stalled=stalled))
    ready = summary["Ready"].status == "True"
    assert [ready, "Reconciling" in summary, "Stalled" in summary].count(True) == 1
    assert ("Stalled" in summary) == (stalled and not ready)


@given(findings(), st.booleans())
def test_every_step_is_there_once(found, stalled):
    kinds = [c.type for c in summarize(found, stalled=stalled)]
    assert kinds[: len(STEPS) + 1] == ["Ready", *STEPS]
    assert len(set(kinds)) == len(kinds)


@given(findings(), st.booleans())
def test_ready_speaks_of_the_first_step_that_is_not_true(found, stalled):
    ready, *steps = summarize(found, stalled=stalled)
    blocking = next((c for c in steps if c.status != "True"), None)
    if blocking is not None:
        assert (ready.status, ready.reason, ready.message) == (
            blocking.status,
            blocking.reason,
            blocking.message,
        )


def test_steps_that_were_not_reached_say_what_they_wait_for():
    role = false("RoleAssigned", "AzureAccessDenied", "Grant it.")
    summary = of(summarize([*ALL_TRUE[:2], role], stalled=True))
    assert summary["Ready"].reason == "AzureAccessDenied"
    assert summary["Stalled"] == true("Stalled", "AzureAccessDenied", "Grant it.")
    assert summary["AccessProven"] == unknown(
        "AccessProven", "NotReached", "Waits for RoleAssigned."
    )


def test_what_comes_after_a_failed_step_never_hides_it():
    federation = unknown("FederationReady", "FederationPropagating", "Soon.")
    role = false("RoleAssigned", "AzureAccessDenied", "Grant it.")
    summary = of(summarize([*ALL_TRUE[:2], federation, role], stalled=True))
    assert summary["Ready"].reason == "AzureAccessDenied"


def test_degraded_stays_beside_ready():
    summary = of(summarize([*ALL_TRUE, DEGRADED], stalled=False))
    assert summary["Ready"].status == "True"
    assert summary["Degraded"] == DEGRADED


@given(findings(), st.booleans(), st.integers(0, 10**6))
def test_the_same_findings_make_the_same_status_at_any_time(found, stalled, seconds):
    summary = summarize(found, stalled=stalled)
    first = written(summary, url="http://x", replicas=0)
    again = written(
        summary,
        previous=first,
        now=NOON + dt.timedelta(seconds=seconds),
        url="http://x",
        replicas=0,
    )
    assert again == first


def test_the_same_long_message_makes_the_same_status():
    first = written([true("Ready", "Ready", "x" * 100_000)])
    assert len(first["conditions"][0]["message"]) == 2048
    assert written([true("Ready", "Ready", "x" * 100_000)], previous=first, now=LATER) == first


def test_a_condition_keeps_its_time_for_as_long_as_its_status_stays():
    first = written([false("Ready", "One", "a"), true("Permitted", "Allowed")])
    second = written(
        [false("Ready", "Two", "b"), unknown("Permitted", "X")], previous=first, now=LATER
    )
    ready, permitted = second["conditions"]
    assert (ready["reason"], ready["lastTransitionTime"]) == ("Two", "2026-01-31T12:00:00Z")
    assert permitted["lastTransitionTime"] == "2026-01-31T12:05:00Z"


def test_a_condition_that_is_back_has_a_new_time():
    first = written([true("Degraded", "Throttled")])
    without = written([], previous=first, now=LATER)
    back = written([true("Degraded", "Throttled")], previous=without, now=LATER)
    assert back["conditions"][0]["lastTransitionTime"] == stamp(LATER)


def test_every_condition_speaks_of_the_generation_that_was_looked_at():
    status = written(summarize(ALL_TRUE, stalled=False), generation=7)
    assert status["observedGeneration"] == 7
    assert {c["observedGeneration"] for c in status["conditions"]} == {7}


def test_facts_that_are_empty_are_left_out_and_zero_is_none_of_them():
    status = written([], url="", provenAt=None, identity={}, replicas=0, pods="0/1")
    assert status == {"observedGeneration": 3, "replicas": 0, "pods": "0/1", "conditions": []}


@pytest.mark.parametrize(
    ("found", "stalled", "word"),
    [
        (ALL_TRUE, False, "Current"),
        ([*ALL_TRUE, DEGRADED], False, "Current"),
        ([], False, "InProgress"),
        ([*ALL_TRUE[:5], unknown("AccessProven", "RolePropagating")], False, "InProgress"),
        ([*ALL_TRUE[:5], false("AccessProven", "Throttled")], False, "InProgress"),
        ([false("Permitted", "NamespaceNotAllowed")], True, "Failed"),
    ],
)
def test_kstatus_says_the_same(found, stalled, word):
    status = written(summarize(found, stalled=stalled))
    assert verdict(3, status) == word
    assert verdict(4, status) == "InProgress", "an edit that nobody has looked at yet"


def test_kstatus_waits_for_the_first_pass():
    assert verdict(1, {"observedGeneration": -1}) == "InProgress"


@given(findings(), st.booleans())
def test_kstatus_says_current_only_of_what_is_ready(found, stalled):
    summary = summarize(found, stalled=stalled)
    assert (verdict(3, written(summary)) == "Current") == (of(summary)["Ready"].status == "True")


def test_since_when_a_condition_holds_is_read_from_the_status():
    status = written([true("RoleAssigned", "Assigned")])
    assert transitioned(status, "RoleAssigned", "True") == NOON
    assert transitioned(status, "RoleAssigned", "False") is None
    assert transitioned({}, "RoleAssigned", "True") is None


STALLED = true("Stalled", "NoRole", "Grant it.")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([], [unknown("Ready", "Creating")], None),
        ([], [true("Ready", "Ready")], "Ready"),
        ([unknown("Ready", "Creating")], [unknown("Ready", "RollingOut")], None),
        ([unknown("Ready", "Creating")], [false("Ready", "Throttled")], "Ready"),
        ([true("Ready", "Ready")], [true("Ready", "Ready")], None),
        ([unknown("Ready", "Creating")], [false("Ready", "NoRole"), STALLED], "Stalled"),
        ([false("Ready", "NoRole"), STALLED], [false("Ready", "NoRole"), STALLED], None),
        ([true("Stalled", "Other")], [STALLED], "Stalled"),
        ([false("Ready", "NoRole"), STALLED], [true("Ready", "Ready")], "Ready"),
        ([true("Usable", "Usable")], [false("Usable", "NotOpenAI")], "Usable"),
    ],
)
def test_what_turns_is_told_and_nothing_else(before, after, told):
    turned = turn(written(before), written(after))
    assert (turned.type if turned else None) == told


@given(st.timedeltas(dt.timedelta(0), dt.timedelta(days=36500)), st.integers(-23, 23))
def test_times_are_written_in_utc_to_the_second(after, hours):
    time = (NOON + after).astimezone(dt.timezone(dt.timedelta(hours=hours)))
    assert parse(stamp(time)) == time.astimezone(dt.UTC).replace(microsecond=0)


ONE, OTHER = "0a1b2c3d-0000-4000-8000-000000000001", "westeurope:9f.1"


def locked(message, trace, **more):
    return Condition(
        **{
            "type": "Ready",
            "status": "False",
            "reason": "ResourceLocked",
            **more,
            "message": message,
            "trace": trace,
        }
    )


def message(status):
    (condition,) = status["conditions"]
    return condition["message"]


def test_words_end_with_the_id_of_the_request():
    assert message(written([locked("A lock.", ONE)])) == f"A lock. (request {ONE})"
    assert message(written([locked("A lock.", "")])) == "A lock."


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("A lock on it.", "A lock on it."),
        ("Try again after '10' seconds.", "Try again after '7' seconds."),
        ("Expired at 2026-01-31T12:00:00Z.", "Expired at 2026-01-31T12:05:10.5Z."),
        ("Current time: 1/31/2026 12:00:00 PM", "Current time: 1/31/2026 1:05:00 PM"),
        ("x" * 5000, "x" * 5000),
    ],
)
def test_what_differs_with_every_try_writes_no_status(before, now):
    first = written([locked(before, ONE)])
    assert written([locked(now, OTHER)], previous=first, now=LATER) == first
    assert ONE in message(first)


@pytest.mark.parametrize(
    "now",
    [
        locked("A lock lock-2.", OTHER),
        locked("A lock lock-1.", OTHER, reason="AzureRefused"),
        locked("A lock lock-1.", OTHER, status="Unknown"),
        locked("A lock lock-1.", ""),
    ],
    ids=["another name", "another reason", "another state", "no trace"],
)
def test_what_is_really_new_is_written_with_its_own_id(now):
    first = written([locked("A lock lock-1.", ONE)])
    assert message(written([now], previous=first)) == now.words


@given(st.text(max_size=60).map(plain), st.sampled_from(["", ONE, OTHER]))
def test_a_condition_is_read_as_it_was_written(words, trace):
    kept = locked(words, trace)
    status = written([kept])
    (again,) = by_type(status).values()
    assert again.words == kept.words
    assert written([again], previous=status, now=LATER) == status


def test_the_summary_has_the_trace_as_well():
    fault = Stuck("ResourceLocked", "A lock.", trace=ONE)
    found = of(summarize([because("Permitted", "False", fault)], stalled=True))
    assert {found[t].words for t in ("Permitted", "Ready", "Stalled")} == {
        f"A lock. (request {ONE})"
    }


def test_words_of_others_stay_on_their_line_and_turn_nothing_round():
    said = because(
        "WorkloadReady", "False", Stuck("PodFails", "it\r\nsays \x1b[31mred\u202e\ttxt ")
    )
    written = document([said], {}, generation=1, previous={}, now=NOON)
    assert written["conditions"][0]["message"] == "it says [31mred txt"
    again = document([said], {}, generation=1, previous=written, now=LATER)
    assert again == written
