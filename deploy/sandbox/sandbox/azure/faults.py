"""Faults to order: answers that did not come from Azure, connections that break, delays."""

from __future__ import annotations

import asyncio
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.azure.ledger import note, plane_of
from sandbox.azure.settings import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ACTIONS = frozenset({"respond", "reset", "apply-then-reset", "delay"})
ABORT = "sandbox.abort"
"""Key in a request's scope: a function that closes the connection without a word."""


@dataclass(slots=True)
class Fault:
    """What goes wrong, for which requests, and how often (`times` None: always).

    `path` is a regular expression searched in the path, without case; `delay` is in seconds
    and comes before the rest. `respond` answers with the given status, code, message and
    headers; `reset` closes the connection unanswered; `apply-then-reset` lets the request take
    effect first.
    """

    action: str
    plane: str | None = None
    method: str | None = None
    path: str | None = None
    status: int = 500
    code: str = "InternalServerError"
    message: str = "The server encountered an internal error."
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    times: int | None = None
    id: int = 0

    def concerns(self, plane: str, method: str, path: str) -> bool:
        """Whether a request is one of those that go wrong."""
        return (
            self.times != 0
            and self.plane in {None, plane}
            and self.method in {None, method}
            and (self.path is None or re.search(self.path, path, re.IGNORECASE) is not None)
        )


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "action": str,
    "plane": str,
    "method": str,
    "path": str,
    "status": int,
    "code": str,
    "message": str,
    "headers": dict,
    "delay": (int, float),
    "times": int,
}


def parse_fault(document: Mapping[str, Any]) -> Fault:
    """A fault from JSON; raises SettingError."""
    for name, value in document.items():
        if name not in _TYPES or not isinstance(value, _TYPES[name]):
            raise SettingError(f"a fault has no {name!r} like {value!r}")
    if document.get("action") not in ACTIONS:
        raise SettingError(f"action must be one of {', '.join(sorted(ACTIONS))}")
    try:
        re.compile(document.get("path", ""))
    except re.error as error:
        raise SettingError(f"path is not a regular expression: {error}") from error
    return Fault(**document)


class Faults:
    """ASGI middleware that makes the ordered faults happen."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._faults: list[Fault] = []
        self._count = 0

    def add(self, fault: Fault) -> int:
        """Order a fault; the number by which it can be called off."""
        self._count += 1
        fault.id = self._count
        self._faults.append(fault)
        return fault.id

    def remove(self, number: int | None = None) -> None:
        """Call one off, or all."""
        self._faults = [f for f in self._faults if number is not None and f.id != number]

    def document(self) -> list[dict[str, Any]]:
        """The faults with what is left of their `times`."""
        return [asdict(fault) for fault in self._faults]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or fail to."""
        fault = self._next(scope)
        if fault is None:
            await self._app(scope, receive, send)
            return
        await asyncio.sleep(fault.delay)
        if fault.action == "delay":
            await self._app(scope, receive, send)
        elif fault.action == "respond":
            answer = _answer(fault, plane_of(scope["path"]), note(Request(scope)).requestId)
            await answer(scope, receive, send)
        else:
            if fault.action == "apply-then-reset":
                await self._app(scope, receive, _swallow)
            note(Request(scope)).code = fault.action
            await _reset(scope, receive)

    def _next(self, scope: Scope) -> Fault | None:
        if scope["type"] != "http" or plane_of(scope["path"]) == "control":
            return None
        plane, method, path = plane_of(scope["path"]), scope["method"], scope["path"]
        for fault in self._faults:
            if fault.concerns(plane, method, path):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None


async def _swallow(_message: Message) -> None:
    """The answer nobody gets."""


async def _reset(scope: Scope, receive: Receive) -> None:
    scope[ABORT]()
    while (await receive())["type"] != "http.disconnect":
        pass


def _answer(fault: Fault, plane: str, request_id: str) -> Response:
    body: dict[str, Any] = {"error": {"code": fault.code, "message": fault.message}}
    ids = {"x-ms-request-id": request_id} if plane == "arm" else {}
    if plane == "entra":
        number = re.sub(r"\D", "", fault.code)
        body = {
            "error": "temporarily_unavailable" if fault.status >= 500 else "invalid_client",  # noqa: PLR2004
            "error_description": f"{fault.code}: {fault.message}",
            "error_codes": [int(number)] if number else [],
        }
    return JSONResponse(body, fault.status, headers={**ids, **fault.headers})
