"""A real Kubernetes control plane on loopback: etcd, API server, controllers, scheduler.

Everything listens on 127.0.0.1 at free ports. Each component has an identity of its own, so that
the audit log tells who did what.
"""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.cluster.api import Api
from sandbox.processes import Processes, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sandbox.certificates import Authority

USERS = {
    "admin": ("admin", "system:masters"),
    "controllers": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "node": ("system:node:sandbox", "system:masters"),
    "webhook": ("sandbox:webhook", "system:masters"),
}
_SERVICE_ADDRESSES = "10.0.0.0/16"
_API_SERVICE_ADDRESS = "10.0.0.1"
_PATIENCE = 120.0
# EndpointSlices refuse the loopback addresses that pods have here; services.py stands in.
_CONTROLLERS = (
    "*,-endpoints-controller,-endpointslice-controller,-endpointslice-mirroring-controller"
)
_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}
# Entra reads a cluster's keys without credentials; so does its emulator.
_PUBLIC_KEYS = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "public-service-account-issuer-discovery"},
    "roleRef": {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "system:service-account-issuer-discovery",
    },
    "subjects": [
        {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Group",
            "name": "system:unauthenticated",
        }
    ],
}


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """A running control plane.

    `server` is its URL without a trailing slash, `issuer` the `iss` of its service account tokens,
    with one (as AKS has it); `audit_log` holds one JSON event per line.
    """

    directory: Path
    binaries: Path
    authority: Authority
    server: str
    audit_log: Path

    @property
    def issuer(self) -> str:
        """The issuer of service account tokens, byte for byte."""
        return f"{self.server}/"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.kubeconfig_of("admin")

    def kubeconfig_of(self, user: str) -> Path:
        """The kubeconfig of one of USERS."""
        return self.directory / f"{user}.kubeconfig"

    def api(self, user: str = "admin") -> Api:
        """A client of the API server with the credentials of one of USERS."""
        config = json.loads(self.kubeconfig_of(user).read_text())
        token = config["users"][0]["user"]["token"]
        return Api(self.server, authority=self.authority.certificate, token=token)


@contextlib.asynccontextmanager
async def control_plane(
    directory: Path, binaries: Path, authority: Authority, *, audit: bool = True
) -> AsyncIterator[ControlPlane]:
    """Run a new, empty control plane in `directory`; its processes end with the context.

    Raises:
        ProcessError: a component did not start; with the end of its log.
        InUseError: another process runs one in this directory.
    """
    async with Processes(directory) as processes:
        server = f"https://127.0.0.1:{free_port()}"
        plane = ControlPlane(directory, binaries, authority, server, directory / "audit.log")
        _prepare(plane)
        etcd = await _start_etcd(processes, plane)
        await _start_api_server(processes, plane, etcd, audit=audit)
        await _start_controllers(processes, plane)
        yield plane


def _prepare(plane: ControlPlane) -> None:
    shutil.rmtree(plane.directory / "etcd", ignore_errors=True)
    plane.audit_log.unlink(missing_ok=True)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write_secret(plane.directory / "service-accounts.key", pem)
    (plane.directory / "audit-policy.json").write_text(json.dumps(_AUDIT_POLICY))
    tokens = {user: secrets.token_hex(16) for user in USERS}
    rows = [f'{tokens[user]},{name},{name},"{group}"\n' for user, (name, group) in USERS.items()]
    _write_secret(plane.directory / "tokens.csv", "".join(rows).encode())
    for user, token in tokens.items():
        config = kubeconfig(plane.server, plane.authority, user=user, credential={"token": token})
        _write_secret(plane.kubeconfig_of(user), json.dumps(config, indent=1).encode())


def kubeconfig(
    server: str,
    authority: Authority,
    *,
    user: str,
    credential: dict[str, str],
    namespace: str = "default",
) -> dict[str, Any]:
    """A kubeconfig with one context; `credential` is its `user` section."""
    trusted = base64.b64encode(authority.certificate.read_bytes()).decode()
    cluster = {"server": server, "certificate-authority-data": trusted}
    context = {"cluster": "sandbox", "user": user, "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sandbox", "cluster": cluster}],
        "users": [{"name": user, "user": credential}],
        "contexts": [{"name": "sandbox", "context": context}],
        "current-context": "sandbox",
    }


async def _start_etcd(processes: Processes, plane: ControlPlane) -> str:
    """Start etcd; its client URL."""
    url, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    await processes.start(
        "etcd",
        [
            str(plane.binaries / "etcd"),
            f"--data-dir={plane.directory / 'etcd'}",
            "--unsafe-no-fsync",
            "--log-level=warn",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
        ],
        log=plane.directory / "etcd.log",
    )
    return url


async def _start_api_server(
    processes: Processes, plane: ControlPlane, etcd: str, *, audit: bool
) -> None:
    here = plane.directory
    served = plane.authority.issue(
        "kube-apiserver", hosts=("127.0.0.1", "localhost", "kubernetes", _API_SERVICE_ADDRESS)
    )
    auditing = [f"--audit-policy-file={here / 'audit-policy.json'}"]
    # Whoever reads the log knows where in it to begin: it must not be put aside at 100 MB.
    auditing += [f"--audit-log-path={plane.audit_log}", "--audit-log-maxsize=4096"]
    process = await processes.start(
        "kube-apiserver",
        [
            str(plane.binaries / "kube-apiserver"),
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            f"--secure-port={plane.server.rpartition(':')[2]}",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--tls-cert-file={served.certificate}",
            f"--tls-private-key-file={served.key}",
            f"--kubelet-certificate-authority={plane.authority.certificate}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--service-account-issuer={plane.issuer}",
            f"--service-account-jwks-uri={plane.issuer}openid/v1/jwks",
            f"--service-account-key-file={here / 'service-accounts.key'}",
            f"--service-account-signing-key-file={here / 'service-accounts.key'}",
            f"--api-audiences={plane.issuer}",
            f"--token-auth-file={here / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            f"--service-cluster-ip-range={_SERVICE_ADDRESSES}",
            "--allow-privileged",
            *(auditing if audit else ()),
        ],
        log=here / "kube-apiserver.log",
    )
    async with plane.api() as api:
        await process.until(
            lambda: api.answers("/readyz"), what="the API server's start", seconds=_PATIENCE
        )
        await api.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", _PUBLIC_KEYS)


async def _start_controllers(processes: Processes, plane: ControlPlane) -> None:
    def argv(program: str, user: str, *flags: str) -> list[str]:
        config = f"--kubeconfig={plane.kubeconfig_of(user)}"
        return [str(plane.binaries / program), config, *_SILENT, *flags]

    controllers = await processes.start(
        "kube-controller-manager",
        argv(
            "kube-controller-manager",
            "controllers",
            f"--service-account-private-key-file={plane.directory / 'service-accounts.key'}",
            f"--root-ca-file={plane.authority.certificate}",
            "--use-service-account-credentials",
            f"--controllers={_CONTROLLERS}",
        ),
        log=plane.directory / "kube-controller-manager.log",
    )
    await processes.start(
        "kube-scheduler",
        argv("kube-scheduler", "scheduler"),
        log=plane.directory / "kube-scheduler.log",
    )
    async with plane.api() as api:
        await controllers.until(
            lambda: api.answers("/api/v1/namespaces/default/serviceaccounts/default"),
            what="the first service account",
            seconds=_PATIENCE,
        )


_SILENT = ("--leader-elect=false", "--secure-port=0", "--kube-api-qps=100", "--kube-api-burst=200")


def _write_secret(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
