"""A person's own way to the cluster and to Azure, opened when it is first asked for."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shlex
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity.aio import AzureCliCredential, WorkloadIdentityCredential
from kubernetes.aio.client import Configuration

from chatbot_operator.azure.catalogue import Catalogue
from chatbot_operator.azure.refusals import refusal_of
from chatbot_operator.azure.resource_manager import ResourceManager
from chatbot_operator.azure.transport import CONNECT_SECONDS, READ_SECONDS, session
from chatbot_operator.clouds import CLOUDS
from chatbot_operator.kube import connection
from chatbot_operator.kube.client import Cluster
from chatbot_operator.kube.connection import Person
from chatbot_operator.kube.pod_streams import PodStreams
from chatbot_operator.ports import Clock

_MINUTE = 60


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
        self._configured: Person | None = None
        self._cluster: Cluster | None = None
        self._pods: PodStreams | None = None
        self._azure: ResourceManager | None = None
        self._catalogue: Catalogue | None = None
        self._session: aiohttp.ClientSession | None = None
        self._held: Held | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._open.aclose()

    async def configuration(self) -> Configuration:
        """Give the connection of the kubeconfig's context."""
        return (await self._configure()).configuration

    async def aks(self) -> tuple[str, str] | None:
        """Give resource group and name of the AKS cluster, as `az aks get-credentials` wrote them.

        None for any other kubeconfig.
        """
        return (await self._configure()).aks

    async def namespace(self) -> str:
        """Give the namespace to look in: as asked, else the context's, else `default`."""
        return self.asked.namespace or (await self._configure()).namespace

    async def cluster(self) -> Cluster:
        """Open the cluster's API, as the person."""
        if self._cluster is None:
            cluster = Cluster(await self.configuration())
            self._cluster = await self._open.enter_async_context(cluster)
        return self._cluster

    async def pods(self) -> PodStreams:
        """Open the way to pods' logs and ports, through the cluster's API, as the person."""
        if self._pods is None:
            pods = PodStreams(await self.configuration())
            self._pods = await self._open.enter_async_context(pods)
        return self._pods

    async def token(self, audience: str, tenant: str = "") -> str:
        """Get a token for somebody else than Azure, such as a chatbot, by the same sign-in.

        `tenant` empty: that of the sign-in. Raises Refusal where there is none to be had.
        """
        wanted: dict[str, Any] = {"tenant_id": tenant} if tenant else {}
        try:
            token = await self._credential().get_token(f"{audience}/.default", **wanted)
        except AzureError as error:
            raise refusal_of(f"a token for {audience}", error) from error
        return str(token.token)

    async def azure(self) -> ResourceManager:
        """Open Azure Resource Manager: as who is signed in by `az login`, or as the pod's identity.

        Nothing is asked before the first call, which raises Refusal where nobody is signed in.
        """
        if self._azure is None:
            endpoint, scope = self._resource_manager()
            azure = ResourceManager(
                self._credential(),
                extra_ca_file=self._extra_ca_file,
                endpoint=endpoint,
                scope=scope,
            )
            self._azure = await self._open.enter_async_context(azure)
        return self._azure

    async def catalogue(self) -> Catalogue:
        """Open what Azure Resource Manager lists, as `azure`."""
        if self._catalogue is None:
            endpoint, scope = self._resource_manager()
            catalogue = Catalogue(
                self._credential(), endpoint=endpoint, scope=scope, session=await self.session()
            )
            self._catalogue = await self._open.enter_async_context(catalogue)
        return self._catalogue

    async def session(self) -> aiohttp.ClientSession:
        """Open connections to whoever else is asked, such as an issuer; nobody is signed in."""
        if self._session is None:
            opened = session(self._extra_ca_file)
            self._session = await self._open.enter_async_context(opened)
        return self._session

    def kubectl(self, *words: str) -> str:
        """Spell a command of kubectl for the same cluster, to be typed by the person."""
        where = (
            *(("--kubeconfig", self.asked.kubeconfig) if self.asked.kubeconfig else ()),
            *(("--context", self.asked.context) if self.asked.context else ()),
        )
        return shlex.join(("kubectl", *words, *where))

    async def _configure(self) -> Person:
        if self._configured is None:
            asked = self.asked
            self._configured = await connection.of_person(asked.kubeconfig, asked.context)
        return self._configured

    @property
    def _extra_ca_file(self) -> str:
        return self.environment.get("EXTRA_CA_FILE", "")

    def _resource_manager(self) -> tuple[str, str]:
        """Give endpoint and scope."""
        cloud = CLOUDS[self.asked.cloud].settings()
        endpoint, scope = (
            self.environment.get(name, cloud[name]) for name in ("ARM_ENDPOINT", "ARM_SCOPE")
        )
        return endpoint, scope

    def _credential(self) -> Held:
        if self._held is None:
            credential = self._signed_in()
            self._open.push_async_callback(credential.close)
            self._held = Held(credential, self.now)
        return self._held

    def _signed_in(self) -> Any:
        if "AZURE_FEDERATED_TOKEN_FILE" not in self.environment:
            return AzureCliCredential()
        transport = AioHttpTransport(
            session=session(self._extra_ca_file),
            connection_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
        )
        return WorkloadIdentityCredential(retry_total=0, transport=transport)


class Held:
    """A credential whose tokens all clients share: `az` takes two seconds for each."""

    def __init__(self, credential: Any, now: Clock) -> None:
        self._credential = credential
        self._now = now
        self._tokens: dict[tuple[str, ...], AccessToken] = {}
        self._turn = asyncio.Lock()

    async def get_token(self, *scopes: str, **how: Any) -> AccessToken:
        """Give a token that lives for a minute at least."""
        async with self._turn:
            wanted = (*scopes, how.get("tenant_id", ""))
            held = self._tokens.get(wanted)
            if (
                held is None
                or held.expires_on < self._now().timestamp() + _MINUTE
                or how.get("claims")
            ):
                try:
                    held = await self._credential.get_token(*scopes, **how)
                except OSError as error:
                    said = f"AZURE_FEDERATED_TOKEN_FILE cannot be read: {error.strerror}"
                    raise ClientAuthenticationError(said) from error
                self._tokens[wanted] = held
            return held


def of_now() -> dt.datetime:
    """Give the present."""
    return dt.datetime.now(dt.UTC)


def here(asked: Asked) -> Reach:
    """Give the way from this process."""
    return Reach(asked, os.environ, of_now)
