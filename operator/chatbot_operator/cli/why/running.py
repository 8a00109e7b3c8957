"""Whether an operator is there and works: else nothing that a status says is up to date. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from chatbot_operator.cli.checks import Check, Mark, Way
from chatbot_operator.cli.doctor import shipped
from chatbot_operator.cli.doctor.running import Leading, renewed
from chatbot_operator.cli.installed import Installed
from chatbot_operator.cli.spans import since
from chatbot_operator.cli.unread import Unread
from chatbot_operator.cli.why.remedies.known import CLUSTER, OPERATOR, Known
from chatbot_operator.election import Claim

NAME: Final = "operator"


@dataclass(frozen=True, slots=True)
class Running:
    """The operators of a cluster, and the Lease of each by its namespace."""

    installed: tuple[Installed, ...]
    leases: dict[str, Leading | Unread]

    def of(self, namespace: str) -> Installed | None:
        """Give the operator whose chatbots are those of a namespace."""
        return next((one for one in self.installed if watches(one, namespace)), None)


def watches(one: Installed, namespace: str) -> bool:
    """Tell whether an operator looks at a namespace; one whose settings are wrong may."""
    watched = one.settings.watched if one.settings else ()
    return not watched or namespace in watched


def check(
    running: Running | Unread, namespace: str, known: Known, now: dt.datetime, *, fresh: bool
) -> Check:
    """Look at the operator that has to do with a namespace; any, where that is empty.

    `fresh`: what it should have looked at is as it left it.
    """
    if isinstance(running, Unread):
        return Check(NAME, Mark.UNKNOWN, str(running))
    one = running.of(namespace) if namespace else next(iter(running.installed), None)
    if one is None:
        return _elsewhere(running, namespace) if running.installed else _absent(known, fresh=fresh)
    if not one.ready:
        return _down(one, known)
    lease = running.leases.get(one.namespace)
    late = _unrenewed(lease, now) if isinstance(lease, Leading) else ""
    if late:
        return _idle(one, late, known)
    doubt = f"; whether one works is {lease}" if isinstance(lease, Unread) else ""
    return Check(NAME, Mark.OK, f"{one.ready} of {one.wanted} pods ready in {one.namespace}{doubt}")


def _absent(known: Known, *, fresh: bool) -> Check:
    if fresh:
        return Check(NAME, Mark.NOTE, "runs somewhere else: no Deployment of it is in the cluster")
    commands = (
        known.kubectl("apply", "--server-side", "-f", str(shipped.CRDS)),
        known.kubectl("apply", "-k", "OVERLAY"),
    )
    return Check(
        NAME,
        Mark.WRONG,
        "none is installed",
        cause=f"No Deployment bears the label app.kubernetes.io/name={OPERATOR}: nobody makes"
        " chatbots of what is asked for.",
        ways=(
            Way(
                CLUSTER,
                f"install it, by an OVERLAY of {shipped.BASE} that sets its client id and images.",
                commands,
            ),
        ),
    )


def _elsewhere(running: Running, namespace: str) -> Check:
    homes = ", ".join(sorted(one.namespace for one in running.installed))
    return Check(
        NAME,
        Mark.WRONG,
        f"none looks at namespace {namespace}",
        cause=f"The operator in {homes} looks at the namespaces of its WATCH_NAMESPACES only.",
        ways=(Way(CLUSTER, f"add {namespace} to WATCH_NAMESPACES of an operator."),),
    )


def _down(one: Installed, known: Known) -> Check:
    which = ("-n", one.namespace, "-l", f"app.kubernetes.io/name={OPERATOR}")
    if not one.wanted:
        up = ("scale", f"deployment/{one.name}", "-n", one.namespace, "--replicas=2")
        way = Way(CLUSTER, "let it run.", (known.kubectl(*up),))
        return Check(
            NAME,
            Mark.WRONG,
            f"scaled to 0 in {one.namespace}",
            cause="Somebody has stopped the operator: what follows is how it was then.",
            ways=(way,),
        )
    looks = (
        known.kubectl("get", "pods", *which),
        known.kubectl("describe", "pods", *which),
        known.kubectl("logs", *which, "--tail=50"),
    )
    trouble = f" {one.trouble}" if one.trouble else ""
    return Check(
        NAME,
        Mark.WRONG,
        f"none of its {one.wanted} pods is ready in {one.namespace}",
        cause=f"The operator does not run: what follows is how it was when it did.{trouble}",
        ways=(Way(CLUSTER, "find out why, and get it to run.", looks),),
    )


def _unrenewed(leading: Leading, now: dt.datetime) -> str:
    """Say in words since when nobody works; empty if somebody does.

    Clocks differ: a Lease that looks old is so only where it stays as it is from look to look.
    """
    live = leading.later or leading.first
    if live is None or not Claim.parse(live).holder:
        return "nobody holds its Lease"
    moved = leading.later is None or leading.later["spec"] != (leading.first or {}).get("spec")
    return "" if moved else f"its Lease was last renewed {since(renewed(live), now)} ago"


def _idle(one: Installed, late: str, known: Known) -> Check:
    which = ("-n", one.namespace, "-l", f"app.kubernetes.io/name={OPERATOR}")
    looks = (
        known.kubectl("get", "lease", OPERATOR, "-n", one.namespace, "-o", "yaml"),
        known.kubectl("logs", *which, "--tail=50"),
    )
    return Check(
        NAME,
        Mark.WRONG,
        late,
        cause="Pods of the operator are ready, and none of them works: who does renews the Lease"
        " every few seconds.",
        ways=(Way(CLUSTER, "read why none takes the Lease.", looks),),
    )
