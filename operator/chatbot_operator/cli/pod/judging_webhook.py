"""The webhook, and what it made of the pod. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chatbot_operator.cli.checks import Check, Mark, worst
from chatbot_operator.cli.pod.judging_pod import unknown
from chatbot_operator.cli.pod.meant import Kubectl, Meant, anew, by_hand, restart, users
from chatbot_operator.cli.pod.observed import (
    CLIENT_ID,
    TENANT_ID,
    USE,
    Cluster,
    Container,
    Hook,
    ServiceAccount,
    Unseen,
)

ENABLE = (
    "On AKS: `az aks update --name CLUSTER --resource-group GROUP --enable-oidc-issuer"
    " --enable-workload-identity`. Elsewhere install azure-workload-identity's chart."
)
SECRETS = ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_PASSWORD")
"""What azure.identity's EnvironmentCredential takes before a workload identity."""


def webhook(cluster: Cluster, kubectl: Kubectl) -> Check:
    """Judge whether the webhook is there, works, and is asked about this pod."""
    hooks = cluster.hooks
    if isinstance(hooks, Unseen):
        return unknown("webhook", hooks)
    if not hooks:
        return Check(
            "webhook",
            Mark.WRONG,
            "the cluster has no workload identity webhook",
            cause="Nobody gives pods their variables and their token.",
            fix=ENABLE,
        )
    judged = [_hook(each, cluster, kubectl) for each in hooks]
    return next((each for each in judged if each.mark is Mark.OK), judged[0])


def _hook(hook: Hook, cluster: Cluster, kubectl: Kubectl) -> Check:
    found = f"{hook.configuration}, failurePolicy {hook.policy}"
    bars = _bars(hook, cluster)
    if bars:
        return Check(
            "webhook",
            Mark.WRONG,
            f"{hook.configuration} passes over this pod: {bars}",
            cause="The API server asks a webhook only about what its selectors match.",
            fix="Change the labels, or the selector where it is yours; then the pod has to be made"
            " anew. AKS sets its own selector again.",
            commands=_labelling(hook, cluster, kubectl),
        )
    if hook.endpoints == 0 and hook.service:
        return _unready(hook, *hook.service, kubectl)
    if isinstance(hook.endpoints, Unseen):
        found += f"; whether it runs is {hook.endpoints.why}"
    return Check("webhook", Mark.OK, found)


def _unready(hook: Hook, namespace: str, name: str, kubectl: Kubectl) -> Check:
    effect = "no pod with the label can be made" if hook.policy == "Fail" else "pods pass by it"
    return Check(
        "webhook",
        Mark.WRONG,
        f"{hook.configuration}: no pod of its service {namespace}/{name} is ready",
        cause=f"With failurePolicy {hook.policy}, {effect} meanwhile.",
        fix="Look at what keeps its pods.",
        commands=(kubectl("get", "pods", "-n", namespace),),
    )


def _bars(hook: Hook, cluster: Cluster) -> str:
    """Say which selector does not match; the pod's missing label is another check's."""
    labels = {**cluster.pod.labels, USE: "true"}
    missed = next(misses(hook.objects, labels), "")
    if missed:
        return f"its objectSelector wants {missed}"
    if isinstance(cluster.namespace, Unseen):
        return ""
    missed = next(misses(hook.namespaces, cluster.namespace), "")
    where = f"on namespace {cluster.pod.namespace}"
    return f"its namespaceSelector wants {missed} {where}" if missed else ""


def misses(selector: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[str]:
    """Give the demands of a label selector that labels do not meet, as kubectl writes them."""
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            yield f"{key}={value}"
    for each in selector.get("matchExpressions") or ():
        key, operator, values = each["key"], each["operator"], each.get("values") or ()
        listed = f"({', '.join(values)})"
        met = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        words = {
            "In": f"{key} in {listed}",
            "NotIn": f"{key} notin {listed}",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }
        if not met[operator]:
            yield words[operator]


def _labelling(hook: Hook, cluster: Cluster, kubectl: Kubectl) -> tuple[str, ...]:
    """Spell how the namespace comes to match, where taking a label off does it."""
    if isinstance(cluster.namespace, Unseen):
        return ()
    missed = next(misses(hook.namespaces, cluster.namespace), "")
    if "=" in missed:
        return (kubectl("label", "namespace", cluster.pod.namespace, missed),)
    key = missed.removeprefix("!").partition(" notin ")[0]
    if missed and key != missed:
        return (kubectl("label", "namespace", cluster.pod.namespace, f"{key}-"),)
    return ()


def injection(cluster: Cluster, uses: Meant, before: Mark, kubectl: Kubectl) -> Check:
    """Judge what the webhook made of the pod; `before`: how label, account and webhook stand."""
    containers = users(cluster)
    if not containers:
        return Check(
            "injection",
            Mark.WRONG,
            "every container is named in skip-containers",
            cause="The webhook leaves all of them alone.",
            fix="Take those that need an identity out of that annotation of the pod's.",
        )
    below = _spared(tuple(_container(each, cluster, uses) for each in containers), containers)
    noted = (*_secrets(containers), *_skipped(cluster))
    mark = worst(below)
    if mark is Mark.WRONG and (before is Mark.WRONG or cluster.pod.absent):
        waits = tuple(Check(each.name, Mark.WAITING, each.found) for each in below)
        found = "follows from what is said above"
        return Check("injection", Mark.WAITING, found, below=(*waits, *noted))
    if mark is Mark.WRONG:
        return Check(
            "injection",
            mark,
            "the pod does not have what the webhook gives pods now",
            cause="The webhook changes pods only when they are made, and leaves alone what they"
            " set themselves.",
            fix=f"{anew(cluster)}.",
            commands=(restart(cluster, kubectl),),
            below=(*below, *noted),
        )
    return Check("injection", mark, "variables and token are there", below=(*below, *noted))


def _skipped(cluster: Cluster) -> Iterator[Check]:
    for name in sorted(cluster.pod.skipped):
        yield Check(f"container {name}", Mark.NOTE, "skipped, as the pod's annotation says")


def _spared(below: tuple[Check, ...], containers: tuple[Container, ...]) -> tuple[Check, ...]:
    """Note a container that was put in after the webhook, beside one that it has changed."""
    if all(each.mark is Mark.WRONG for each in below):
        return below
    return tuple(
        Check(check.name, Mark.NOTE, "put in after the webhook: it is nobody in Azure")
        if "AZURE_FEDERATED_TOKEN_FILE" not in container.variables
        else check
        for check, container in zip(below, containers, strict=True)
    )


def _container(container: Container, cluster: Cluster, uses: Meant) -> Check:
    name = f"container {container.name}"
    trouble = "; ".join(_troubles(container, cluster))
    if trouble:
        return Check(name, Mark.WRONG, trouble)
    variable = container.variables["AZURE_CLIENT_ID"]
    if variable.value is None:
        return Check(name, Mark.NOTE, f"AZURE_CLIENT_ID comes from {variable.source}: not read")
    if variable.value.strip() != uses.client_id or by_hand(cluster, container, "AZURE_CLIENT_ID"):
        return Check(name, Mark.NOTE, f"it sets AZURE_CLIENT_ID to {variable.value} by itself")
    return Check(name, Mark.OK, f"is client {variable.value}")


def _secrets(containers: tuple[Container, ...]) -> Iterator[Check]:
    """Note what azure.identity takes before a workload identity."""
    for container in containers:
        secret = next((each for each in SECRETS if each in container.variables), "")
        if secret:
            yield Check(
                f"container {container.name}",
                Mark.NOTE,
                f"it also has {secret}",
                cause="DefaultAzureCredential takes that before the pod's token: this container is"
                " somebody else in Azure.",
                fix=f"Take {secret} out of its variables.",
            )


def _troubles(container: Container, cluster: Cluster) -> Iterator[str]:
    if "AZURE_FEDERATED_TOKEN_FILE" not in container.variables:
        yield "AZURE_FEDERATED_TOKEN_FILE is not there: the webhook did not change it"
    elif cluster.pod.token_of(container) is None:
        where = container.said("AZURE_FEDERATED_TOKEN_FILE")
        yield f"no token is mounted at {where}"
    if "AZURE_CLIENT_ID" not in container.variables:
        yield "AZURE_CLIENT_ID is not there"
    account = cluster.account
    if not isinstance(account, ServiceAccount):
        return
    for name, key in (("AZURE_CLIENT_ID", CLIENT_ID), ("AZURE_TENANT_ID", TENANT_ID)):
        has, now = container.said(name), account.annotations.get(key, "")
        if has and now and has != now and not by_hand(cluster, container, name):
            yield f"{name} is {has}, where the service account says {now} now"
