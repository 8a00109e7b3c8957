"""Entra and the issuers that it asks, from where a person stands: what a pod's exchange meets."""

from __future__ import annotations

import datetime as dt
import json
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity.aio import ClientAssertionCredential

from chatbot_operator.azure.refusals import refusal_of
from chatbot_operator.azure.transport import CONNECT_SECONDS, READ_SECONDS
from chatbot_operator.errors import Refusal, Service, entra_code
from chatbot_operator.ports import Discovery, Tenancy

_WELL_KNOWN = ".well-known/openid-configuration"
_LIMIT = 1 << 20
"""Bytes of a document that are read; an issuer is somebody else's."""
_PLAIN = {"Accept-Encoding": "identity"}
"""The connections decompress nothing (`transport.session`)."""


class SilentError(Exception):
    """A document could not be had; the message says why."""


async def discover(session: aiohttp.ClientSession, issuer: str) -> Discovery:
    """Fetch what an issuer publishes, as Entra does; raises SilentError.

    https://learn.microsoft.com/entra/workload-id/workload-identity-federation
    """
    _, found, _ = await _fetch(session, f"{issuer.rstrip('/')}/{_WELL_KNOWN}", only=HTTPStatus.OK)
    _, keys, _ = await _fetch(session, str(found.get("jwks_uri", "")), only=HTTPStatus.OK)
    listed = keys.get("keys")
    ids = [str(each.get("kid", "")) for each in listed] if isinstance(listed, list) else []
    return Discovery(str(found.get("issuer", "")), frozenset(ids))


async def tenancy(session: aiohttp.ClientSession, authority: str, tenant: str) -> Tenancy:
    """Ask Entra whether it has a tenant; raises SilentError."""
    where = f"{authority.rstrip('/')}/{quote(tenant, safe='')}/v2.0/{_WELL_KNOWN}"
    status, found, at = await _fetch(session, where)
    if status == HTTPStatus.OK and "issuer" in found:
        return Tenancy(at=at)
    if code := entra_code(str(found.get("error_description", ""))):
        return Tenancy(code, at)
    raise SilentError(f"{where} answered {status}, and not as Entra does")


async def exchange(
    session: aiohttp.ClientSession,
    *,
    authority: str,
    tenant: str,
    client_id: str,
    assertion: str,
    scope: str,
) -> None:
    """Exchange a service account's token for one of an identity's, which is dropped.

    Raises Refusal. Entra remembers for minutes that a first try failed.
    """
    transport = AioHttpTransport(
        session=session,
        session_owner=False,
        connection_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
    )
    try:
        async with ClientAssertionCredential(
            tenant,
            client_id,
            lambda: assertion,
            authority=authority,
            transport=transport,
            retry_total=0,
        ) as credential:
            await credential.get_token(scope)
    except AzureError as error:
        raise refusal_of("exchange the pod's token", error) from error
    except ValueError as error:
        operation = "exchange the pod's token"
        raise Refusal(
            operation, status=400, code="", message=str(error), service=Service.ENTRA
        ) from error


async def _fetch(
    session: aiohttp.ClientSession, url: str, *, only: int = 0
) -> tuple[int, dict[str, Any], dt.datetime | None]:
    """Give status, document and date of an answer; `only` this status will do."""
    if not url.startswith("https://"):
        raise SilentError(f"{url or 'nothing'} is no https address, and Entra asks no other")
    seconds = aiohttp.ClientTimeout(total=READ_SECONDS, sock_connect=CONNECT_SECONDS)
    try:
        async with session.get(url, headers=_PLAIN, timeout=seconds) as response:
            body = await response.content.read(_LIMIT)
            found = json.loads(body) if response.content_type.endswith("json") else {}
            status, date = response.status, response.headers.get("Date", "")
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise SilentError(f"{url}: {type(error).__name__} {error}".rstrip()) from error
    if only and status != only:
        raise SilentError(f"{url} answered {status}")
    return status, found if isinstance(found, dict) else {}, _instant(date)


def _instant(date: str) -> dt.datetime | None:
    try:
        return parsedate_to_datetime(date)
    except ValueError:
        return None
