"""A tenant of Entra in miniature: what it publishes, and the tokens that it signs with real keys."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
AUDIENCE = "api://chatbot"
ADA = "aaaaaaaa-0000-4000-8000-000000000001"
GROUP = "bbbbbbbb-0000-4000-8000-000000000002"


@dataclass
class Key:
    kid: str
    private: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    def jwk(self) -> dict[str, Any]:
        numbers = self.private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "n": _base64url(numbers.n),
            "e": _base64url(numbers.e),
            "x5c": ["MII"],
        }

    def pem(self) -> bytes:
        """The public key as text: what a forger takes for a secret of HS256."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


@dataclass
class Directory:
    """`issuers` are those of tokens of version 2 and 1; `down` is an outage."""

    keys: list[Key] = field(default_factory=lambda: [Key("first")])
    issuers: tuple[str, str] = (
        f"https://login.microsoftonline.com/{TENANT}/v2.0",
        f"https://sts.windows.net/{TENANT}/",
    )
    former: bool = True
    down: bool = False
    published: list[dict[str, Any]] | None = None
    keys_at: str = ""
    asked: list[str] = field(default_factory=list)

    def forget(self) -> None:
        """Begin a test anew on a server that others have used; its first key stays."""
        vars(self).update(vars(Directory(self.keys[:1])))

    def routes(self) -> list[Route]:
        known = "/.well-known/openid-configuration"
        return [
            Route("/{tenant}/v2.0" + known, self._discovery),
            Route("/{tenant}" + known, self._former_discovery),
            Route("/{tenant}/discovery/v2.0/keys", self._keys),
            Route("/redirect", self._elsewhere),
        ]

    async def _discovery(self, request: Request) -> Response:
        here = str(request.url.replace(path=f"/{TENANT}/discovery/v2.0/keys"))
        uri = self.keys_at or here
        return self._answer(request, {"issuer": self.issuers[0], "jwks_uri": uri})

    async def _former_discovery(self, request: Request) -> Response:
        body = {"issuer": self.issuers[1], "jwks_uri": "https://127.0.0.1:1/keys"}
        return self._answer(request, body if self.former else None)

    async def _keys(self, request: Request) -> Response:
        keys = [key.jwk() for key in self.keys] if self.published is None else self.published
        return self._answer(request, {"keys": keys})

    async def _elsewhere(self, _: Request) -> Response:
        return RedirectResponse(f"/{TENANT}/discovery/v2.0/keys", 302)

    def _answer(self, request: Request, body: dict[str, Any] | None) -> Response:
        self.asked.append(request.url.path)
        if self.down:
            return JSONResponse({}, 503)
        known = body is not None and request.path_params["tenant"] == TENANT
        return JSONResponse(body, 200) if known else JSONResponse({"error": "invalid_tenant"}, 400)

    def claims(self, **changed: Any) -> dict[str, Any]:
        """What a token of Ada's says; a claim that is None is left out."""
        now = int(time.time())
        claims = {
            "aud": AUDIENCE,
            "iss": self.issuers[0],
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "name": "Ada Lovelace",
            "preferred_username": "ada@example.com",
            "oid": ADA,
            "sub": "pairwise-of-ada",
            "tid": TENANT,
            "ver": "2.0",
        }
        return {name: value for name, value in (claims | changed).items() if value is not None}

    def token(
        self, key: Key | None = None, header: dict[str, Any] | None = None, **changed: Any
    ) -> str:
        key = key or self.keys[-1]
        headers = {"kid": key.kid, **(header or {})}
        return jwt.encode(self.claims(**changed), key.private, "RS256", headers=headers)


def _base64url(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
