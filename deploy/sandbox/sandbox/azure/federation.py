"""The exchange of a Kubernetes service-account token for the identity it is federated with.

https://learn.microsoft.com/entra/workload-id/workload-identity-federation
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt

from sandbox.azure.arm.call import instant
from sandbox.azure.errors import TokenRefusal
from sandbox.azure.issuers import Issuers, IssuerUnreachableError
from sandbox.azure.settings import TENANT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.azure.state import Credential, Identity
    from sandbox.azure.world import World

_CHECK = (
    "Check your federated identity credential Subject, Audience and Issuer against the presented "
    "assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)
_CHECK_CASE = (
    "Check your federated identity credential Subject, Audience and Issuer against the presented "
    "assertion. See documentation at: "
    "https://learn.microsoft.com/entra/workload-id/workload-identity-federation. See breaking "
    "change notification and remediation at: "
    "https://learn.microsoft.com/en-us/entra/identity-platform/reference-breaking-changes"
    "#august-2024."
)
_UNVERIFIED: Any = {"verify_signature": False}


@dataclass(frozen=True, slots=True)
class Assertion:
    """A service-account token: its claims, its key id, and itself."""

    token: str
    key_id: str
    issuer: str
    subject: str
    audiences: tuple[str, ...]
    not_before: float
    expiry: float


async def exchange(world: World, issuers: Issuers, client_id: str, token: str) -> Identity:
    """The identity that the assertion proves; raises TokenRefusal.

    A refusal for lack of a matching credential is remembered for
    `settings.failed_exchange_cache` seconds, as Entra does.
    """
    now = world.clock()
    assertion = _parse(token, world.settings.bad_assertion_status)
    identity = _identity(world, client_id, now)
    remembered = world.store.refused
    key = (client_id, assertion.issuer, assertion.subject, assertion.audiences)
    until, refusal = remembered.get(key, (0.0, None))
    if refusal is not None and now < until:
        raise refusal
    visible = world.store.credentials_of(identity.id).values_seen(
        now - world.settings.propagation_federation
    )
    try:
        match(assertion, visible, identity)
    except TokenRefusal as refused:
        if world.settings.failed_exchange_cache:
            remembered[key] = (now + world.settings.failed_exchange_cache, refused)
        raise
    await _verify(assertion, issuers, now, world.settings.bad_assertion_status)
    return identity


def match(assertion: Assertion, credentials: list[Credential], identity: Identity) -> None:
    """Find the credential for an assertion; raises the TokenRefusal that says what differs."""
    if not credentials:
        raise TokenRefusal(
            70025,
            f"The client '{identity.client_id}'({identity.name}) has no configured federated "
            "identity credentials.",
        )
    left = _narrowed({c: c.issuer for c in credentials}, (assertion.issuer,), 700211, "issuer")
    left = _narrowed({c: c.subject for c in left}, (assertion.subject,), 700213, "subject")
    _narrowed({c: c.audience for c in left}, assertion.audiences, 700212, "audience")


def _narrowed(
    values: Mapping[Credential, str], presented: tuple[str, ...], code: int, what: str
) -> list[Credential]:
    left = [credential for credential, value in values.items() if value in presented]
    if left:
        return left
    shown = ", ".join(presented)
    folded = {value.lower() for value in values.values()}
    if folded & {value.lower() for value in presented}:
        raise TokenRefusal(
            7002138,
            f"No matching federated identity record found for presented assertion {what} "
            f"'{shown}'. The {what} matches with case-insensitive comparison, but not with "
            f"case-sensitive comparison. {_CHECK_CASE}",
        )
    raise TokenRefusal(
        code,
        f"No matching federated identity record found for presented assertion {what} '{shown}'. "
        f"{_CHECK}",
    )


def _parse(token: str, status: int) -> Assertion:
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options=_UNVERIFIED)
        audiences = claims["aud"]
        return Assertion(
            token=token,
            key_id=str(header["kid"]),
            issuer=str(claims["iss"]),
            subject=str(claims["sub"]),
            audiences=(audiences,) if isinstance(audiences, str) else tuple(map(str, audiences)),
            not_before=float(claims.get("nbf", claims.get("iat", 0))),
            expiry=float(claims["exp"]),
        )
    except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
        raise _invalid(status) from error


def _invalid(status: int) -> TokenRefusal:
    error = "invalid_client" if status == 401 else "invalid_request"  # noqa: PLR2004
    return TokenRefusal(50027, "JWT token is invalid or malformed.", status, error)


def _identity(world: World, client_id: str, now: float) -> Identity:
    """An identity is known from its creation on, and for a while after its deletion."""
    key = world.store.clients.get(client_id.lower(), "")
    identities = world.store.identities
    seen = identities.get(key) or identities.seen(key, now - world.settings.propagation_federation)
    if seen is None or seen.client_id != client_id.lower():
        raise unknown_application(client_id)
    return seen


def unknown_application(client_id: str) -> TokenRefusal:
    """Nobody in the directory has this client id."""
    return TokenRefusal(
        700016,
        f"Application with identifier '{client_id}' was not found in the directory '{TENANT}'. "
        "This can happen if the application has not been installed by the administrator of the "
        "tenant or consented to by any user in the tenant. You may have sent your authentication "
        "request to the wrong tenant.",
        400,
        "unauthorized_client",
    )


async def _verify(assertion: Assertion, issuers: Issuers, now: float, status: int) -> None:
    try:
        key = await issuers.key(assertion.issuer, assertion.key_id)
    except IssuerUnreachableError as error:
        raise TokenRefusal(
            90061, "Request to External OIDC endpoint failed.", 400, "invalid_request"
        ) from error
    try:
        if key is None:
            raise _invalid(status)
        jwt.decode_complete(assertion.token, key, algorithms=["RS256"], options=_ONLY_THE_SIGNATURE)
    except jwt.PyJWTError as error:
        raise _invalid(status) from error
    if not assertion.not_before <= now < assertion.expiry:
        raise TokenRefusal(
            700024,
            "Client assertion is not within its valid time range. Current time: "
            f"{instant(now)}, assertion valid from {instant(assertion.not_before)}, expiry time "
            f"of assertion {instant(assertion.expiry)}.",
        )


_ONLY_THE_SIGNATURE: Any = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
}
