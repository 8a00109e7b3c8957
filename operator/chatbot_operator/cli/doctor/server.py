"""Whether the API server can do what chatbots need of it, and what else the cluster has. Pure.

The CRDs ask `isCIDR` in their rules. Its library came in 1.30 for what is stored already; a rule
may use what the release before knows, so that 1.31 is the first to accept it anew
(k8s.io/apiserver/pkg/cel/environment/base.go, MinCompatibilityVersion). The newest thing in the
manifests, unhealthyPodEvictionPolicy of disruption budgets, is of 1.31, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.doctor.looking import Dark, Silent, unknown
from chatbot_operator.cli.unread import Unread
from chatbot_operator.ports import Object, Resource

MINIMUM: Final = (1, 31)
METRICS: Final = Resource("metrics.k8s.io", "v1beta1", "pods", "PodMetrics")


def version(document: Object, upgrade: Iterable[str]) -> Check:
    """Judge the version that the API server gives at /version; `upgrade` says how to raise it."""
    said = str(document.get("gitVersion", ""))
    found = re.match(r"v?(\d+)\.(\d+)", said)
    if found is None:
        return Check("API server", Mark.UNKNOWN, f"it gives no version: {said!r}")
    least = ".".join(map(str, MINIMUM))
    facts = {"version": said, "least": least}
    if (int(found[1]), int(found[2])) >= MINIMUM:
        return Check("API server", Mark.OK, f"{said}, {least} or newer is needed", facts=facts)
    return Check(
        "API server",
        Mark.WRONG,
        f"{said} is older than {least}",
        cause="It knows neither the function isCIDR, by which the kinds of chatbots are checked,"
        " nor disruption budgets that let go of pods that are not ready.",
        fix=f"Upgrade the cluster to {least} or newer.",
        commands=tuple(upgrade),
        facts=facts,
    )


def gateway(routes: Iterable[str], *, serves: bool | Dark) -> Check:
    """Tell of Gateway API; `routes` are chatbots that want a route of it."""
    wanted = sorted(routes)
    if isinstance(serves, Unread | Silent):
        return unknown("Gateway API", serves)
    if serves:
        return Check("Gateway API", Mark.NOTE, "there: chatbots can have an httpRoute")
    if wanted:
        return Check(
            "Gateway API",
            Mark.WRONG,
            f"the cluster knows no HTTPRoute, and {', '.join(wanted)} wants one",
            fix="Install Gateway API's CRDs and an implementation, or take spec.httpRoute away.",
        )
    return Check("Gateway API", Mark.NOTE, "not there; only spec.httpRoute needs it")


def metrics(scaling: Iterable[str], *, serves: bool | Dark) -> Check | None:
    """Judge the metrics that autoscaling asks for; `scaling` are chatbots that autoscale."""
    wanted = sorted(scaling)
    if not wanted:
        return None
    if isinstance(serves, Unread | Silent):
        return unknown("metrics", serves)
    if serves:
        return Check("metrics", Mark.OK, "pods are measured, for autoscaling")
    return Check(
        "metrics",
        Mark.WRONG,
        f"nobody measures pods, and {', '.join(wanted)} autoscales by what they use",
        fix="Install metrics-server; on AKS it is part of the cluster.",
    )
