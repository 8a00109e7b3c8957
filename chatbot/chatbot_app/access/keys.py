"""The keys with which Entra signs a tenant's tokens: fetched ahead of time, kept in an outage.

They are renewed every hour, because Entra withdraws keys without a word, and when a token names one
that is not known, because it brings in new ones the same way; no more than once in half a minute,
since whoever asks can make up names
(https://learn.microsoft.com/entra/identity-platform/signing-key-rollover).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
import jwt

from chatbot_app.reasons import Reason, Refusal, RefusedError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping

    Fetch = Callable[[], Awaitable["Published"]]

log = logging.getLogger(__name__)

ALGORITHM = "RS256"
"""Entra signs with no other: `id_token_signing_alg_values_supported` of its discovery document."""
RENEW_EVERY = 3600.0
PAUSE = 30.0
_TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
_ABSENT = frozenset({400, 404})


@dataclass(frozen=True, slots=True)
class Published:
    """What Entra says of a tenant: the issuers of its tokens, and its keys by their `kid`."""

    issuers: frozenset[str] = frozenset()
    keys: Mapping[str, jwt.PyJWK] = field(default_factory=dict)


class Keys:
    """The latest that was published. At most one fetch is in flight; who needs it waits for it."""

    def __init__(
        self,
        fetch: Fetch,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        random: Callable[[], float],
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._published = Published()
        self._failure: Refusal | None = None
        self._tried: float | None = None
        self._flight: asyncio.Task[None] | None = None

    async def find(self, kid: str) -> tuple[jwt.PyJWK, frozenset[str]] | None:
        """Give the key of that id with the issuers that use it; None: there is none.

        Raises:
            RefusedError: Entra cannot be asked, so nobody knows whether there is one.
        """
        if kid not in self._published.keys and self._may_try():
            await self._renewed()
        if key := self._published.keys.get(kid):
            return key, self._published.issuers
        if self._failure is not None:
            raise RefusedError(self._failure)
        return None

    async def keep(self) -> None:
        """Renew them for ever; begins at once."""
        while True:
            await self._renewed()
            pause = RENEW_EVERY if self._failure is None else PAUSE
            await self._sleep(pause * (0.9 + 0.2 * self._random()))

    def _may_try(self) -> bool:
        waited = None if self._tried is None else self._clock() - self._tried
        return self._flight is not None or waited is None or waited >= PAUSE

    async def _renewed(self) -> None:
        """Fetch, or join the fetch in flight; a visitor who leaves does not end it."""
        if self._flight is None:
            self._flight = asyncio.create_task(self._fetched())
        await asyncio.shield(self._flight)

    async def _fetched(self) -> None:
        try:
            self._published = await self._fetch()
            self._failure = None
        except RefusedError as error:
            self._failure = error.refusal
            log.warning("keys of Entra not renewed", extra={"detail": error.refusal.detail})
        finally:
            self._tried = self._clock()
            self._flight = None


def entra(authority: str, tenant: str, *, trusted: ssl.SSLContext) -> Fetch:
    """Read what Entra publishes of a tenant; `authority` is a cloud's, with or without a slash.

    A tenant has two issuers, one for tokens of each version; which they are differs between clouds
    and not by a rule, so that both are asked for. A directory without the former has only one.
    """
    base = f"{authority.rstrip('/')}/{tenant}"

    async def fetch() -> Published:
        try:
            async with httpx2.AsyncClient(verify=trusted, timeout=_TIMEOUT) as client:
                present = await _discovered(client, f"{base}/v2.0")
                former = await _discovered(client, base, required=False)
                keys = _usable(await _document(client, str(present["jwks_uri"])))
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, KeyError, TypeError) as error:
            raise _unreachable(error) from error
        if not keys:
            raise RefusedError(_refusal("no usable key is published"))
        issuers = {str(found["issuer"]) for found in (present, former) if found}
        return Published(frozenset(issuers), keys)

    return fetch


async def _discovered(
    client: httpx2.AsyncClient, base: str, *, required: bool = True
) -> dict[str, Any]:
    try:
        document = await _document(client, f"{base}/.well-known/openid-configuration")
    except httpx2.HTTPStatusError as error:
        if required or error.response.status_code not in _ABSENT:
            raise
        return {}
    if not document["issuer"]:
        raise RefusedError(_refusal("no issuer is named"))
    return document


async def _document(client: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    if not url.startswith("https://"):
        raise RefusedError(_refusal("an address is not https"))
    response = await client.get(url)
    response.raise_for_status()
    return dict(response.json())


def _usable(document: dict[str, Any]) -> dict[str, jwt.PyJWK]:
    """Take the RSA keys that sign; whatever else is published verifies nothing."""
    usable = {}
    for key in document["keys"]:
        with contextlib.suppress(jwt.PyJWTError):
            if key["kty"] == "RSA" and key.get("use", "sig") == "sig":
                usable[str(key["kid"])] = jwt.PyJWK(key, ALGORITHM)
    return usable


def _unreachable(error: Exception) -> RefusedError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    return RefusedError(_refusal(f"HTTP {status}" if status else type(error).__name__))


def _refusal(detail: str) -> Refusal:
    return Refusal(Reason.AUTHORITY_UNREACHABLE, detail, retry_after=PAUSE)
