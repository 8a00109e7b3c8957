"""OIDC issuers that federated credentials name: their keys, fetched over real TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import httpx2
import jwt

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUT = 10.0


class IssuerUnreachableError(Exception):
    """The issuer's discovery document or its keys could not be had."""


class Issuers:
    """The signing keys of issuers, kept until an unknown key id is asked for."""

    def __init__(self, trust: Path | None) -> None:
        context = ssl.create_default_context()
        if trust is not None:
            context.load_verify_locations(cafile=trust)
        # A sandbox's issuer is on this machine, where a proxy of the environment cannot see it.
        self._client = httpx2.AsyncClient(verify=context, timeout=_TIMEOUT, trust_env=False)
        self._keys: dict[str, dict[str, jwt.PyJWK]] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def key(self, issuer: str, key_id: str) -> jwt.PyJWK | None:
        """The issuer's key of that id, or None; raises IssuerUnreachableError."""
        async with self._asking[issuer]:
            if key_id not in self._keys.get(issuer, {}):
                self._keys[issuer] = await self._fetch(issuer)
            return self._keys[issuer].get(key_id)

    def forget(self) -> None:
        """Drop every key, so that the next token has them fetched again."""
        self._keys.clear()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _fetch(self, issuer: str) -> dict[str, jwt.PyJWK]:
        try:
            document = await self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if document.get("issuer") != issuer:
                raise IssuerUnreachableError(f"discovery of {issuer} names another issuer")
            keys = jwt.PyJWKSet.from_dict(await self._get(str(document["jwks_uri"])))
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, KeyError, jwt.PyJWTError) as error:
            raise IssuerUnreachableError(f"{issuer}: {error}") from error
        return {key.key_id: key for key in keys.keys if key.key_id}

    async def _get(self, url: str) -> dict[str, Any]:
        response = await self._client.get(url)
        response.raise_for_status()
        document = response.json()
        if not isinstance(document, dict):
            raise ValueError(f"{url} did not answer with an object")  # noqa: TRY004
        return document
