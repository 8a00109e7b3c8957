"""What there is in the cluster, looked at all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from chatbot_operator.azure.entra import SilentError, discover
from chatbot_operator.cli.doctor import access, looking, shipped
from chatbot_operator.cli.doctor.access import Right
from chatbot_operator.cli.doctor.definitions import DEFINITIONS
from chatbot_operator.cli.doctor.granted import held
from chatbot_operator.cli.doctor.issuer import DOCUMENT, Issued
from chatbot_operator.cli.doctor.looking import Dark, Silent
from chatbot_operator.cli.doctor.running import QUOTAS, Leading, stale
from chatbot_operator.cli.doctor.server import METRICS
from chatbot_operator.cli.doctor.webhook import (
    OF_SERVICE,
    Hook,
    hooks,
    rehearsal,
)
from chatbot_operator.cli.installed import Installed, find
from chatbot_operator.cli.pod.looking import HOOKS, SLICES
from chatbot_operator.cli.reach import Reach
from chatbot_operator.cli.unread import Unread
from chatbot_operator.election import LEASES, RETRY_SECONDS
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.kube.client import Cluster
from chatbot_operator.kube.dry_run import DryRun
from chatbot_operator.kube.lease import NAME as LEASE
from chatbot_operator.ports import (
    ACCOUNTS,
    CHATBOTS,
    HTTP_ROUTES,
    NAMESPACES,
    PODS,
    Discovery,
    Object,
)
from chatbot_operator.ports import Resource as Kind

HOME: Final = "chatbot-operator"
"""The namespace that is shipped."""


@dataclass(frozen=True, slots=True)
class Around:
    """What surrounds an operator: its Lease, its namespace with its quotas, and its rights."""

    leading: Leading | Dark
    namespace: Object | Dark | None
    quotas: list[Object] | Dark
    held: dict[Right, bool] | Dark
    needed: tuple[Right, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """The whole cluster, as far as it matters to chatbots."""

    version: Object
    issued: Issued
    hooks: list[Hook] | Dark
    ready: int | Dark | None
    rehearsed: Object | Dark
    definitions: tuple[tuple[Path, Object, Object | Dark | None], ...]
    operators: list[Installed] | Dark
    around: tuple[Around, ...]
    accounts: list[Object] | Dark
    chatbots: list[Object] | Dark
    routes: bool | Dark
    measured: bool | Dark


async def look(reach: Reach) -> Seen:
    """Look at everything at once; raises KubernetesRefusal where no API server answers."""
    cluster = await reach.cluster()
    version = await cluster.document("/version")
    async with asyncio.TaskGroup() as tasks:
        issued = tasks.create_task(_issued(reach, cluster))
        registered = tasks.create_task(_hooks(cluster))
        definitions = tasks.create_task(_definitions(cluster))
        kinds = tasks.create_task(_kinds(cluster))
        objects = tasks.create_task(_objects(cluster))
        operators = await _operators(cluster)
        found = operators if isinstance(operators, list) else []
        home = found[0].namespace if found else "default"
        pod = rehearsal(home)
        right = f"create pods in {home} (none is: it is a dry run)"
        rehearsed = tasks.create_task(_rehearsed(reach, pod, right))
        around = [tasks.create_task(_around(reach, cluster, one)) for one in found]
    known, ready = registered.result()
    routes, measured = kinds.result()
    accounts, chatbots = objects.result()
    return Seen(
        version=version,
        issued=issued.result(),
        hooks=known,
        ready=ready,
        rehearsed=rehearsed.result(),
        definitions=definitions.result(),
        operators=operators,
        around=tuple(each.result() for each in around),
        accounts=accounts,
        chatbots=chatbots,
        routes=routes,
        measured=measured,
    )


async def _issued(reach: Reach, cluster: Cluster) -> Issued:
    document, keys = await asyncio.gather(
        looking.cluster(cluster.document("/.well-known/openid-configuration"), DOCUMENT),
        looking.cluster(cluster.document("/openid/v1/jwks"), "get /openid/v1/jwks"),
    )
    own = _key_ids(keys) if isinstance(keys, dict) else keys
    if not isinstance(document, dict):
        return Issued(document, own, document)
    issuer = str(document.get("issuer", ""))
    published: Discovery | Dark
    try:
        published = await discover(await reach.session(), issuer)
    except SilentError as error:
        published = Silent(str(error))
    return Issued(issuer, own, published)


def _key_ids(document: Object) -> frozenset[str]:
    return frozenset(str(each["kid"]) for each in document.get("keys") or () if "kid" in each)


async def _hooks(cluster: Cluster) -> tuple[list[Hook] | Dark, int | Dark | None]:
    right = f"list {HOOKS.plural}"
    found = await looking.cluster(cluster.every(HOOKS), right)
    if not isinstance(found, list):
        return found, found
    known = hooks(found)
    service = known[0].service if known else None
    if service is None:
        return known, None
    namespace, name = service
    right = f"list {SLICES.plural} in {namespace}"
    slices = await looking.cluster(cluster.select(SLICES, namespace, {OF_SERVICE: name}), right)
    return known, _ready(slices) if isinstance(slices, list) else slices


def _ready(slices: Iterable[Object]) -> int:
    every = [each for one in slices for each in one.get("endpoints") or ()]
    return sum((each.get("conditions") or {}).get("ready") is not False for each in every)


async def _rehearsed(reach: Reach, pod: Object, right: str) -> Object | Dark:
    """Have a pod made on trial; what else than RBAC forbids it is no lack of a right."""
    try:
        async with DryRun(await reach.configuration()) as rehearsing:
            return await rehearsing.make(PODS, pod)
    except KubernetesRefusal as refusal:
        if refusal.status == HTTPStatus.FORBIDDEN and "cannot create resource" in refusal.message:
            return Unread(right)
        return Silent(refusal.message)


async def _definitions(
    cluster: Cluster,
) -> tuple[tuple[Path, Object, Object | Dark | None], ...]:
    right = f"get {DEFINITIONS.plural}"
    every = shipped.definitions()
    live = await asyncio.gather(
        *(
            looking.cluster(cluster.get(DEFINITIONS, "", one["metadata"]["name"]), right)
            for _, one in every
        )
    )
    return tuple((*one, found) for one, found in zip(every, live, strict=True))


async def _kinds(cluster: Cluster) -> tuple[bool | Dark, bool | Dark]:
    return await asyncio.gather(
        looking.cluster(cluster.serves(HTTP_ROUTES), "read the API's kinds"),
        looking.cluster(cluster.serves(METRICS), "read the API's kinds"),
    )


async def _objects(cluster: Cluster) -> tuple[list[Object] | Dark, list[Object] | Dark]:
    return await asyncio.gather(
        looking.cluster(_every(cluster, ACCOUNTS), f"list {ACCOUNTS.plural}"),
        looking.cluster(_every(cluster, CHATBOTS), f"list {CHATBOTS.plural}"),
    )


async def _every(cluster: Cluster, kind: Kind) -> list[Object]:
    """List a kind; there are none where the cluster does not know it."""
    try:
        return await cluster.every(kind)
    except KubernetesRefusal as refusal:
        if refusal.status == HTTPStatus.NOT_FOUND:
            return []
        raise


async def _operators(cluster: Cluster) -> list[Installed] | Dark:
    right = "list deployments and pods, and get serviceaccounts"
    found = await looking.cluster(find(cluster), right)
    if isinstance(found, Unread):
        at_home = await looking.cluster(find(cluster, HOME), f"{right} in {HOME}")
        return at_home if isinstance(at_home, list) and at_home else found
    return found


async def _around(reach: Reach, cluster: Cluster, of: Installed) -> Around:
    needed = tuple(_needed(of))
    leading, namespace, quotas, rights = await asyncio.gather(
        _leading(reach, cluster, of),
        looking.cluster(cluster.get(NAMESPACES, "", of.namespace), "get namespaces"),
        looking.cluster(
            cluster.select(QUOTAS, of.namespace, {}), f"list {QUOTAS.plural} in {of.namespace}"
        ),
        held(cluster, of, (*needed, *access.TOO_MUCH)),
    )
    return Around(leading, namespace, quotas, rights, needed)


async def _leading(reach: Reach, cluster: Cluster, of: Installed) -> Leading | Dark:
    right = f"get leases in {of.namespace}"
    first = await looking.cluster(cluster.get(LEASES, of.namespace, LEASE), right)
    if isinstance(first, Unread | Silent):
        return first
    if not stale(first, reach.now()):
        return Leading(first, None, reach.now())
    await asyncio.sleep(2 * RETRY_SECONDS)
    later = await looking.cluster(cluster.get(LEASES, of.namespace, LEASE), right)
    if isinstance(later, Unread | Silent):
        return later
    return Leading(first, later, reach.now())


def _needed(of: Installed) -> Iterable[Right]:
    planned = of.planned()[0] or of.settings
    watched = planned.watched if planned else ()
    yield from access.rights(shipped.own_rules(), of.namespace)
    if not watched:
        yield from access.rights(shipped.cluster_rules())
        return
    yield from access.rights(shipped.narrow_cluster_rules())
    yield from access.rights(shipped.event_rules(), "default")
    for namespace in watched:
        yield from access.rights(shipped.team_rules(), namespace)
