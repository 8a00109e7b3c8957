"""Looks at what has to do with a chatbot or an account, as the person may. Writes nothing."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from chatbot_operator.cli import installed
from chatbot_operator.cli.doctor.definitions import DEFINITIONS
from chatbot_operator.cli.doctor.running import Leading, stale
from chatbot_operator.cli.reach import Reach
from chatbot_operator.cli.unread import Unread, allowed
from chatbot_operator.cli.why.running import Running
from chatbot_operator.election import LEASES, RETRY_SECONDS, Claim
from chatbot_operator.kube.client import Cluster
from chatbot_operator.kube.lease import NAME
from chatbot_operator.manifests import selector
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, EVENTS, NAMESPACES, PODS, Object

DEFINITION: Final = f"{CHATBOTS.plural}.{CHATBOTS.group}"
AGAIN_SECONDS: Final = 2 * RETRY_SECONDS
"""Until a Lease is read once more: whoever works has renewed it by then."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a chatbot. `accounts` are the names of those there are.

    `definition` is the CRD that it is kept by, None where a person may not read it.
    """

    now: dt.datetime
    kubectl: Callable[..., str]
    chatbot: Object
    account: Object | Unread | None
    accounts: tuple[str, ...]
    namespace: Object | Unread | None
    pods: list[Object] | Unread
    warnings: list[Object] | Unread
    running: Running | Unread
    definition: Object | None = None


async def look(reach: Reach, chatbot: Object) -> Seen:
    """Look at everything about a chatbot at once; raises KubernetesRefusal."""
    cluster = await reach.cluster()
    metadata = chatbot["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    account, home, pods, warnings, running, definition = await asyncio.gather(
        _account(cluster, chatbot["spec"]["openAI"]["account"]),
        allowed(cluster.get(NAMESPACES, "", namespace), "get namespaces"),
        allowed(
            cluster.select(PODS, namespace, selector(name)), f"list pods in namespace {namespace}"
        ),
        allowed(
            cluster.select(EVENTS, namespace, {}, fields={"type": "Warning"}),
            f"list events.events.k8s.io in namespace {namespace}",
        ),
        find_running(reach),
        allowed(cluster.get(DEFINITIONS, "", DEFINITION), "get customresourcedefinitions"),
    )
    return Seen(
        now=reach.now(),
        kubectl=reach.kubectl,
        chatbot=chatbot,
        account=account[0],
        accounts=account[1],
        namespace=home,
        pods=pods,
        warnings=warnings,
        running=running,
        definition=definition if isinstance(definition, dict) else None,
    )


async def find_running(reach: Reach) -> Running | Unread:
    """Look for the operators of the cluster, and whether they hold their Leases."""
    cluster = await reach.cluster()
    found = await allowed(
        installed.find(cluster), "list deployments.apps, pods and serviceaccounts everywhere"
    )
    if isinstance(found, Unread):
        return found
    homes = sorted({one.namespace for one in found})
    leases = await asyncio.gather(
        *(allowed(_leading(reach, at), f"get leases in namespace {at}") for at in homes)
    )
    return Running(tuple(found), dict(zip(homes, leases, strict=True)))


async def _leading(reach: Reach, home: str) -> Leading:
    """Read the Lease of an operator; twice, where it may be that nobody renews it."""
    cluster = await reach.cluster()
    first = await cluster.get(LEASES, home, NAME)
    if first is not None and Claim.parse(first).holder and not stale(first, reach.now()):
        return Leading(first, None, reach.now())
    await asyncio.sleep(AGAIN_SECONDS)
    return Leading(first, await cluster.get(LEASES, home, NAME), reach.now())


async def _account(cluster: Cluster, name: str) -> tuple[Object | Unread | None, tuple[str, ...]]:
    """Read an account; where there is none, the names of the others."""
    right = "get azureopenaiaccounts.chatbot-operator.dev"
    found = await allowed(cluster.get(ACCOUNTS, "", name), right)
    if found is not None:
        return found, ()
    others = await allowed(cluster.every(ACCOUNTS), right)
    names = () if isinstance(others, Unread) else tuple(o["metadata"]["name"] for o in others)
    return None, names
