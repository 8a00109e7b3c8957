"""The operator's own fixtures: its world on the shared control plane, under its shipped rights."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import os
import random
import ssl
import sys
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import aiohttp.connector
import httpx2
import pytest
from account_fixtures import azure_account, offer, reader
from aiohttp import web
from azure.identity.aio import WorkloadIdentityCredential
from background import running
from chatbot_operator.azure.resource_manager import ResourceManager
from chatbot_operator.kube.pods import OPS_PORT, PodNetwork
from chatbot_operator.ports import ACCOUNTS, Installation, World
from chatbot_operator.reconcile import Key
from cheating import mallory, victim
from cluster_records import Audit, Overheard
from cluster_world import AzureHand, Hand, Operator, Seen, account, chatbot, key
from kubernetes.aio import config
from kubernetes.aio.client import Configuration
from sandbox.azure import settings as fixed
from sandbox.azure.server import serve
from sandbox.azure.settings import Settings, Surroundings
from sandbox.bootstrap import prepare
from sandbox.cluster.api import ApiError
from sandbox.cluster.control_plane import kubeconfig
from sandbox.processes import free_port
from team_fixtures import hooked, signed_in, team

__all__ = [
    "azure_account",
    "hooked",
    "mallory",
    "offer",
    "reader",
    "signed_in",
    "team",
    "victim",
]

ROOT = Path(__file__).parents[2]
HOME = "chatbot-operator"


@pytest.fixture(scope="session")
def installed(kubectl):
    """CRDs and the operator's rights, as shipped; the Deployment stays away: tests are it."""
    kubectl("apply", "-f", str(ROOT / "crds"))
    kubectl("apply", "-f", str(ROOT / "tests/gateway-api"))
    base = ROOT / "deploy/kustomize/base"
    kubectl("apply", "-f", str(base / "namespace.yaml"))
    kubectl("apply", "-n", HOME, "-f", str(base / "rbac.yaml"), "-f", str(base / "teams.yaml"))
    kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    kubectl("get", "aoai,chatbots", "-A")  # established, their storage still takes a moment


@pytest.fixture
async def namespace(control_plane):
    """A namespace of the test's own."""
    name = f"t-{uuid4().hex[:8]}"
    async with control_plane.api() as api:
        await api.post("/api/v1/namespaces", {"metadata": {"name": name}})
    return name


@dataclass
class Speaker:
    """The server that answers for every pod; `document` is what it says."""

    address: str
    document: dict = field(default_factory=dict)

    def say(self, reason="Proven", message="", proven_at="2026-01-31T12:00:00Z"):
        self.document = {"reason": reason, "message": message, "provenAt": proven_at}

    def app(self):
        async def readyz(_request):
            return web.json_response(self.document)

        app = web.Application()
        app.router.add_get("/readyz", readyz)
        return app


@contextlib.asynccontextmanager
async def speaking():
    """A speaker on an address of the loopback network that nobody else has."""
    while True:
        a, b, c = (random.randrange(1, 255) for _ in range(3))  # noqa: S311
        speaker = Speaker(f"127.{a}.{b}.{c}")
        runner = web.AppRunner(speaker.app())
        await runner.setup()
        try:
            await web.TCPSite(runner, speaker.address, OPS_PORT).start()
        except OSError:
            await runner.cleanup()
            continue
        yield speaker
        await runner.cleanup()
        return


@pytest.fixture(scope="session")
def the_speaker():
    with running(speaking()) as speaker:
        yield speaker


@pytest.fixture
def pods(the_speaker):
    """What pods answer; proven unless a test says otherwise."""
    the_speaker.say()
    return the_speaker


@pytest.fixture(scope="session")
def emulator(authority, control_plane):
    around = Surroundings(trust=authority.certificate, issuer=control_plane.issuer)
    # As SSL_CERT_FILE does for the operator's pod; aiohttp reads it when it is imported.
    aiohttp.connector._SSL_CONTEXT_VERIFIED.load_verify_locations(authority.certificate)
    with running(serve(Settings(), authority.issue("azure"), surroundings=around)) as emulator:
        yield emulator


@dataclass(frozen=True)
class Standing:
    """What the operator has in the cluster and in Azure before it starts."""

    kubeconfig: Path
    token_file: Path
    client_id: str
    principal_id: str
    cluster: str


@pytest.fixture(scope="session")
def standing(*, emulator, authority, control_plane, kubectl, installed, tmp_path_factory):
    """The operator's tokens, both of its one service account, and its identity in Azure."""
    directory = tmp_path_factory.mktemp("operator")
    made = asyncio.run(prepare(emulator.url, authority.certificate, issuer=control_plane.issuer))
    token = kubectl("create", "token", HOME, "-n", HOME).strip()
    exchange = "api://AzureADTokenExchange"
    projected = kubectl("create", "token", HOME, "-n", HOME, "--audience", exchange).strip()
    reach = kubeconfig(control_plane.server, authority, user=HOME, credential={"token": token})
    (directory / "kubeconfig").write_text(json.dumps(reach))
    (directory / "token").write_text(projected)
    uid = kubectl("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}")
    return Standing(
        directory / "kubeconfig", directory / "token", made.client_id, made.principal_id, uid
    )


@pytest.fixture
def audit(control_plane):
    return Audit(control_plane.audit_log)


@pytest.fixture
async def hand(control_plane, pods):
    async with control_plane.api() as api:
        hand = Hand(api, pods.address)
        yield hand
        await hand.forget_chatbots()


@pytest.fixture(scope="session")
def seen():
    return Seen()


@pytest.fixture
async def azure(emulator, authority, seen):
    context = ssl.create_default_context(cafile=authority.certificate)
    async with httpx2.AsyncClient(base_url=emulator.url, verify=context) as http:
        yield AzureHand(http, seen)
        await http.request("DELETE", "/_emulator/faults")


@dataclass
class Clock:
    """The time of day; a test may go ahead of it."""

    ahead: float = 0.0

    def __call__(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.ahead)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def world(standing, emulator, control_plane, clock, installed):
    """The operator's world: its own adapters, its own service account, its own identity."""
    configuration = type.__call__(Configuration)
    await config.load_kube_config(str(standing.kubeconfig), client_configuration=configuration)
    credential = WorkloadIdentityCredential(
        tenant_id=fixed.TENANT,
        client_id=standing.client_id,
        token_file_path=str(standing.token_file),
        authority=emulator.url,
        retry_total=0,
    )
    scope = f"{fixed.ARM_AUDIENCE}/.default"
    async with (
        credential,
        Overheard(configuration) as cluster,
        ResourceManager(credential, endpoint=emulator.url, scope=scope) as manager,
        PodNetwork() as network,
    ):
        yield World(
            kubernetes=cluster,
            azure=manager,
            pods=network,
            now=clock,
            installation=Installation(
                cluster=standing.cluster,
                issuer=control_plane.issuer,
                tenant_id=fixed.TENANT,
                image="chatbot",
                identity_resource_group=fixed.IDENTITY_GROUP,
            ),
        )


@pytest.fixture
async def operator(world, hand):
    """A started operator, with an account that every namespace may use."""
    operator = Operator(world, hand)
    with contextlib.suppress(ApiError):  # another test made it
        await hand.create(account())
    await operator.settle(Key(ACCOUNTS, "", "contoso"))
    return operator


@pytest.fixture
def start(standing, emulator, authority, tmp_path):
    """Starts the operator with these settings more; what it says goes to operator.log."""
    own = {
        "KUBECONFIG": str(standing.kubeconfig),
        "SSL_CERT_FILE": str(authority.bundle),
        "HOST": "127.0.0.1",
        "CHATBOT_IMAGE": "chatbot",
        "IDENTITY_RESOURCE_GROUP": fixed.IDENTITY_GROUP,
        "ARM_ENDPOINT": emulator.url,
        "AZURE_AUTHORITY_HOST": emulator.url,
        "AZURE_TENANT_ID": fixed.TENANT,
        "AZURE_CLIENT_ID": standing.client_id,
        "AZURE_FEDERATED_TOKEN_FILE": str(standing.token_file),
    }

    @contextlib.asynccontextmanager
    async def run(**more):
        with (tmp_path / "operator.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "chatbot_operator"),
                env={"PATH": os.environ["PATH"], **own, "PROBE_PORT": str(free_port()), **more},
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    return run


@pytest.fixture
async def settled(operator, hand, namespace):
    """A chatbot at rest."""
    await hand.create(chatbot(namespace, chat={"systemPrompt": "Be kind."}))
    await operator.settle(key(namespace))
    return namespace


@pytest.fixture
async def working(operator, hand, namespace):
    """A chatbot that works, on an account object of its own, named as its namespace."""
    await hand.create(account(namespace))
    await operator.look(Key(ACCOUNTS, "", namespace))
    await hand.create(chatbot(namespace, account=namespace))
    await operator.settle(key(namespace))
    yield namespace
    if await hand.get(ACCOUNTS, "", namespace):
        await hand.delete(ACCOUNTS, "", namespace)
