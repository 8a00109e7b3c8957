"""The composition root: settings, adapters, queue and watches become one operator."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import random
import secrets
import signal
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import kopf
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity.aio import WorkloadIdentityCredential
from kubernetes.aio.client import Configuration
from prometheus_client import CollectorRegistry, ProcessCollector

from chatbot_operator import ports, watches
from chatbot_operator.azure.resource_manager import ResourceManager
from chatbot_operator.azure.transport import CONNECT_SECONDS, READ_SECONDS, session
from chatbot_operator.errors import KubernetesRefusal, Refusal, judge
from chatbot_operator.health import Vital, served
from chatbot_operator.kube import connection
from chatbot_operator.kube.client import Cluster
from chatbot_operator.kube.lease import Election
from chatbot_operator.kube.pods import PodNetwork
from chatbot_operator.metrics import Left, Metrics, Now, State
from chatbot_operator.observing import Observer
from chatbot_operator.ports import HTTP_ROUTES, Installation, Manage, World
from chatbot_operator.rights import lacking_on_group
from chatbot_operator.settings import Settings, certificates, installation, issuer
from chatbot_operator.tenure import Tenure
from chatbot_operator.told import Enqueue, Told
from chatbot_operator.work import Work

if TYPE_CHECKING:
    from chatbot_operator.spans import Spans

log = logging.getLogger("chatbot_operator")

SERVED_SECONDS = 20.0
"""Between two questions whether the cluster has come to know HTTPRoutes."""


async def run(settings: Settings, spans: Spans | None) -> None:
    """Run the operator until SIGTERM or SIGINT; while another one holds the Lease, wait.

    Raises SettingsError when a file that a setting names is of no use.
    """
    certificates("EXTRA_CA_FILE", settings.extra_ca_file)
    authorities = certificates("CHATBOT_CA_FILE", settings.chatbot_ca_file)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    tenure, work = Tenure(_lost), None
    configuration = await connection.load()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    observer = Observer(Metrics(registry), spans, time.monotonic)

    def now() -> Now | None:
        return work.now() if work else None

    def vital() -> Vital | None:
        return work.vital() if work else None

    async with AsyncExitStack() as open_:
        if spans:
            open_.push_async_callback(spans.close)
        cluster = Cluster(
            configuration,
            before=tenure.check,
            ended=observer.asked_cluster,
            namespaces=settings.watched,
        )
        await open_.enter_async_context(cluster)
        arm = _azure(open_, settings, before=tenure.check, ended=observer.asked_azure)
        azure = await open_.enter_async_context(arm)
        registry.register(State(now, partial(_left, azure)))
        probes = served(vital, registry, settings.host, settings.probe_port)
        await open_.enter_async_context(probes)
        pods = await open_.enter_async_context(PodNetwork())

        async def lead() -> bool:
            nonlocal work
            whole = await _installation(settings, cluster, authorities)
            clock, watch = partial(dt.datetime.now, dt.UTC), partial(_watch, settings.watched)
            world = World(cluster, azure, pods, clock, whole, step=observer.step)
            work = Work(world, cluster, watch, settings.workers, observer)
            anew = asyncio.create_task(_begin_anew(cluster, stop))
            try:
                return await work.until(stop)
            finally:
                anew.cancel()

        if not settings.pod_namespace:
            await lead()
            return
        others = await open_.enter_async_context(Cluster(configuration))
        await _elected(_election(settings, others, tenure), lead, stop)
        tenure.end()


async def check(settings: Settings, group_id: str) -> str:
    """Sign in to Azure as the operator, and say what it lacks on the identities' resource group.

    Nothing is written. Empty: it holds what it needs. Raises SettingsError as `run` does.
    """
    certificates("EXTRA_CA_FILE", settings.extra_ca_file)
    async with AsyncExitStack() as open_:
        azure = await open_.enter_async_context(_azure(open_, settings))
        try:
            held = await azure.permissions(group_id)
        except Refusal as refusal:
            return judge(refusal).message
    less = lacking_on_group(held, Manage(settings.manage))
    return f"The operator's identity lacks {', '.join(less)}." if less else ""


def _election(settings: Settings, cluster: Cluster, tenure: Tenure) -> Election:
    # A container that starts anew in its pod is another candidate.
    me = f"{settings.pod_name or socket.gethostname()}_{secrets.token_hex(4)}"
    return Election(
        cluster, tenure, settings.pod_namespace, me, time=time.monotonic, random=random.random
    )


async def _elected(
    election: Election, lead: Callable[[], Awaitable[bool]], stop: asyncio.Event
) -> None:
    """Lead while the Lease is held; give it back if nothing can be written any more."""
    waiting = asyncio.create_task(election.win())
    stopping = asyncio.create_task(stop.wait())
    done, pending = await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    if waiting not in done:
        return
    waiting.result()
    log.info("leading")
    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(election.keep())
        idle = await lead()
        keeping.cancel()
    if idle:
        await election.give_back()


def _lost() -> NoReturn:
    """End the process, now: another operator may be writing in a moment."""
    said = threading.Thread(target=log.critical, args=("the Lease is lost",), daemon=True)
    said.start()
    # Standard error may be a pipe that nobody empties.
    said.join(1.0)
    os._exit(1)


async def _watch(
    namespaces: tuple[str, ...], told: Told, enqueue: Enqueue, heard: Callable[[], None]
) -> None:
    """Run kopf until cancelled, in some namespaces or in all."""
    registry = kopf.OperatorRegistry()
    watches.register(registry, told, enqueue, heard=heard)

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return _connection_info(await connection.load())

    log.info("watching")
    await kopf.operator(
        registry=registry,
        settings=watches.settings(),
        clusterwide=not namespaces,
        namespaces=namespaces,
    )


async def _begin_anew(cluster: Cluster, stop: asyncio.Event) -> None:
    """Stop when the cluster comes to know HTTPRoutes, which a new process will watch.

    kopf asks once which kinds there are, unless it may read every CustomResourceDefinition.
    """
    absent = False
    while True:
        with suppress(KubernetesRefusal):
            served = await cluster.serves(HTTP_ROUTES)
            if served and absent:
                log.info("the cluster has come to know HTTPRoutes: begin anew to watch them")
                stop.set()
            if served:
                return
            absent = True
        await asyncio.sleep(SERVED_SECONDS)


def _left(azure: ResourceManager) -> Left:
    budget = azure.budget
    return Left(budget.turns().items(), budget.pauses().items(), budget.said().items())


def _azure(open_: AsyncExitStack, settings: Settings, **heard: Any) -> ResourceManager:
    credential = WorkloadIdentityCredential(
        tenant_id=settings.tenant_id,
        client_id=settings.client_id,
        token_file_path=str(settings.token_file),
        authority=settings.authority,
        retry_total=0,
        transport=AioHttpTransport(
            session=session(settings.extra_ca_file),
            connection_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
        ),
    )
    open_.push_async_callback(credential.close)
    return ResourceManager(
        credential,
        extra_ca_file=settings.extra_ca_file,
        endpoint=settings.arm_endpoint,
        scope=settings.arm_scope,
        **heard,
    )


async def _installation(settings: Settings, cluster: Cluster, authorities: str) -> Installation:
    token = await asyncio.to_thread(Path(settings.token_file).read_text)
    return installation(
        settings,
        cluster=settings.owner_id or await _cluster_uid(cluster),
        issuer=issuer(token),
        authorities=authorities,
    )


async def _cluster_uid(cluster: Cluster) -> str:
    """Give what tells this cluster from all others, and survives the operator."""
    namespace = await cluster.get(ports.NAMESPACES, "", "kube-system")
    if namespace is None:
        raise RuntimeError("there is no namespace kube-system; set OWNER_ID")
    return str(namespace["metadata"]["uid"])


def _connection_info(configuration: Configuration) -> kopf.ConnectionInfo:
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        token=connection.bearer(configuration),
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        insecure=not configuration.verify_ssl,
        trust_env=True,
        expiration=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=30),
    )
