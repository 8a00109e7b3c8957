"""A running emulator, an OIDC issuer beside it, and Azure's own clients."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
import jwt
import pytest
import uvicorn
from azure.identity.aio import ClientSecretCredential, WorkloadIdentityCredential
from azure.mgmt.authorization.aio import AuthorizationManagementClient
from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters
from azure.mgmt.cognitiveservices.aio import CognitiveServicesManagementClient
from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.msi.v2024_11_30.models import FederatedIdentityCredential, Identity
from background import running
from cryptography.hazmat.primitives.asymmetric import rsa
from sandbox.azure import settings as fixed
from sandbox.azure.server import serve
from sandbox.azure.settings import Settings, Surroundings
from sandbox.azure.world import SUBSCRIPTION_ID, resource_id, role_definition_id
from sandbox.certificates import create_authority
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from azure.core.credentials_async import AsyncTokenCredential
    from sandbox.azure.server import Emulator
    from sandbox.certificates import Authority, Certificate

SUBJECT = "system:serviceaccount:team-a:support"
AUDIENCE = "api://AzureADTokenExchange"
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
ARM = f"{fixed.ARM_AUDIENCE}/.default"
DATA = "https://cognitiveservices.azure.com/.default"


@dataclass
class Clock:
    """A clock that a test can move; it starts at the real time, which the SDKs see too."""

    ahead: float = 0.0
    stopped_at: float | None = None

    def __call__(self) -> float:
        return (self.stopped_at or time.time()) + self.ahead

    def stop(self) -> None:
        self.stopped_at = time.time()


@dataclass
class Issuer:
    """What an API server is to Entra: discovery, keys, and signed service-account tokens."""

    url: str = ""
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    key_id: str = "first"
    asked: list[str] = field(default_factory=list)
    broken: bool = False

    def token(self, **claims: Any) -> str:
        now = int(time.time())
        return jwt.encode(
            {
                "iss": self.url,
                "sub": SUBJECT,
                "aud": [AUDIENCE],
                "iat": now,
                "nbf": now,
                "exp": now + 3600,
                **claims,
            },
            self.key,
            algorithm="RS256",
            headers={"kid": self.key_id},
        )

    def rotate(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key_id += "-next"

    def app(self) -> Starlette:
        async def discovery(request):
            self.asked.append("discovery")
            if self.broken:
                return JSONResponse({}, 503)
            return JSONResponse({"issuer": self.url, "jwks_uri": f"{self.url}openid/v1/jwks"})

        async def keys(request):
            self.asked.append("keys")
            numbers = self.key.public_key().public_numbers()
            key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.key_id}
            key |= {"n": _number(numbers.n), "e": _number(numbers.e)}
            return JSONResponse({"keys": [key]})

        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", discovery),
                Route("/openid/v1/jwks", keys),
            ]
        )


def _number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Azure:
    """The emulator under test, and ways to reach it. Closed with the test."""

    url: str
    ca: Path
    stack: contextlib.AsyncExitStack
    http: httpx2.AsyncClient
    owners: dict[Any, Any] = field(default_factory=dict)

    def owner(self) -> AsyncTokenCredential:
        if "owner" not in self.owners:
            self.owners["owner"] = self._kept(
                ClientSecretCredential(
                    fixed.TENANT,
                    fixed.OWNER_CLIENT_ID,
                    fixed.OWNER_SECRET,
                    authority=self.url,
                    disable_instance_discovery=True,
                    connection_verify=str(self.ca),
                )
            )
        return self.owners["owner"]

    def workload(self, client_id: str, token_file: Path) -> AsyncTokenCredential:
        return self._kept(
            WorkloadIdentityCredential(
                tenant_id=fixed.TENANT,
                client_id=client_id,
                token_file_path=str(token_file),
                authority=self.url,
                connection_verify=str(self.ca),
                retry_total=0,
            )
        )

    def msi(self, credential=None) -> ManagedServiceIdentityClient:
        return self._client(ManagedServiceIdentityClient, credential)

    def authorization(self, credential=None) -> AuthorizationManagementClient:
        return self._client(AuthorizationManagementClient, credential, api_version="2022-04-01")

    def cognitive(self, credential=None) -> CognitiveServicesManagementClient:
        return self._client(CognitiveServicesManagementClient, credential, polling_interval=0)

    async def token(self, scope: str = ARM, **form: str) -> httpx2.Response:
        owner = {"client_id": fixed.OWNER_CLIENT_ID, "client_secret": fixed.OWNER_SECRET}
        form = {"grant_type": "client_credentials", "scope": scope, **(form or owner)}
        return await self.http.post(f"/{fixed.TENANT}/oauth2/v2.0/token", data=form)

    async def exchange(self, client_id: str, assertion: str, scope: str = DATA) -> httpx2.Response:
        return await self.token(
            scope,
            client_id=client_id,
            client_assertion=assertion,
            client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        )

    async def arm(
        self, method: str, path: str, body: Any = None, *, token: str = "", version: str = "1"
    ) -> httpx2.Response:
        """A plain request as the owner, or as who holds `token`; header names in lower case."""
        token = token or (await self.token()).json()["access_token"]
        return await self.http.request(
            method,
            path,
            params={"api-version": version},
            json=body,
            headers={"authorization": f"Bearer {token}"},
        )

    async def identity(self, name: str = "support", group: str = fixed.IDENTITY_GROUP) -> Identity:
        return await self.msi().user_assigned_identities.create_or_update(
            group, name, Identity(location="eastus", tags={})
        )

    async def federate(self, name: str, issuer: str, subject: str = SUBJECT) -> None:
        await self.msi().federated_identity_credentials.create_or_update(
            fixed.IDENTITY_GROUP,
            name,
            "cluster",
            FederatedIdentityCredential(issuer=issuer, subject=subject, audiences=[AUDIENCE]),
        )

    async def assign(
        self, principal: str, role: str = OPENAI_USER, scope: str = "", **more: Any
    ) -> str:
        """Give a role as the owner; the assignment's name."""
        number = len((await self.state())["assignments"])
        name = f"00000000-0000-4000-9000-{number:012}"
        await self.authorization().role_assignments.create(
            scope or ACCOUNT_ID,
            name,
            RoleAssignmentCreateParameters(
                role_definition_id=role_definition_id(role),
                principal_id=principal,
                principal_type="ServicePrincipal",
                **more,
            ),
        )
        return name

    async def state(self) -> Any:
        return (await self.http.get("/_emulator/state")).json()

    async def ledger(self, since: int = 0) -> list[Any]:
        answer = await self.http.get("/_emulator/ledger", params={"since": since})
        return answer.json()["entries"]

    async def set(self, **settings: Any) -> None:
        answer = await self.http.patch("/_emulator/settings", json=settings)
        assert answer.status_code == 200, answer.text

    async def fault(self, **fault: Any) -> None:
        answer = await self.http.post("/_emulator/faults", json=fault)
        assert answer.status_code == 201, answer.text

    def _client(self, kind, credential, **more: Any):
        if credential is None and kind in self.owners:
            return self.owners[kind]
        client = self._kept(
            kind(
                credential or self.owner(),
                fixed.SUBSCRIPTION,
                base_url=self.url,
                credential_scopes=[ARM],
                connection_verify=str(self.ca),
                retry_total=0,
                **more,
            )
        )
        if credential is None:
            self.owners[kind] = client
        return client

    def _kept(self, client):
        self.stack.push_async_callback(client.close)
        return client


ACCOUNT_ID = resource_id(fixed.ACCOUNT_GROUP, "Microsoft.CognitiveServices/accounts", fixed.ACCOUNT)
IDENTITIES = (
    f"{SUBSCRIPTION_ID}/resourceGroups/{fixed.IDENTITY_GROUP}"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return create_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def certificate(authority: Authority) -> Certificate:
    return authority.issue("server")


@contextlib.asynccontextmanager
async def serve_issuer(certificate: Certificate) -> AsyncIterator[Issuer]:
    issuer = Issuer()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        issuer.url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
        server = uvicorn.Server(
            uvicorn.Config(
                issuer.app(),
                ssl_certfile=certificate.certificate,
                ssl_keyfile=certificate.key,
                log_level="error",
                lifespan="off",
            )
        )
        server.capture_signals = contextlib.nullcontext
        task = asyncio.create_task(server.serve(sockets=[listening]))
        yield issuer
        server.should_exit = True
        await task


@pytest.fixture(scope="session")
def the_clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def the_issuer(certificate: Certificate) -> Iterator[Issuer]:
    with running(serve_issuer(certificate)) as issuer:
        yield issuer


@pytest.fixture(scope="session")
def the_emulator(
    authority: Authority, certificate: Certificate, the_issuer: Issuer, the_clock: Clock
) -> Iterator[Emulator]:
    around = Surroundings(trust=authority.certificate, issuer=the_issuer.url)
    with running(serve(Settings(), certificate, surroundings=around, clock=the_clock)) as emulator:
        yield emulator


@pytest.fixture
def clock(the_clock: Clock) -> Clock:
    the_clock.ahead, the_clock.stopped_at = 0, None
    return the_clock


@pytest.fixture
def issuer(the_issuer: Issuer) -> Issuer:
    the_issuer.asked.clear()
    the_issuer.broken = False
    return the_issuer


@pytest.fixture
async def azure(
    the_emulator: Emulator, authority: Authority, issuer: Issuer, clock: Clock
) -> AsyncIterator[Azure]:
    context = ssl.create_default_context(cafile=authority.certificate)
    async with (
        httpx2.AsyncClient(base_url=the_emulator.url, verify=context) as http,
        contextlib.AsyncExitStack() as stack,
    ):
        assert (await http.post("/_emulator/reset")).status_code == 204
        yield Azure(the_emulator.url, authority.certificate, stack, http)


@pytest.fixture
def token_file(issuer: Issuer, tmp_path: Path) -> Callable[..., Path]:
    """Writes a service-account token where a pod would find it."""

    def write(**claims: Any) -> Path:
        path = tmp_path / "token"
        path.write_text(issuer.token(**claims))
        return path

    return write
