"""What was asked of the emulator: one line per request, never a token, a prompt or a body."""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sandbox.azure.state import Clock, NewGuid

KEPT = 100_000
"""Entries; older ones are forgotten."""
_LONGEST_ERROR = 65536
_REQUEST_IDS = (b"x-ms-request-id", b"apim-request-id")


@dataclass(slots=True)
class Entry:
    """One request and how it ended. `time` is its start in epoch seconds, `duration` seconds.

    `status` is 0 when the connection was closed instead of answered; `code` then says whether
    the request took effect first.
    """

    n: int
    time: float
    plane: str
    method: str
    path: str
    operation: str = ""
    status: int = 0
    code: str = ""
    principal: str = ""
    duration: float = 0.0
    requestId: str = ""  # noqa: N815  the control API speaks Azure's camel case


class Ledger:
    """ASGI middleware that writes the entries and lets handlers add to them by `note`."""

    def __init__(self, app: ASGIApp, clock: Clock, new_guid: NewGuid) -> None:
        self._app, self._clock, self._new_guid = app, clock, new_guid
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._count = 0

    def since(self, number: int) -> list[dict[str, Any]]:
        """The entries after `number`, oldest first."""
        return [asdict(entry) for entry in self._entries if entry.n > number]

    def clear(self) -> None:
        """Forget the entries; numbering goes on."""
        self._entries.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request and write it down."""
        plane = plane_of(scope["path"]) if scope["type"] == "http" else "control"
        if plane == "control":
            await self._app(scope, receive, send)
            return
        entry = Entry(0, self._clock(), plane, scope["method"], scope["path"])
        entry.requestId = self._new_guid()
        scope[_NOTE] = entry
        started = time.monotonic()
        try:
            await self._app(scope, receive, _Listener(entry, send))
        finally:
            self._count += 1
            entry.n = self._count
            entry.duration = round(time.monotonic() - started, 6)
            self._entries.append(entry)


class _Listener:
    """Reads status, request id and error code off the answer as it goes by."""

    def __init__(self, entry: Entry, send: Send) -> None:
        self._entry, self._send = entry, send
        self._error = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._entry.status = message["status"]
            headers = dict(message.get("headers", []))
            ids = [headers[name].decode() for name in _REQUEST_IDS if name in headers]
            self._entry.requestId = next(iter(ids), self._entry.requestId)
        elif message["type"] == "http.response.body" and self._entry.status >= 400:  # noqa: PLR2004
            self._error = (self._error + message.get("body", b""))[:_LONGEST_ERROR]
            if not message.get("more_body"):
                self._entry.code = self._entry.code or _code(self._error)
        await self._send(message)


def note(request: Request) -> Entry:
    """The entry of the request, for the operation and the principal to be added."""
    entry = request.scope[_NOTE]
    if not isinstance(entry, Entry):
        raise TypeError("the request did not come through the ledger")
    return entry


def plane_of(path: str) -> str:
    """Which part of Azure a path belongs to: arm, openai, graph, entra, or control (ours)."""
    first, second, *_ = [*path.strip("/").lower().split("/"), "", ""]
    if first == "_emulator":
        return "control"
    if first in {"subscriptions", "providers", "metadata", "tenants"}:
        return "arm"
    if first in {"v1.0", "beta"}:
        return "graph"
    return "openai" if second == "openai" else "entra"


def _code(body: bytes) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    if codes := document.get("error_codes"):
        return f"AADSTS{codes[0]}"
    error = document.get("error")
    return str(error.get("code") or "") if isinstance(error, dict) else ""


_NOTE = "sandbox.ledger.entry"
