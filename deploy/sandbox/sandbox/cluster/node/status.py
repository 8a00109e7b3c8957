"""The status of a pod from the states of its containers: pure, in the kubelet's words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.cluster.api import Object

_REPLACE = {"$patch": "replace"}  # a strategic merge would keep the addresses of an earlier node


@dataclass(frozen=True, slots=True)
class ContainerStatus:
    """A container as its pod's status shows it; `state` and `last` are ContainerState objects."""

    name: str
    image: str
    state: dict[str, Any]
    last: dict[str, Any] = field(default_factory=dict)
    restarts: int = 0
    ready: bool = False
    started: bool = False

    @property
    def exit_code(self) -> int | None:
        """The exit code while it is terminated."""
        code = self.state.get("terminated", {}).get("exitCode")
        return None if code is None else int(code)

    @property
    def ever_started(self) -> bool:
        """Whether it has run at all."""
        return "waiting" not in self.state or bool(self.last)

    def shown(self) -> Object:
        """Its entry in containerStatuses."""
        return {
            "name": self.name,
            "image": self.image,
            "imageID": self.image,
            "state": self.state,
            "lastState": self.last,
            "restartCount": self.restarts,
            "ready": self.ready,
            "started": self.started,
        }


def pod_status(
    pod: Object,
    *,
    address: str,
    node_address: str,
    init: Sequence[ContainerStatus],
    containers: Sequence[ContainerStatus],
    over: bool,
    now: dt.datetime,
) -> Object:
    """The status of a pod as a strategic merge patch.

    `over` says that none of its containers will run again; `pod` is as last seen, so that unchanged
    conditions keep their time.
    """
    unready = [each.name for each in containers if not each.ready]
    incomplete = [each.name for each in init if each.exit_code != 0]
    ready = _verdict(unready, "ContainersNotReady", "unready")
    conditions = [
        {"type": "PodReadyToStartContainers", "status": "True"},
        {"type": "Initialized", **_verdict(incomplete, "ContainersNotInitialized", "incomplete")},
        {"type": "Ready", **ready},
        {"type": "ContainersReady", **ready},
        {"type": "PodScheduled", "status": "True"},
    ]
    generation = pod["metadata"].get("generation", 1)
    return {
        "observedGeneration": generation,
        "phase": _phase([*init, *containers], over=over),
        "conditions": [_timed(each, pod, now, generation) for each in conditions],
        "hostIP": node_address,
        "hostIPs": [_REPLACE, {"ip": node_address}],
        "podIP": address,
        "podIPs": [_REPLACE, {"ip": address}],
        "startTime": pod.get("status", {}).get("startTime") or stamp(now),
        "initContainerStatuses": [each.shown() for each in init],
        "containerStatuses": [each.shown() for each in containers],
    }


def stamp(now: dt.datetime) -> str:
    """A time as the API writes it."""
    return now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _phase(containers: Sequence[ContainerStatus], *, over: bool) -> str:
    if over:
        return "Failed" if any(each.exit_code != 0 for each in containers) else "Succeeded"
    return "Running" if all(each.ever_started for each in containers) else "Pending"


def _verdict(offending: list[str], reason: str, adjective: str) -> dict[str, str]:
    if not offending:
        return {"status": "True"}
    message = f"containers with {adjective} status: [{' '.join(offending)}]"
    return {"status": "False", "reason": reason, "message": message}


def _timed(condition: Object, pod: Object, now: dt.datetime, generation: int) -> Object:
    time = stamp(now)
    for old in pod.get("status", {}).get("conditions") or []:
        if (old["type"], old["status"]) == (condition["type"], condition["status"]):
            time = old.get("lastTransitionTime") or time
    return {
        "lastProbeTime": None,
        "lastTransitionTime": time,
        "observedGeneration": generation,
        "reason": None,
        "message": None,
        **condition,
    }
