"""The composition root: settings, adapters, queue and watches become one operator."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import random
import signal
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import kopf
from azure.identity.aio import WorkloadIdentityCredential
from kubernetes.aio.client import Configuration

from chatbot_operator import ports, watches
from chatbot_operator.azure.resource_manager import (
    CONNECT_SECONDS,
    READ_SECONDS,
    ResourceManager,
)
from chatbot_operator.kube import connection
from chatbot_operator.kube.client import Cluster
from chatbot_operator.kube.pods import PodNetwork
from chatbot_operator.ports import Installation, World
from chatbot_operator.reconcile import Key, Memory, reconcile
from chatbot_operator.settings import Settings, issuer
from chatbot_operator.work_queue import Wait, WorkQueue

log = logging.getLogger("chatbot_operator")

PASS_SECONDS = 120.0
"""A pass that hangs must not hold a worker for ever."""
ALSO_SECONDS = 30.0
"""An account is not looked at each time that a chatbot asks for a deployment it has not."""


async def run(settings: Settings) -> None:
    """Run the operator until SIGTERM or SIGINT."""
    configuration = await connection.load()
    async with AsyncExitStack() as open_, asyncio.TaskGroup() as tasks:
        cluster = await open_.enter_async_context(Cluster(configuration))
        world = World(
            kubernetes=cluster,
            azure=await open_.enter_async_context(_azure(open_, settings)),
            pods=await open_.enter_async_context(PodNetwork()),
            now=lambda: dt.datetime.now(dt.UTC),
            installation=await _installation(settings, cluster),
        )
        users, memory = watches.Users(), Memory()
        queue: WorkQueue[Key]

        async def make_pass(key: Key) -> Wait:
            return await _pass(world, key, memory, users, queue)

        queue = WorkQueue(make_pass, time=time.monotonic, random=random.random)
        workers = [tasks.create_task(queue.work()) for _ in range(settings.workers)]
        await _watch(settings, users, queue)
        for worker in workers:
            worker.cancel()


async def _pass(
    world: World, key: Key, memory: Memory, users: watches.Users, queue: WorkQueue[Key]
) -> Wait:
    """Make a pass and log how it went; what nobody foresaw is logged once and tried again."""
    count = len(users.of(key.name)) if key.resource == ports.ACCOUNTS else 0
    fields = {"kind": key.resource.kind, "namespace": key.namespace, "name": key.name}
    try:
        async with asyncio.timeout(PASS_SECONDS):
            again = await reconcile(world, key, memory=memory, chatbots=count)
    except Exception:
        log.exception("pass failed", extra={"fields": fields})
        return Wait(0.0, failed=True)
    for other in again.also:
        await queue.add(other, after=ALSO_SECONDS)
    if again.failed and again.fault is not None:
        cause = {"reason": again.fault.reason, "cause": again.fault.message}
        log.warning("not done", extra={"fields": {**fields, **cause}})
    return Wait(again.seconds, failed=again.failed)


async def _watch(settings: Settings, users: watches.Users, queue: WorkQueue[Key]) -> None:
    """Run kopf until told to stop."""
    registry = kopf.OperatorRegistry()
    watches.register(registry, users, queue.add)

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return _connection_info(await connection.load())

    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    log.info("watching")
    await kopf.operator(
        registry=registry,
        settings=watches.settings(),
        clusterwide=True,
        stop_flag=stop,
        liveness_endpoint=f"http://{settings.host}:{settings.probe_port}/healthz",
    )


def _azure(open_: AsyncExitStack, settings: Settings) -> ResourceManager:
    credential = WorkloadIdentityCredential(
        tenant_id=settings.tenant_id,
        client_id=settings.client_id,
        token_file_path=str(settings.token_file),
        authority=settings.authority,
        retry_total=0,
        connection_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
    )
    open_.push_async_callback(credential.close)
    return ResourceManager(credential, endpoint=settings.arm_endpoint, scope=settings.arm_scope)


async def _installation(settings: Settings, cluster: Cluster) -> Installation:
    return Installation(
        cluster=settings.owner_id or await _cluster_uid(cluster),
        issuer=issuer(await asyncio.to_thread(Path(settings.token_file).read_text)),
        tenant_id=settings.tenant_id,
        image=settings.image,
        audience=settings.audience,
        data_scope=settings.data_scope,
        identity_resource_group=settings.identity_resource_group,
        identity_location=settings.identity_location,
        proof_delay=settings.proof_delay,
        proof_recheck=settings.proof_recheck,
        propagation_deadline=settings.propagation_deadline,
        resync=settings.resync,
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
        expiration=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=30),
    )
