"""What was seen, put together as a tree of checks, in the order to mend it in. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from typing import Final

from chatbot_operator.cli.checks import Check, Mark, worst
from chatbot_operator.cli.doctor import (
    access,
    definitions,
    fleet,
    issuer,
    running,
    server,
    shipped,
    webhook,
)
from chatbot_operator.cli.doctor.looking import Kubectl, unknown
from chatbot_operator.cli.doctor.seen import HOME, Around, Seen
from chatbot_operator.cli.installed import Installed

_AKS: Final = (
    "az aks update --name {} --resource-group {} --enable-oidc-issuer --enable-workload-identity"
)
_UPGRADE: Final = "az aks upgrade --name {} --resource-group {} --kubernetes-version 1.31"


def cluster(seen: Seen, aks: tuple[str, str] | None, kubectl: Kubectl) -> Check:
    """Judge the cluster itself; `aks`: its resource group and name, where it is one of AKS."""
    below = [
        server.version(seen.version, _az(_UPGRADE, aks)),
        issuer.check(seen.issued, _az(_AKS, aks)),
        webhook.check(seen.hooks, seen.ready, seen.rehearsed, _az(_AKS, aks), kubectl),
        server.gateway(_wanting(seen, "httpRoute"), serves=seen.routes),
    ]
    measured = server.metrics(_wanting(seen, "autoscaling"), serves=seen.measured)
    below += [measured] if measured else []
    return Check("cluster", worst(below), below=tuple(below))


def _az(command: str, aks: tuple[str, str] | None) -> tuple[str, ...]:
    if aks is None:
        return ()
    group, name = map(shlex.quote, aks)
    return (command.format(name, group),)


def _wanting(seen: Seen, field: str) -> Iterator[str]:
    for body in seen.chatbots if isinstance(seen.chatbots, list) else ():
        if field in body["spec"]:
            yield f"{body['metadata']['namespace']}/{body['metadata']['name']}"


def installation(seen: Seen, kubectl: Kubectl) -> tuple[Check, ...]:
    """Judge what is ours in the cluster: the kinds, and the operator."""
    operators = seen.operators if isinstance(seen.operators, list) else []
    tags = {running.tag(one.image) for one in operators}
    same = not tags or shipped.release() in tags
    kinds = tuple(
        definitions.check(
            wanted, live, same_release=same, file=shlex.quote(str(file)), kubectl=kubectl
        )
        for file, wanted, live in seen.definitions
    )
    return (
        Check("kinds", worst(kinds), below=kinds),
        *_operators(seen, operators, kubectl),
    )


def _operators(seen: Seen, operators: list[Installed], kubectl: Kubectl) -> Iterator[Check]:
    if not isinstance(seen.operators, list):
        yield unknown("operator", seen.operators)
    elif not operators:
        yield _not_installed(kubectl)
    for one, around in zip(operators, seen.around, strict=True):
        below = _operator(one, around, kubectl)
        yield Check(f"operator {one.namespace}/{one.name}", worst(below), below=below)
    overlap = running.overlapping(operators)
    if overlap is not None:
        yield overlap


def _operator(one: Installed, around: Around, kubectl: Kubectl) -> tuple[Check, ...]:
    pods = running.pods(one, kubectl)
    # Without a pod that works nobody renews the Lease, which would say no more.
    leading = () if pods.mark is Mark.WRONG else (running.lease(one, around.leading, kubectl),)
    return (
        pods,
        *leading,
        running.image(one, shipped.release(), kubectl),
        running.settings(one, kubectl),
        running.identity(one, kubectl),
        access.check(around.held, around.needed, _reconcile(one, kubectl)),
        running.namespace(one, around.namespace, around.quotas),
    )


def _reconcile(one: Installed, kubectl: Kubectl) -> str:
    """Spell what writes the shipped roles; only where those are this operator's."""
    planned = one.planned()[0]
    if one.namespace != HOME or (planned and planned.watched):
        return ""
    # What is no role is left alone: the Deployment, and the service account with its client id.
    return kubectl("auth", "reconcile", "-k", str(shipped.BASE))


def _not_installed(kubectl: Kubectl) -> Check:
    shown = f"az identity show --name {HOME} --resource-group {HOME}"
    find = f'"$({shown} --query clientId --output tsv)"'
    annotate = kubectl("annotate", "serviceaccount", HOME, "-n", HOME, "--overwrite")
    return Check(
        "operator",
        Mark.WRONG,
        "is not installed",
        fix="Make its identity first (see operator's identity). An overlay of your own is better"
        " than the last two lines; it also names the images.",
        commands=(
            kubectl("apply", "-k", str(shipped.BASE)),
            f"{annotate} azure.workload.identity/client-id={find}",
            kubectl("rollout", "restart", f"deployment/{HOME}", "-n", HOME),
        ),
    )


def whole(below: Iterable[Check]) -> Check:
    """Sum up."""
    every = tuple(below)
    mark = worst(every)
    count = sum(_is_one(each, mark) for one in every for each in one.all())
    things = "1 thing" if count == 1 else f"{count} things"
    words = {
        Mark.OK: "nothing is wrong",
        Mark.WRONG: f"wrong: {things}",
        Mark.WAITING: f"on its way: {things}",
        Mark.UNKNOWN: f"nothing wrong was seen, but {things} could not be looked at",
    }
    return Check("doctor", mark, words[mark], below=every)


def _is_one(check: Check, mark: Mark) -> bool:
    """Tell whether a check bears a mark itself, not for what is below it."""
    return check.mark is mark and all(each.mark is not mark for each in check.below)


def chatbots(seen: Seen, kubectl: Kubectl) -> Check:
    """Count the chatbots, by how they are."""
    return fleet.check(seen.chatbots, kubectl)
