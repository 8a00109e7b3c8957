"""A person's own way to the cluster and to Azure, opened when it is first asked for."""

from __future__ import annotations

import datetime as dt
import os
import shlex
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Self

from azure.core.pipeline.transport import AioHttpTransport
from azure.identity.aio import AzureCliCredential, WorkloadIdentityCredential
from kubernetes.aio.client import Configuration

from chatbot_operator.azure.resource_manager import ResourceManager
from chatbot_operator.azure.transport import CONNECT_SECONDS, READ_SECONDS, session
from chatbot_operator.clouds import CLOUDS
from chatbot_operator.kube import connection
from chatbot_operator.kube.client import Cluster
from chatbot_operator.ports import Clock


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a person wants to look: as given on the command line, empty where nothing was."""

    kubeconfig: str = ""
    context: str = ""
    namespace: str = ""
    cloud: str = "Public"


class Reach:
    """The way to cluster and Azure; an asynchronous context manager that closes what was opened.

    `environment` are the environment's variables: of Azure those that the operator knows, too
    (ARM_ENDPOINT, ARM_SCOPE, EXTRA_CA_FILE), and those of the workload identity webhook, in a pod.
    """

    def __init__(self, asked: Asked, environment: Mapping[str, str], now: Clock) -> None:
        self.asked = asked
        self.environment = environment
        self.now = now
        self._open = AsyncExitStack()
        self._configured: tuple[Configuration, str] | None = None
        self._cluster: Cluster | None = None
        self._azure: ResourceManager | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._open.aclose()

    async def configuration(self) -> Configuration:
        """Give the connection of the kubeconfig's context."""
        return (await self._configure())[0]

    async def namespace(self) -> str:
        """Give the namespace to look in: as asked, else the context's, else `default`."""
        return self.asked.namespace or (await self._configure())[1]

    async def cluster(self) -> Cluster:
        """Open the cluster's API, as the person."""
        if self._cluster is None:
            cluster = Cluster(await self.configuration())
            self._cluster = await self._open.enter_async_context(cluster)
        return self._cluster

    async def azure(self) -> ResourceManager:
        """Open Azure Resource Manager: as who is signed in by `az login`, or as the pod's identity.

        Nothing is asked before the first call, which raises Refusal where nobody is signed in.
        """
        if self._azure is None:
            cloud = CLOUDS[self.asked.cloud].settings()
            credential = self._credential()
            self._open.push_async_callback(credential.close)
            azure = ResourceManager(
                credential,
                extra_ca_file=self.environment.get("EXTRA_CA_FILE", ""),
                endpoint=self.environment.get("ARM_ENDPOINT", cloud["ARM_ENDPOINT"]),
                scope=self.environment.get("ARM_SCOPE", cloud["ARM_SCOPE"]),
            )
            self._azure = await self._open.enter_async_context(azure)
        return self._azure

    def kubectl(self, *words: str) -> str:
        """Spell a command of kubectl for the same cluster, to be typed by the person."""
        where = (
            *(("--kubeconfig", self.asked.kubeconfig) if self.asked.kubeconfig else ()),
            *(("--context", self.asked.context) if self.asked.context else ()),
        )
        return shlex.join(("kubectl", *words, *where))

    async def _configure(self) -> tuple[Configuration, str]:
        if self._configured is None:
            asked = self.asked
            self._configured = await connection.of_person(asked.kubeconfig, asked.context)
        return self._configured

    def _credential(self) -> Any:
        if "AZURE_FEDERATED_TOKEN_FILE" not in self.environment:
            return AzureCliCredential()
        transport = AioHttpTransport(
            session=session(self.environment.get("EXTRA_CA_FILE", "")),
            connection_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
        )
        return WorkloadIdentityCredential(retry_total=0, transport=transport)


def of_now() -> dt.datetime:
    """Give the present."""
    return dt.datetime.now(dt.UTC)


def here(asked: Asked) -> Reach:
    """Give the way from this process."""
    return Reach(asked, os.environ, of_now)
