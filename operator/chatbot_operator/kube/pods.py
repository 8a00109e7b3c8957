"""The Pods port: asks a chatbot's pod how its proof stands. What it answers is a tenant's word."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
from typing import Self

import aiohttp

from chatbot_operator.manifests import OPS_PORT
from chatbot_operator.ports import Presented, Readiness

TIMEOUT_SECONDS = 3.0
BODY_LIMIT = 8192
REASON_LIMIT = 64
MESSAGE_LIMIT = 256
CLAIM_LIMIT = 600
TRACE = re.compile(r"[-\w]{1,64}", re.ASCII)
TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)


class PodNetwork:
    """The pods' network; an asynchronous context manager that closes its connections."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS), auto_decompress=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._session.close()

    async def readiness(self, address: str) -> Readiness | None:
        host = f"[{address}]" if ":" in address else address
        try:
            async with self._session.get(
                f"http://{host}:{OPS_PORT}/readyz", allow_redirects=False
            ) as response:
                return parse(await response.content.readexactly(BODY_LIMIT))
        except asyncio.IncompleteReadError as whole:
            return parse(whole.partial)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None


def parse(body: bytes) -> Readiness | None:
    """Read a readiness document (docs/contract.md), distrusting it; None when it is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("reason"), str):
        return None
    proven_at = document.get("provenAt")
    return Readiness(
        reason=_printable(document["reason"])[:REASON_LIMIT],
        message=_printable(str(document.get("message", "")))[:MESSAGE_LIMIT],
        proven_at=proven_at if isinstance(proven_at, str) and _is_time(proven_at) else "",
        presented=_presented(document.get("presented")),
        trace=_trace(document.get("trace")),
    )


def _presented(claims: object) -> Presented | None:
    if not isinstance(claims, dict):
        return None
    found = [claims.get(name) for name in ("issuer", "subject", "audience")]
    words = [_printable(each)[:CLAIM_LIMIT] for each in found if isinstance(each, str) and each]
    return Presented(*words) if len(words) == len(found) else None


def _trace(text: object) -> str:
    return text if isinstance(text, str) and TRACE.fullmatch(text) else ""


def _is_time(text: str) -> bool:
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return TIME.fullmatch(text) is not None


def _printable(text: str) -> str:
    """Blank out what a terminal obeys and what the API server's YAML parser refuses."""
    return "".join(c if c.isprintable() else " " for c in text)
