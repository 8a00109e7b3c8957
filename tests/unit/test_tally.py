"""How many chatbots there are by their conditions, and how long the first proof took."""

from __future__ import annotations

from chatbot_operator.tally import OF_ACCOUNTS, SUMMARIES, Tally

MADE = "2026-01-31T12:00:00Z"
PROVEN = "2026-01-31T12:00:42Z"


def said(kind, status="True", reason="Proven", at=PROVEN):
    return {"type": kind, "status": status, "reason": reason, "lastTransitionTime": at}


def body(*conditions, version="7", uid="one", **status):
    meta = {"uid": uid, "resourceVersion": version, "creationTimestamp": MADE}
    return {"metadata": meta, "status": {"conditions": list(conditions), **status}}


def see(tally, *conditions, name="support", **rest):
    return tally.see("team", name, body(*conditions, **rest))


def test_each_condition_is_counted_and_what_nobody_says_any_more_is_gone():
    tally = Tally(*SUMMARIES)
    see(tally, said("Ready", "False", "AccountNotFound"), said("Stalled", reason="AccountNotFound"))
    see(tally, said("Ready", "False", "AccountNotFound"), name="writer")
    assert tally.counts == {
        ("Ready", "False", "AccountNotFound"): 2,
        ("Stalled", "True", "AccountNotFound"): 1,
    }
    see(tally, said("Ready", reason="Ready"), version="8")
    assert tally.counts == {("Ready", "False", "AccountNotFound"): 1, ("Ready", "True", "Ready"): 1}
    tally.forget("team", "support")
    tally.forget("team", "writer")
    assert tally.counts == {}


def test_one_of_which_nothing_was_said_yet_is_there_all_the_same():
    tally = Tally(*SUMMARIES)
    tally.see("team", "support", {"metadata": body()["metadata"]})
    assert tally.counts == {("Ready", "Unknown", "NotReached"): 1}


def test_what_somebody_else_writes_into_a_status_makes_no_labels():
    tally = Tally(*OF_ACCOUNTS)
    see(tally, said("Usable", "False", "x" * 1000), said("Mine"), said("Reachable", "Perhaps"))
    assert tally.counts == {("Usable", "False", "Other"): 1}


def test_what_was_listed_before_the_object_changed_counts_for_nothing():
    tally = Tally(*SUMMARIES)
    see(tally, said("Ready", reason="Ready"), version="10")
    see(tally, said("Ready", "Unknown", "Creating"), version="9")
    assert tally.counts == {("Ready", "True", "Ready"): 1}
    see(tally, said("Ready", "Unknown", "Creating"), version="1", uid="another cluster's")
    assert tally.counts == {("Ready", "Unknown", "Creating"): 1}


def test_the_first_proof_is_told_once_by_the_operators_clock():
    tally = Tally(*SUMMARIES)
    assert see(tally) is None
    assert see(tally, said("AccessProven", "Unknown"), selector="x", version="8") is None
    forged = {"selector": "x", "provenAt": "1999-01-01T00:00:00Z"}
    assert see(tally, said("AccessProven"), version="9", **forged) == 42
    assert see(tally, said("AccessProven"), version="10", **forged) is None


def test_neither_a_proof_from_before_the_start_nor_one_after_a_withdrawal_is_a_first_one():
    tally, proven = Tally(*SUMMARIES), {"selector": "x", "provenAt": PROVEN}
    assert see(tally, said("AccessProven"), **proven) is None
    assert see(tally, selector="x", version="8") is None
    assert see(tally, said("AccessProven"), version="9", **proven) is None
    assert see(tally, selector="x", name="withdrawn") is None
    assert see(tally, said("AccessProven"), name="withdrawn", version="8", **proven) is None
