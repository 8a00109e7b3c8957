"""An operator that is installed: does it run, who works, and how is it set up? Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.doctor.looking import Dark, Kubectl, Silent, unknown
from chatbot_operator.cli.doctor.webhook import TOKEN
from chatbot_operator.cli.installed import CLIENT_ID, Installed, container, environment, unsaid
from chatbot_operator.cli.pod.observed import USE
from chatbot_operator.cli.spans import span
from chatbot_operator.election import LEASE_SECONDS, Claim
from chatbot_operator.ports import Object, Resource

QUOTAS: Final = Resource("", "v1", "resourcequotas", "ResourceQuota")
_STRICT: Final = "pod-security.kubernetes.io/enforce"


@dataclass(frozen=True, slots=True)
class Leading:
    """The Lease, read twice: `later` is None where the first was fresh enough."""

    first: Object | None
    later: Object | None
    now: dt.datetime


def pods(of: Installed, kubectl: Kubectl) -> Check:
    """Judge whether its pods are there and ready, and all of one making."""
    where, status = ("-n", of.namespace), of.deployment.get("status") or {}
    if of.wanted == 0:
        return Check(
            "pods",
            Mark.WRONG,
            "none are wanted: it is scaled to 0",
            cause="Nobody looks after chatbots: what is applied stays as it is.",
            fix="Scale it up; two is what is shipped.",
            commands=(kubectl("scale", f"deployment/{of.name}", "--replicas=2", *where),),
        )
    counted = f"{of.ready} of {of.wanted} ready"
    look = (
        kubectl("get", "pods", "-l", "app.kubernetes.io/name=chatbot-operator", *where),
        kubectl("logs", f"deployment/{of.name}", "--tail=20", *where),
    )
    said = "; ".join(_troubles(of.pods))
    if of.ready < of.wanted:
        mark = Mark.WAITING if of.ready else Mark.WRONG
        words = f"{counted}{f': {said}' if said else ''}"
        return Check("pods", mark, words, fix="Look at what keeps them:", commands=look)
    if status.get("updatedReplicas", 0) < of.wanted:
        words = f"{counted}, of an earlier making: the new ones do not come"
        return Check("pods", Mark.WAITING, words, cause=said, commands=look)
    return Check("pods", Mark.OK, counted)


def _troubles(found: Iterable[Object]) -> Iterator[str]:
    for pod in found:
        status = pod.get("status") or {}
        for each in status.get("containerStatuses") or ():
            waiting = (each.get("state") or {}).get("waiting") or {}
            if waiting.get("reason"):
                yield f"{pod['metadata']['name']}: {waiting['reason']}"
        for each in status.get("conditions") or ():
            if each["type"] == "PodScheduled" and each["status"] == "False":
                yield f"{pod['metadata']['name']}: {each.get('message', 'is not scheduled')}"


def lease(of: Installed, leading: Leading | Dark, kubectl: Kubectl) -> Check:
    """Judge who works: the Lease has to be held by one of its pods, and renewed.

    Clocks differ: what looks stale is so only when it does not change from one look to the next.
    """
    if not isinstance(leading, Leading):
        return unknown("lease", leading)
    held = leading.later or leading.first
    holder = Claim.parse(held).holder if held else ""
    if held is None or not holder:
        return Check("lease", Mark.WAITING, "nobody holds it: none of its pods works yet")
    age = (leading.now - renewed(held)).total_seconds()
    facts = {"holder": holder, "renewed": renewed(held).isoformat()}
    moved = leading.later is None or leading.later["spec"] != (leading.first or {}).get("spec")
    if not moved:
        return Check(
            "lease",
            Mark.WRONG,
            f"{holder} holds it and last renewed it {span(age)} ago",
            cause="It hangs, or is cut off from the API server; another takes over if one runs.",
            fix="Look at its pods:",
            commands=(kubectl("get", "pods", "-n", of.namespace),),
            facts=facts,
        )
    if not any(holder.startswith(pod["metadata"]["name"]) for pod in of.pods):
        return Check(
            "lease",
            Mark.NOTE,
            f"{holder} holds it, which is none of the pods here now",
            facts=facts,
        )
    return Check("lease", Mark.OK, f"{holder} works", facts=facts)


def stale(body: Object | None, now: dt.datetime) -> bool:
    """Tell whether a Lease should be read once more before it is judged."""
    if body is None or not Claim.parse(body).holder:
        return False
    return not 0 <= (now - renewed(body)).total_seconds() <= LEASE_SECONDS


def renewed(body: Object) -> dt.datetime:
    """Read when a Lease was last renewed; long ago where it does not say."""
    said = (body.get("spec") or {}).get("renewTime")
    return dt.datetime.fromisoformat(said) if said else dt.datetime.fromtimestamp(0, dt.UTC)


def image(of: Installed, release: str, kubectl: Kubectl) -> Check:
    """Judge whether all its pods run the image that its Deployment says, and which."""
    template = container(of.deployment["spec"]["template"]).get("image", "")
    running = {container(pod).get("image", "") for pod in of.pods} - {template}
    if running:
        return Check(
            "image",
            Mark.WAITING,
            f"{template} is wanted, {', '.join(sorted(running))} runs as well",
            fix="Wait for the rollout:",
            commands=(kubectl("rollout", "status", f"deployment/{of.name}", "-n", of.namespace),),
        )
    if tag(template) not in {release, ""}:
        words = f"{template}; this command is {release}, and judges by what came with it"
        return Check("image", Mark.NOTE, words)
    return Check("image", Mark.OK, template)


def tag(image: str) -> str:
    """Give the tag of an image without a leading v; empty where it has none."""
    name, _, _ = image.partition("@")
    return name.rpartition("/")[2].partition(":")[2].removeprefix("v")


def settings(of: Installed, kubectl: Kubectl) -> Check:
    """Judge the settings of its pods to come."""
    planned, trouble = of.planned()
    if planned is None:
        runs = container(of.deployment["spec"]["template"])
        elsewhere = unsaid(runs)
        wrong = [each for each in trouble.splitlines() if each.split()[0] not in elsewhere]
        if not wrong:
            words = f"not known: {', '.join(elsewhere)} come from elsewhere in the cluster"
            return Check("settings", Mark.UNKNOWN, words)
        given = environment(runs, of.namespace)
        unset = [f"{line.split()[0]}-" for line in wrong if given.get(line.split()[0])]
        env = ("set", "env", f"deployment/{of.name}", "-c", str(runs["name"]), "-n", of.namespace)
        return Check(
            "settings",
            Mark.WRONG,
            "; ".join(wrong),
            cause="A pod with such settings ends at once.",
            fix="Set what is missing in your overlay; to go back to the default of what is wrong:",
            commands=(kubectl(*env, *unset),) if unset else (),
        )
    where = ", ".join(planned.watched) or "all namespaces"
    facts = {"manage": planned.manage, "watched": where}
    words = f"watches {where}; AZURE_MANAGE={planned.manage}"
    return Check("settings", Mark.OK, words, facts=facts)


def identity(of: Installed, kubectl: Kubectl) -> Check:
    """Judge its service account's client id, and whether its pods were given it."""
    name, where, annotated = of.service_account, ("-n", of.namespace), of.client_id
    given = {
        str(environment(container(pod), of.namespace).get("AZURE_CLIENT_ID", "")) for pod in of.pods
    }
    known = next(iter(sorted(given - {""})), "")
    restart = kubectl("rollout", "restart", f"deployment/{of.name}", *where)
    if not annotated:
        annotate = ("annotate", "serviceaccount", name, "--overwrite")
        return Check(
            "service account",
            Mark.WRONG,
            f"{name} has no annotation {CLIENT_ID}",
            cause="New pods are not told whom they are in Azure; those that run still are."
            if known
            else "Its pods are not told whom they are in Azure.",
            fix="Write its identity's client id there; pods know it when they are made anew."
            if known
            else "Write its identity's client id there (`az identity show … --query clientId`) and"
            " restart it.",
            commands=(kubectl(*annotate, f"{CLIENT_ID}={known}", *where),) if known else (),
        )
    if of.pods and TOKEN not in _variables(of.pods):
        return _not_injected(of, kubectl, restart)
    if known and given != {annotated}:
        return Check(
            "service account",
            Mark.WRONG,
            f"pods are client {', '.join(sorted(given))}, the annotation says {annotated}",
            cause="The webhook gives pods the client id when they are made.",
            fix="Have them made anew:",
            commands=(restart,),
        )
    return Check(
        "service account", Mark.OK, f"client id {annotated}", facts={"clientId": annotated}
    )


def _variables(found: Iterable[Object]) -> set[str]:
    """Name the variables that every pod has."""
    every = [{each["name"] for each in container(pod).get("env") or ()} for pod in found]
    return set.intersection(*every)


def _not_injected(of: Installed, kubectl: Kubectl, restart: str) -> Check:
    labels = (of.deployment["spec"]["template"].get("metadata") or {}).get("labels") or {}
    labelled = labels.get(USE) == "true"
    patch = f'{{"spec":{{"template":{{"metadata":{{"labels":{{"{USE}":"true"}}}}}}}}}}'
    label = kubectl("patch", f"deployment/{of.name}", "-n", of.namespace, "-p", patch)
    return Check(
        "service account",
        Mark.WRONG,
        "a pod has no token for Azure: the webhook did not change it",
        cause="It was made while the webhook did not answer."
        if labelled
        else f"Pods lack the label {USE}=true, without which the webhook is not asked.",
        fix="Have them made anew:" if labelled else "Label them; that makes them anew:",
        commands=(restart if labelled else label,),
    )


def namespace(of: Installed, found: Object | Dark | None, quotas: list[Object] | Dark) -> Check:
    """Judge its namespace: pods that a quota keeps out, and how strictly pods are let in."""
    if not isinstance(quotas, list):
        return unknown("namespace", quotas)
    full = [text for quota in quotas for text in _full(quota)]
    if full:
        wrong = of.ready < of.wanted
        return Check(
            "namespace",
            Mark.WRONG if wrong else Mark.NOTE,
            f"a quota is used up, and no pod more is let in: {'; '.join(full)}",
            fix="Raise the quota, or take it away." if wrong else "",
        )
    if not isinstance(found, dict):
        return unknown("namespace", found or Silent("it is gone"))
    strict = (found["metadata"].get("labels") or {}).get(_STRICT, "")
    if strict != "restricted":
        words = f"lets in pods of any making; shipped is {_STRICT}=restricted"
        return Check("namespace", Mark.NOTE, words)
    return Check("namespace", Mark.OK, "lets in restricted pods only, and no quota bars them")


def _full(quota: Object) -> Iterator[str]:
    status = quota.get("status") or {}
    used: dict[str, Any] = status.get("used") or {}
    for what, hard in (status.get("hard") or {}).items():
        if what in {"pods", "count/pods"} and int(used.get(what, 0)) >= int(hard):
            yield f"{quota['metadata']['name']} allows {hard} {what}"


def overlapping(every: Iterable[Installed]) -> Check | None:
    """Find operators that look after the same namespaces."""
    found = [(one, one.planned()[0]) for one in every]
    for index, (one, first) in enumerate(found):
        for other, second in found[index + 1 :]:
            if first is None or second is None or one.namespace == other.namespace:
                continue
            both = set(first.watched) & set(second.watched)
            if first.watched and second.watched and not both:
                continue
            where = ", ".join(sorted(both or {*first.watched, *second.watched})) or "all namespaces"
            return Check(
                "operators",
                Mark.WRONG,
                f"those in {one.namespace} and {other.namespace} both watch {where}",
                cause="Each holds a Lease of its own, so both write the same chatbots.",
                fix="Give each its own WATCH_NAMESPACES, or remove one.",
            )
    return None
