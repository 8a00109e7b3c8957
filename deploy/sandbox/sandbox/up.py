"""The whole sandbox: cluster, emulator, operator, samples, in one process and its children.

state directory
  ca/            certificates          cluster/  control plane and node, with their logs
  operator/      the overlay applied   sandbox.json  what `sandbox status` prints
  person/        their sign-in         bin/          what they type
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from sandbox import bootstrap, install, person
from sandbox.azure.server import serve
from sandbox.azure.settings import SUBSCRIPTION, TENANT, Settings, Surroundings
from sandbox.certificates import Authority, create_authority
from sandbox.cluster.api import Mirror
from sandbox.cluster.background import together
from sandbox.cluster.cluster import Cluster, cluster
from sandbox.processes import free_port
from sandbox.progress import Conditions, Report, ready

STATUS = "sandbox.json"
IMAGES = {
    "chatbot": (sys.executable, "-m", "chatbot_app"),
    "chatbot-operator": (sys.executable, "-m", "chatbot_operator"),
}
PAGE_PORT = 8087
BIN = "bin"
_OURS = tuple(Path(sys.executable).with_name(name) for name in ("kubectl-chatbot", "sandbox"))
FIRST = ("help", "support")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to bring up. `port` is that of the first sample's page, 0 for none."""

    directory: Path
    azure: Settings
    upstream: str | None = None
    samples: bool = True
    port: int = PAGE_PORT


@dataclass(frozen=True, slots=True)
class Status:
    """Where everything is. `chatbots` maps NAMESPACE/NAME to a URL that this machine can open.

    `path` is the directory of kubectl and its plugin; `person` the client id of who tries it out.
    """

    pid: int
    kubeconfig: str
    arm: str
    authority: str
    openai: str
    ca: str
    subscription: str
    tenant: str
    ledger: str
    path: str
    person: str = ""
    token_file: str = ""
    page: str = ""
    complete: bool = False
    chatbots: dict[str, str] = field(default_factory=dict)

    def write(self, directory: Path) -> None:
        """Put it where `sandbox status` finds it, all or nothing."""
        draft = directory / f"{STATUS}.new"
        draft.write_text(json.dumps(asdict(self), indent=2))
        draft.replace(directory / STATUS)


def read_status(directory: Path) -> Status | None:
    """Read what a running sandbox wrote down; None when none runs."""
    try:
        status = Status(**json.loads((directory / STATUS).read_text()))
    except FileNotFoundError:
        return None
    try:
        os.kill(status.pid, 0)
    except ProcessLookupError:
        return None
    return status


@dataclass(slots=True)
class Sandbox:
    """A running sandbox."""

    plan: Plan
    cluster: Cluster
    authority: Authority
    arm: str
    chatbots: Mirror
    status: Status


@contextlib.asynccontextmanager
async def running(plan: Plan, report: Report) -> AsyncIterator[Sandbox]:
    """Bring the sandbox up, and down with the context; complete once the samples are Ready."""
    directory = plan.directory
    directory.mkdir(parents=True, exist_ok=True)
    authority = create_authority(directory / "ca")
    arm_port = free_port()
    arm = f"https://127.0.0.1:{arm_port}"
    async with contextlib.AsyncExitStack() as stack:
        up = await stack.enter_async_context(
            cluster(
                directory / "cluster",
                images=IMAGES,
                authority=authority,
                tenant=TENANT,
                authority_host=f"{arm}/",
                extra_env={},
                report=report,
            )
        )
        report("starting the Azure emulator")
        surroundings = Surroundings(authority.certificate, up.plane.issuer, plan.upstream)
        certificate = authority.issue("azure")
        await stack.enter_async_context(
            serve(plan.azure, certificate, port=arm_port, surroundings=surroundings)
        )
        operator = await bootstrap.prepare(arm, authority.certificate, issuer=up.plane.issuer)
        you = await bootstrap.prepare_person(arm, authority.certificate, issuer=up.plane.issuer)
        if plan.azure.propagation_federation:
            report("waiting for Azure to spread the operator's own grants")
            await asyncio.sleep(plan.azure.propagation_federation)
        report("starting the operator, as a pod under its shipped rights")
        await install.install(up.plane, directory, client_id=operator.client_id, arm=arm)
        api = await stack.enter_async_context(up.plane.api("admin"))
        await stack.enter_async_context(person.signed_in(api, _token_file(directory)))
        person.programs(directory / BIN, up.plane.binaries / "kubectl", *_OURS)
        chatbots = Mirror(api, install.CHATBOTS)
        status = _status(plan, up, authority, arm, you.client_id)
        sandbox = Sandbox(plan, up, authority, arm, chatbots, status)
        stack.callback((directory / STATUS).unlink, missing_ok=True)
        await stack.enter_async_context(together(chatbots.follow(), _keep_status(sandbox)))
        if plan.samples:
            await _samples(sandbox, report)
        sandbox.status = _complete(sandbox)
        sandbox.status.write(directory)
        yield sandbox


async def _samples(sandbox: Sandbox, report: Report) -> None:
    """Apply the samples and tell how they become Ready."""
    report("kubectl apply -f deploy/samples: an account and two chatbots")
    await install.apply_samples(sandbox.cluster.plane)
    if sandbox.plan.port:
        try:
            await sandbox.cluster.services.forward("127.0.0.1", sandbox.plan.port, *FIRST)
        except OSError:
            report(f"port {sandbox.plan.port} is in use, so the page is served elsewhere")
        else:
            page = f"http://localhost:{sandbox.plan.port}"
            sandbox.status = replace(sandbox.status, page=page)
    conditions = Conditions(report)
    while True:
        conditions.look(sandbox.chatbots)
        known = sandbox.chatbots.objects
        if FIRST in known and all(map(ready, known.values())):
            return
        await asyncio.sleep(0.2)


async def _keep_status(sandbox: Sandbox) -> None:
    """Write the status down whenever it differs from what was last written."""
    written: Status | None = None
    while True:
        sandbox.status = _with_chatbots(sandbox)
        if sandbox.status != written:
            written = sandbox.status
            written.write(sandbox.plan.directory)
        await asyncio.sleep(0.5)


def _with_chatbots(sandbox: Sandbox) -> Status:
    addresses = sandbox.cluster.services.addresses()
    urls = {
        f"{namespace}/{name}": addresses[namespace, name]
        for namespace, name in sorted(sandbox.chatbots.objects)
        if (namespace, name) in addresses
    }
    return replace(sandbox.status, chatbots=urls)


def _complete(sandbox: Sandbox) -> Status:
    return replace(_with_chatbots(sandbox), complete=True)


def _token_file(directory: Path) -> Path:
    return (directory / "person" / "token").resolve()


def _status(plan: Plan, up: Cluster, authority: Authority, arm: str, person_id: str) -> Status:
    return Status(
        pid=os.getpid(),
        kubeconfig=str(up.kubeconfig.resolve()),
        arm=arm,
        authority=arm,
        openai=f"{arm}/contoso/",
        ca=str(authority.certificate.resolve()),
        subscription=SUBSCRIPTION,
        tenant=TENANT,
        ledger=f"{arm}/_emulator/ledger",
        path=str((plan.directory / BIN).resolve()),
        person=person_id,
        token_file=str(_token_file(plan.directory)),
    )
