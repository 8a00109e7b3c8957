"""Access tokens: issued by this Entra with its own key, and checked by ARM and the data plane."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.azure.access import Caller
from sandbox.azure.settings import TENANT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.azure.state import Clock

KEY_ID = "sandbox"


class InvalidTokenError(Exception):
    """A bearer token that is not one of ours, or not for this audience."""


@dataclass(eq=False)
class WrongAudienceError(InvalidTokenError):
    """A token of ours for somebody else."""

    audience: str


@dataclass(eq=False)
class ExpiredTokenError(InvalidTokenError):
    """A token of ours that expired at `expiry`, in epoch seconds."""

    expiry: float


class Tokens:
    """Signs and checks RS256 access tokens with a key made for this run."""

    def __init__(self, base_url: str, clock: Clock) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._issuer = f"{base_url}/{TENANT}/v2.0"
        self._clock = clock

    def issue(
        self, audience: str, caller: Caller, lifetime: float, extra: Mapping[str, str]
    ) -> str:
        """A token for `audience` that lasts `lifetime` seconds."""
        now = int(self._clock())
        claims = {
            "aud": audience,
            "iss": self._issuer,
            "iat": now,
            "nbf": now,
            "exp": now + int(lifetime),
            "appid": caller.client_id,
            "azp": caller.client_id,
            "idtyp": "app",
            "oid": caller.oid,
            "sub": caller.oid,
            "tid": TENANT,
            "ver": "1.0",
            **extra,
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": KEY_ID})

    def check(self, token: str, audiences: Iterable[str]) -> Caller:
        """Who the token speaks for; raises InvalidTokenError or one of its kinds."""
        try:
            claims = jwt.decode(
                token, self._key.public_key(), algorithms=["RS256"], options=_SIGNATURE_ONLY
            )
        except jwt.InvalidTokenError as error:
            raise InvalidTokenError(str(error)) from error
        if claims["aud"].rstrip("/") not in audiences:
            raise WrongAudienceError(claims["aud"])
        if claims["exp"] <= self._clock():
            raise ExpiredTokenError(claims["exp"])
        return Caller(oid=claims["oid"], client_id=claims["appid"])

    def key_set(self) -> Mapping[str, Any]:
        """The public key as a JSON Web Key Set."""
        numbers = self._key.public_key().public_numbers()
        key = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": KEY_ID,
            "n": _base64url(numbers.n),
            "e": _base64url(numbers.e),
        }
        return {"keys": [key]}


_SIGNATURE_ONLY: Any = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
}


def bearer(authorization: str) -> str:
    """The token of an Authorization header; empty when there is none."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _base64url(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
