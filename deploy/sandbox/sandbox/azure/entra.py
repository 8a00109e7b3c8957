"""Microsoft Entra ID: discovery documents and the token endpoint."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.azure.access import Caller
from sandbox.azure.errors import TokenRefusal
from sandbox.azure.federation import exchange, unknown_application
from sandbox.azure.ledger import note
from sandbox.azure.settings import OWNER_CLIENT_ID, OWNER_OBJECT_ID, OWNER_SECRET, TENANT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from sandbox.azure.issuers import Issuers
    from sandbox.azure.tokens import Tokens
    from sandbox.azure.world import World

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_NO_STORE = {"cache-control": "no-store, no-cache", "pragma": "no-cache"}
_MANY_TENANTS = {"organizations", "common"}


@dataclass(frozen=True, slots=True)
class Entra:
    """The directory's public endpoints."""

    world: World
    tokens: Tokens
    issuers: Issuers

    def routes(self) -> list[Route]:
        """The endpoints, by tenant."""
        return [
            Route("/{tenant}/v2.0/.well-known/openid-configuration", self._discovery),
            Route("/{tenant}/discovery/v2.0/keys", self._keys),
            Route("/{tenant}/oauth2/v2.0/token", self._token, methods=["POST"]),
        ]

    async def _discovery(self, request: Request) -> Response:
        tenant = request.path_params["tenant"]
        if tenant.lower() not in {TENANT, *_MANY_TENANTS}:
            return _refused(_no_tenant(tenant), self.world)
        base = f"{self.world.base_url}/{tenant}"
        return JSONResponse(
            {
                "issuer": f"{self.world.base_url}/{TENANT}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "response_types_supported": ["code", "id_token", "token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            }
        )

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse(self.tokens.key_set())

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        entry = note(request)
        entry.operation, entry.principal = "token", form.get("client_id", "")
        await asyncio.sleep(self.world.settings.latency_token)
        try:
            audience = _audience(request.path_params["tenant"], form)
            caller, extra = await self._authenticated(form)
        except TokenRefusal as refusal:
            return _refused(refusal, self.world)
        entry.principal = caller.oid
        lifetime = self.world.settings.token_lifetime
        token = self.tokens.issue(audience, caller, lifetime, extra)
        return JSONResponse(
            {
                "token_type": "Bearer",
                "expires_in": int(lifetime),
                "ext_expires_in": int(lifetime),
                "access_token": token,
            },
            headers=_NO_STORE,
        )

    async def _authenticated(self, form: Mapping[str, str]) -> tuple[Caller, Mapping[str, str]]:
        client_id = form.get("client_id", "").lower()
        if form.get("client_assertion_type") == _ASSERTION_TYPE and "client_assertion" in form:
            identity = await exchange(self.world, self.issuers, client_id, form["client_assertion"])
            return Caller(identity.principal_id, client_id), {"xms_mirid": identity.id}
        if "client_secret" not in form:
            raise TokenRefusal(
                7000216,
                "'client_assertion', 'client_secret' or 'request' is required for the "
                "'client_credentials' grant type.",
            )
        if client_id != OWNER_CLIENT_ID:
            raise unknown_application(client_id)
        if form["client_secret"] != OWNER_SECRET:
            raise TokenRefusal(
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is "
                "the client secret value, not the client secret ID, for a secret added to app "
                f"'{client_id}'.",
            )
        return Caller(OWNER_OBJECT_ID, OWNER_CLIENT_ID), {}


def _audience(tenant: str, form: Mapping[str, str]) -> str:
    if tenant.lower() != TENANT:
        raise _no_tenant(tenant)
    grant = form.get("grant_type", "")
    if grant != "client_credentials":
        raise TokenRefusal(
            70003,
            f"The app requested an unsupported grant type '{grant}'.",
            400,
            "unsupported_grant_type",
        )
    wanted = [scope for scope in form.get("scope", "").split() if scope not in _OIDC_SCOPES]
    if len(wanted) != 1 or not wanted[0].endswith("/.default"):
        raise TokenRefusal(
            1002012,
            f"The provided value for scope {' '.join(wanted)} is not valid. Client credential "
            "flows must have a scope value with /.default suffixed to the resource identifier "
            "(application ID URI).",
            400,
            "invalid_scope",
        )
    return wanted[0].removesuffix("/.default")


_OIDC_SCOPES = {"openid", "profile", "offline_access"}


def _no_tenant(tenant: str) -> TokenRefusal:
    return TokenRefusal(
        90002,
        f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are "
        "signing into the correct cloud. Check with your subscription administrator, this may "
        "happen if there are no active subscriptions for the tenant.",
        400,
        "invalid_request",
    )


def _refused(refusal: TokenRefusal, world: World) -> Response:
    """The body that Entra gives a refusal."""
    trace, correlation = world.new_guid(), world.new_guid()
    moment = dt.datetime.fromtimestamp(world.clock(), dt.UTC)
    timestamp = f"{moment:%Y-%m-%d %H:%M:%SZ}"
    return JSONResponse(
        {
            "error": refusal.error,
            "error_description": f"AADSTS{refusal.code}: {refusal.message} Trace ID: {trace} "
            f"Correlation ID: {correlation} Timestamp: {timestamp}",
            "error_codes": [refusal.code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"{world.base_url}/error?code={refusal.code}",
        },
        status_code=refusal.status,
        headers=_NO_STORE,
    )
