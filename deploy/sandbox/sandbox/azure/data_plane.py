"""Admission to the Azure OpenAI data plane: account, network, token, role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from sandbox.azure.access import Caller, Deployment
from sandbox.azure.errors import Refusal
from sandbox.azure.ledger import note
from sandbox.azure.rbac import may_use_data
from sandbox.azure.settings import DATA_AUDIENCES
from sandbox.azure.tokens import InvalidTokenError, Tokens, bearer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from sandbox.azure.state import Account, ModelDeployment
    from sandbox.azure.world import World

_HERE = {"127.0.0.1", "127.0.0.0/8", "0.0.0.0/0"}
"""What an ip rule can say to let this machine in."""


@dataclass(frozen=True, slots=True)
class AccountDataPlane:
    """`sandbox.azure.access.DataPlane` over the emulator's world."""

    world: World
    tokens: Tokens

    @property
    def upstream(self) -> str | None:
        """Base URL of an OpenAI-compatible server that answers instead, or None."""
        return self.world.surroundings.upstream

    @property
    def first_token(self) -> float:
        """Seconds from a request to the first token of its answer."""
        return self.world.settings.latency_first_token

    async def admit(
        self, request: Request, account: str, data_action: str, operation: str
    ) -> Caller | Response:
        """Let a caller in, or answer with the refusal that Azure would give."""
        note(request).operation = operation
        try:
            found = self._open_account(account)
            _refuse_key(found, request.headers)
            caller = self.tokens.check(
                bearer(request.headers.get("authorization", "")), DATA_AUDIENCES
            )
            note(request).principal = caller.oid
            self._require(caller, data_action, found, operation)
        except InvalidTokenError:
            return _unauthorized()
        except Refusal as refusal:
            return JSONResponse(refusal.document(), status_code=refusal.status)
        return caller

    def deployment(self, account: str, name: str) -> Deployment | None:
        """A deployment by its name (compared without case), or None."""
        for deployment in self.deployments(account):
            if deployment.name.lower() == name.lower():
                return deployment
        return None

    def deployments(self, account: str) -> tuple[Deployment, ...]:
        """Every deployment of an account, by name."""
        found = self._account(account)
        table = self.world.store.deployments.get(found.id.lower(), {}) if found else {}
        return tuple(sorted(map(_shown, table.values()), key=lambda deployment: deployment.name))

    def _account(self, host: str) -> Account | None:
        """The account whose subdomain, or for want of one whose name, is `host`."""
        for account in self.world.store.accounts.values():
            if (account.subdomain or account.name).lower() == host.lower():
                return account
        return None

    def _open_account(self, host: str) -> Account:
        account = self._account(host)
        if account is None:
            raise Refusal(404, "404", "Resource not found")
        if account.subdomain is None:
            raise Refusal(
                400,
                "BadRequest",
                "Please provide a custom subdomain for token authentication, otherwise API key is "
                "required. (Please see https://aka.ms/cogsvc-authenticatewithtoken)",
            )
        if not _reachable(account):
            raise Refusal(
                403,
                self.world.settings.network_refusal_code,
                "Access denied due to Virtual Network/Firewall rules.",
            )
        return account

    def _require(self, caller: Caller, data_action: str, account: Account, operation: str) -> None:
        granted = self.world.store.granted.get(caller.oid.lower())
        moment = self.world.clock() - self.world.settings.propagation_role
        if granted is None or not may_use_data(
            data_action,
            account.id,
            assignments=granted.values_seen(moment),
            roles=self.world.store.roles,
        ):
            raise Refusal(
                401,
                "PermissionDenied",
                f"The principal `{caller.oid}` lacks the required data action `{data_action}` to "
                f"perform `{operation}` operation.",
            )


def _shown(deployment: ModelDeployment) -> Deployment:
    return Deployment(
        deployment.name,
        deployment.model.get("name", ""),
        deployment.model.get("version", ""),
        deployment.capacity,
    )


def _reachable(account: Account) -> bool:
    if not account.public_access:
        return False
    if account.network_acls.get("defaultAction") != "Deny":
        return True
    return any(rule.get("value") in _HERE for rule in account.network_acls.get("ipRules", []))


def _refuse_key(account: Account, headers: Mapping[str, str]) -> None:
    """The emulator has no keys, so any key is a wrong one."""
    if "api-key" not in headers:
        return
    if not account.local_auth:
        raise Refusal(
            403,
            "AuthenticationTypeDisabled",
            "Key based authentication is disabled for this resource.",
        )
    raise Refusal(
        401,
        "401",
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide "
        "a valid key for an active subscription and use a correct regional API endpoint for your "
        "resource.",
    )


def _unauthorized() -> Response:
    """Azure sends this one without its usual envelope."""
    return JSONResponse(
        {
            "statusCode": 401,
            "message": "Unauthorized. Access token is missing, invalid, audience is incorrect "
            "(https://cognitiveservices.azure.com), or have expired.",
        },
        status_code=401,
    )
