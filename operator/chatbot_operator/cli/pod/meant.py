"""What a pod's containers use to be an identity, or would once the webhook has seen them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chatbot_operator.cli.pod.observed import (
    CLIENT_ID,
    EXPIRATION,
    TENANT_ID,
    Cluster,
    Container,
    ServiceAccount,
)

Kubectl = Callable[..., str]
"""Spells a command of kubectl for the cluster that was looked at."""
RESTARTED = ("Deployment", "StatefulSet", "DaemonSet")


@dataclass(frozen=True, slots=True)
class Meant:
    """A client id, a tenant and an authority; empty where nothing says them."""

    client_id: str
    tenant: str
    authority: str


def meant(cluster: Cluster) -> Meant:
    """Work out what the pod is meant to use.

    What a pod's template sets by hand the webhook leaves alone; otherwise the service account's
    annotations hold, even where the pod was made before they were.
    """
    account = cluster.account if isinstance(cluster.account, ServiceAccount) else ServiceAccount()
    return Meant(
        client_id=_one(cluster, "AZURE_CLIENT_ID", account.annotations.get(CLIENT_ID, "")),
        tenant=_one(cluster, "AZURE_TENANT_ID", account.annotations.get(TENANT_ID, "")),
        authority=_one(cluster, "AZURE_AUTHORITY_HOST", ""),
    )


def users(cluster: Cluster) -> tuple[Container, ...]:
    """Give the containers that the webhook does not skip."""
    skipped = cluster.pod.skipped
    return tuple(each for each in cluster.pod.containers if each.name not in skipped)


def by_hand(cluster: Cluster, container: Container, name: str) -> bool:
    """Tell whether a container's variable is set in its template, not by the webhook."""
    owner = cluster.owner
    return owner is not None and name in owner.variables.get(container.name, ())


def restart(cluster: Cluster, kubectl: Kubectl) -> str:
    """Spell how the pod is made anew."""
    owner, pod = cluster.owner, cluster.pod
    if owner and owner.kind in RESTARTED:
        what = f"{owner.kind.lower()}/{owner.name}"
        return kubectl("rollout", "restart", what, "-n", pod.namespace)
    return kubectl("delete", "pod", pod.name, "-n", pod.namespace)


def anew(cluster: Cluster) -> str:
    """Say how the pod is made anew."""
    if cluster.owner:
        return f"Have {cluster.owner.kind} {cluster.owner.name} make it anew"
    return "Nothing makes this pod anew: delete it and apply its manifest again"


def expirations(cluster: Cluster) -> list[tuple[str, str]]:
    """Give the expirations that are asked for, and of whom; the pod's counts before the other."""
    found = [("pod", cluster.pod.annotations.get(EXPIRATION, ""))]
    if isinstance(cluster.account, ServiceAccount):
        found.append(("service account", cluster.account.annotations.get(EXPIRATION, "")))
    return [(who, value) for who, value in found if value]


def _one(cluster: Cluster, name: str, annotated: str) -> str:
    said = [(each, each.said(name)) for each in users(cluster) if each.said(name)]
    set_by_hand = next((value for each, value in said if by_hand(cluster, each, name)), "")
    injected = next((value for _, value in said), "")
    return set_by_hand or annotated.strip() or injected
