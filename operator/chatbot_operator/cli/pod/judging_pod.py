"""The pod itself, its label and its service account. Pure."""

from __future__ import annotations

import json
import re
from typing import Final

from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.pod.meant import Kubectl, Meant, anew, expirations, restart, users
from chatbot_operator.cli.pod.observed import (
    CLIENT_ID,
    GUID,
    PREFIX,
    TENANT_ID,
    USE,
    Cluster,
    ServiceAccount,
    Unseen,
)

_EXPIRATION: Final = range(3600, 86400 + 1)
_PATCHED: Final = ("Deployment", "StatefulSet", "DaemonSet")


def unknown(name: str, seen: Unseen) -> Check:
    """Say that something could not be looked at."""
    return Check(name, Mark.UNKNOWN, seen.why, fix=seen.fix, commands=seen.commands)


def pod(cluster: Cluster, before: Mark, kubectl: Kubectl) -> Check:
    """Judge the pod's life: everything else is looked at whatever that is.

    `before`: how all that it is made with stands.
    """
    of = cluster.pod
    if of.absent:
        return Check(
            "pod",
            Mark.WAITING if before is Mark.WRONG else Mark.WRONG,
            f"there is none: {of.absent}",
            cause="What follows is said of the pod that the template describes.",
        )
    found = f"{'Terminating' if of.leaving else of.phase}, runs as service account {of.account}"
    if cluster.owner:
        found += f", made by {cluster.owner.kind} {cluster.owner.name}"
        found += f" of {cluster.owner.above}" if cluster.owner.above else ""
    notes = (_ours(cluster, kubectl),) if of.chatbot else ()
    if of.leaving:
        return Check("pod", Mark.NOTE, found, cause="It is going; its successor matters.")
    if of.phase == "Failed":
        logs = kubectl("logs", of.name, "-n", of.namespace, "--all-containers")
        what = kubectl("describe", "pod", of.name, "-n", of.namespace)
        return Check("pod", Mark.NOTE, found, commands=(what, logs), below=notes)
    return Check("pod", Mark.OK, found, below=notes)


def _ours(cluster: Cluster, kubectl: Kubectl) -> Check:
    of = cluster.pod
    return Check(
        "chatbot",
        Mark.NOTE,
        f"this pod belongs to chatbot {of.chatbot}",
        cause="Its operator makes the identity and all that belongs to it, and knows more.",
        commands=(kubectl("chatbot", "why", of.chatbot, "-n", of.namespace),),
    )


def label(cluster: Cluster, kubectl: Kubectl) -> Check:
    """Judge the label by which the webhook knows the pods that it has to change."""
    value = cluster.pod.labels.get(USE)
    owner = cluster.owner
    if value == "true" and owner and _put_on_later(cluster):
        return Check(
            "label",
            Mark.WRONG,
            f"the pod has it, but the template of {owner.kind} {owner.name} does not",
            cause="It was put on after the pod was made, when the webhook had passed it by; the"
            " next pod has none.",
            fix=_label_fix(cluster),
            commands=_label_commands(cluster, kubectl),
        )
    if value == "true":
        return Check("label", Mark.OK, f"{USE}: “true” on the pod")
    if owner and owner.template_labels.get(USE) == "true":
        return Check(
            "label",
            Mark.WRONG,
            f"{owner.kind} {owner.name} puts it on its pods, but this pod is older than that",
            cause="The webhook changes pods only when they are made.",
            fix=f"{anew(cluster)}.",
            commands=(restart(cluster, kubectl),),
        )
    found = f"the pod has {USE}: “{value}”" if value is not None else f"the pod has no {USE}"
    elsewhere = _label_elsewhere(cluster)
    return Check(
        "label",
        Mark.WRONG,
        f"{found}; it is {' and '.join(elsewhere)}" if elsewhere else found,
        cause="The webhook looks at the labels of pods alone, and for exactly “true”.",
        fix=_label_fix(cluster),
        commands=_label_commands(cluster, kubectl),
        facts={"expected": "true", "found": value or ""},
    )


def _put_on_later(cluster: Cluster) -> bool:
    """Tell whether a pod bears a label that neither its template has nor the webhook has seen."""
    known = cluster.owner is not None and bool(cluster.owner.template_labels)
    labelled = cluster.owner is not None and USE in cluster.owner.template_labels
    injected = any("AZURE_FEDERATED_TOKEN_FILE" in c.variables for c in users(cluster))
    return known and not labelled and not injected


def _label_elsewhere(cluster: Cluster) -> list[str]:
    found = []
    if USE in cluster.pod.annotations:
        found.append("an annotation of the pod, which counts for nothing")
    if cluster.owner and USE in cluster.owner.labels:
        what = f"{cluster.owner.kind} {cluster.owner.name}"
        found.append(f"on {what} itself, not in its template")
    if isinstance(cluster.account, ServiceAccount):
        marks = {**cluster.account.labels, **cluster.account.annotations}
        if USE in marks:
            found.append(f"on service account {cluster.pod.account}, which counts for nothing")
    return found


def _label_fix(cluster: Cluster) -> str:
    owner = cluster.owner
    if owner and owner.above:
        return f"Have {owner.above} put it into the template of {owner.kind} {owner.name}."
    if owner and owner.kind in _PATCHED:
        return f"Put it into the template of {owner.kind} {owner.name}; its pods are made anew."
    if owner:
        return f"Put it into the pod template of {owner.kind} {owner.name}, then have it run again."
    return "Put it into the pod's manifest, delete the pod and apply the manifest again."


def _label_commands(cluster: Cluster, kubectl: Kubectl) -> tuple[str, ...]:
    owner = cluster.owner
    if not owner or owner.above or owner.kind not in _PATCHED:
        return ()
    patch = {"spec": {"template": {"metadata": {"labels": {USE: "true"}}}}}
    where = (owner.kind.lower(), owner.name, "-n", cluster.pod.namespace)
    return (kubectl("patch", *where, "--type", "merge", "-p", json.dumps(patch)),)


def service_account(cluster: Cluster, uses: Meant, known: str, kubectl: Kubectl) -> Check:
    """Judge the service account: its annotations say whom the pod becomes.

    `known`: the client id of the identity that it should name, empty where nobody has said.
    """
    of, account = cluster.pod, cluster.account
    if isinstance(account, Unseen):
        return unknown("service account", account)
    if account is None:
        return Check(
            "service account",
            Mark.WRONG,
            f"there is no {of.account} in namespace {of.namespace}",
            cause="No more pods can be made with it, and the token of this one is not renewed.",
            commands=(kubectl("create", "serviceaccount", of.account, "-n", of.namespace),),
        )
    value = account.annotations.get(CLIENT_ID)
    if value is None or not value.strip():
        return _no_client_id(cluster, account, uses, known, kubectl)
    trouble = _client_id(value) or _others(cluster)
    if trouble:
        bare = value.strip() if GUID.fullmatch(value.strip()) else known
        fix, commands = _naming(cluster, bare, kubectl)
        return Check(
            "service account",
            Mark.WRONG,
            trouble,
            cause="The webhook hands the annotations on to the pod as they are.",
            fix=fix if _client_id(value) else f"Put it right, then: {anew(cluster)}.",
            commands=commands if _client_id(value) else (),
            facts={"found": value},
        )
    return Check(
        "service account",
        Mark.OK,
        f"{of.account} names client id {value}",
        facts={"clientId": value},
    )


def _no_client_id(
    cluster: Cluster, account: ServiceAccount, uses: Meant, known: str, kubectl: Kubectl
) -> Check:
    handed = all(each.variables.get("AZURE_CLIENT_ID") for each in users(cluster))
    if handed and GUID.fullmatch(uses.client_id):
        return Check(
            "service account",
            Mark.NOTE,
            f"{cluster.pod.account} names no client id; the pod says {uses.client_id} itself",
        )
    near = _near_key(account) or _key_on_pod(cluster)
    found = f"{cluster.pod.account} has no annotation {CLIENT_ID}"
    fix, commands = _naming(cluster, near[1] if near and _is_id(near[1]) else known, kubectl)
    return Check(
        "service account",
        Mark.WRONG,
        f"{found}; {near[0]}" if near else found,
        cause="Without it the webhook gives the pod no AZURE_CLIENT_ID.",
        fix=fix,
        commands=commands,
    )


def _naming(cluster: Cluster, client_id: str, kubectl: Kubectl) -> tuple[str, tuple[str, ...]]:
    """Give words and commands by which the service account comes to name a client id."""
    of = cluster.pod
    if not client_id:
        asked = ("chatbot", "why", f"pod/{of.name}", "-n", of.namespace, "--identity", "ID")
        return f"Say which managed identity it shall be, for the command: `{kubectl(*asked)}`.", ()
    return f"Name the client id, then: {anew(cluster)}.", (
        annotate(cluster, client_id, kubectl),
        restart(cluster, kubectl),
    )


def _is_id(value: str) -> bool:
    return bool(GUID.fullmatch(value))


def _near_key(account: ServiceAccount) -> tuple[str, str] | None:
    """Find where the client id may be instead."""
    marks = [*account.annotations.items(), *account.labels.items()]
    for key, value in marks:
        bare = re.sub(r"[^a-z]", "", key.lower())
        if key != CLIENT_ID and bare.endswith("clientid"):
            return f"it has {key}, which is another name", value.strip()
        if key == CLIENT_ID and value.strip():
            return "it is a label, where an annotation counts", value.strip()
    return None


def _key_on_pod(cluster: Cluster) -> tuple[str, str] | None:
    value = cluster.pod.annotations.get(CLIENT_ID) or cluster.pod.labels.get(CLIENT_ID)
    return ("the pod has it, where it counts for nothing", value.strip()) if value else None


def _client_id(value: str) -> str:
    """Say what is wrong with a client id; empty when nothing is."""
    if value != value.strip():
        return f"the client id “{value}” has white space around it"
    if GUID.fullmatch(value):
        return ""
    if value.lower().startswith("/subscriptions/"):
        return f"“{value}” is the id of a resource, where the identity's client id is wanted"
    return f"“{value}” is no client id: that is 32 hexadecimal digits in five groups"


def _others(cluster: Cluster) -> str:
    """Say what is wrong with the other annotations; empty when nothing is."""
    account = cluster.account
    tenant = account.annotations.get(TENANT_ID) if isinstance(account, ServiceAccount) else None
    if tenant is not None and not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", tenant):
        return f"{TENANT_ID} is “{tenant}”, which names no tenant"
    for who, value in expirations(cluster):
        if not value.isdecimal() or int(value) not in _EXPIRATION:
            bounds = f"{_EXPIRATION.start} to {_EXPIRATION.stop - 1} seconds"
            asked = f"{PREFIX}service-account-token-expiration"
            return f"{asked} of the {who} is “{value}”; the webhook lets in {bounds} only"
    return ""


def annotate(cluster: Cluster, client_id: str, kubectl: Kubectl) -> str:
    """Spell how the service account comes to name a client id."""
    where = ("serviceaccount", cluster.pod.account, "-n", cluster.pod.namespace)
    return kubectl("annotate", *where, f"{CLIENT_ID}={client_id}", "--overwrite")
