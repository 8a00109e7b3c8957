"""How a chatbot's pods stand, from what the kubelet and the scheduler say of them. Pure."""

from __future__ import annotations

import datetime as dt
from typing import Final

from chatbot_operator.cli.checks import Check, Mark, Way
from chatbot_operator.cli.spans import since
from chatbot_operator.cli.why.remedies.known import ANYBODY, Known
from chatbot_operator.ports import Object
from chatbot_operator.status import parse

STARTING: Final = frozenset({"ContainerCreating", "PodInitializing"})
SHOWN: Final = 8
"""Pods that are shown one by one, the worst first."""
_ORDER: Final = (Mark.WRONG, Mark.WAITING, Mark.OK, Mark.NOTE)


def of_chatbot(pods: list[Object], name: str) -> list[Object]:
    """Leave out pods that bear the chatbot's labels and did not come from its Deployment."""
    return [
        pod
        for pod in pods
        if any(
            o["kind"] == "ReplicaSet" and o["name"].startswith(f"{name}-")
            for o in pod["metadata"].get("ownerReferences", ())
        )
    ]


def checks(pods: list[Object], known: Known, now: dt.datetime) -> tuple[Check, ...]:
    """Look at each pod; the worst first, and no more than a person would read."""
    found = sorted(
        (_pod(pod, known, now) for pod in pods),
        key=lambda check: (_ORDER.index(check.mark), check.name),
    )
    more = len(found) - SHOWN
    rest = (Check("pods", Mark.NOTE, f"{more} more, none of them worse"),) if more > 0 else ()
    return (*found[:SHOWN], *rest)


def worst_first(pods: list[Object], known: Known, now: dt.datetime) -> tuple[str, ...]:
    """Name the pods, the one that is worst off first."""
    return tuple(c.name.removeprefix("pod ") for c in checks(pods, known, now) if c.name != "pods")


def _pod(pod: Object, known: Known, now: dt.datetime) -> Check:
    metadata, status = pod["metadata"], pod.get("status", {})
    name, conditions = f"pod {metadata['name']}", _conditions(status)
    if "deletionTimestamp" in metadata:
        return Check(name, Mark.NOTE, "is ending")
    ready, scheduled = conditions.get("Ready", {}), conditions.get("PodScheduled", {})
    restarts = _restarts(status)
    if ready.get("status") == "True":
        return Check(name, Mark.OK, f"ready for {_since(ready, metadata, now)}{restarts}")
    if scheduled.get("status") == "False":
        return _unscheduled(name, metadata["name"], scheduled, known)
    for container in status.get("containerStatuses", ()):
        trouble = _trouble(container)
        if trouble:
            return Check(name, Mark.WRONG, trouble)
    runs = any("running" in c.get("state", {}) for c in status.get("containerStatuses", ()))
    what = "runs, and is not ready" if runs or status.get("phase") == "Running" else "is starting"
    return Check(name, Mark.WAITING, f"{what}, for {_since(ready, metadata, now)}{restarts}")


def _unscheduled(name: str, pod: str, scheduled: Object, known: Known) -> Check:
    said = scheduled.get("message") or scheduled.get("reason", "")
    commands = (known.here("describe", "pod", pod), known.kubectl("get", "nodes"))
    return Check(
        name,
        Mark.WRONG,
        "no node takes it",
        cause=f"The scheduler says: {said}",
        ways=(
            Way(
                ANYBODY,
                "compare spec.pods (resources, nodeSelector, tolerations) with the nodes.",
                commands,
            ),
        ),
    )


def _trouble(container: Object) -> str:
    """Say in words what keeps a container from running; empty if nothing does."""
    state, before = container.get("state", {}), container.get("lastState", {})
    waiting, ended = state.get("waiting", {}), state.get("terminated", {})
    if waiting.get("reason") and waiting["reason"] not in STARTING:
        last = before.get("terminated", {})
        how = f"; it ended with {_end(last)}" if last else ""
        return f"{waiting['reason']}: {waiting.get('message', container.get('image', ''))}{how}"
    return f"ended with {_end(ended)}" if ended else ""


def _end(ended: Object) -> str:
    return f"{ended.get('reason', 'code')} ({ended.get('exitCode', '?')})"


def _restarts(status: Object) -> str:
    """Tell of containers that were started again, and how they ended."""
    again = [c for c in status.get("containerStatuses", ()) if c.get("restartCount")]
    if not again:
        return ""
    last = again[0].get("lastState", {}).get("terminated")
    how = f", last after {_end(last)}" if last else ""
    times = sum(c["restartCount"] for c in again)
    return f"; started again {times} times{how}"


def _since(ready: Object, metadata: Object, now: dt.datetime) -> str:
    return since(parse(ready.get("lastTransitionTime") or metadata["creationTimestamp"]), now)


def _conditions(status: Object) -> dict[str, Object]:
    return {c["type"]: c for c in status.get("conditions", ())}
