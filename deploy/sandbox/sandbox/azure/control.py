"""The emulator's own API under /_emulator: what happened, what is there, what shall go wrong.

It asks for no credential, since the emulator binds the loopback interface only.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.azure import settings as fixed
from sandbox.azure.faults import Faults, parse_fault
from sandbox.azure.settings import SettingError

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.azure.ledger import Ledger
    from sandbox.azure.world import World


@dataclass(frozen=True, slots=True)
class Control:
    """The endpoints; `forget` drops what the emulator remembers outside its world."""

    world: World
    faults: Faults
    ledger: Ledger
    forget: Callable[[], None]

    def routes(self) -> list[Route]:
        """The endpoints."""
        return [
            Route("/_emulator/ledger", self._ledger),
            Route("/_emulator/settings", self._settings, methods=["GET", "PATCH"]),
            Route("/_emulator/faults", self._faults, methods=["GET", "POST", "DELETE"]),
            Route("/_emulator/faults/{number:int}", self._fault, methods=["DELETE"]),
            Route("/_emulator/state", self._state),
            Route("/_emulator/accounts/{name}", self._account, methods=["PATCH"]),
            Route("/_emulator/reset", self._reset, methods=["POST"]),
        ]

    async def _ledger(self, request: Request) -> Response:
        try:
            since = int(request.query_params.get("since", "0"))
        except ValueError:
            return _wrong("since must be a number")
        return JSONResponse({"entries": self.ledger.since(since)})

    async def _settings(self, request: Request) -> Response:
        if request.method == "PATCH":
            try:
                self.world.settings = self.world.settings.changed(await _object(request))
            except SettingError as error:
                return _wrong(str(error))
        return JSONResponse(self.world.settings.document())

    async def _faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.remove()
        if request.method == "POST":
            try:
                number = self.faults.add(parse_fault(await _object(request)))
            except SettingError as error:
                return _wrong(str(error))
            return JSONResponse({"id": number}, status_code=201)
        return JSONResponse({"faults": self.faults.document()})

    async def _fault(self, request: Request) -> Response:
        self.faults.remove(request.path_params["number"])
        return Response(status_code=204)

    async def _account(self, request: Request) -> Response:
        """Set what no ARM request can, such as `provisioningState`."""
        try:
            state = (await _object(request)).get("provisioningState")
        except SettingError as error:
            return _wrong(str(error))
        name = request.path_params["name"].lower()
        found = [a for a in self.world.store.accounts.values() if a.name.lower() == name]
        if not found or not isinstance(state, str):
            return _wrong("there is no such account, or no provisioningState was given")
        changed = replace(found[0], provisioning_state=state)
        self.world.store.accounts[changed.id.lower()] = changed
        return JSONResponse(asdict(changed))

    async def _state(self, _request: Request) -> Response:
        return JSONResponse(state_of(self.world))

    async def _reset(self, _request: Request) -> Response:
        self.world.reset()
        self.faults.remove()
        self.ledger.clear()
        self.forget()
        return Response(status_code=204)


def state_of(world: World) -> dict[str, Any]:
    """Everything there is, ready for JSON."""
    store = world.store
    return {
        "tenant": fixed.TENANT,
        "subscription": fixed.SUBSCRIPTION,
        "groups": [asdict(group) for group in store.groups.values()],
        "identities": [
            {
                **asdict(identity),
                "credentials": [asdict(c) for c in store.credentials_of(identity.id).values()],
            }
            for identity in store.identities.values()
        ],
        "assignments": [asdict(assignment) for assignment in store.assignments.values()],
        "accounts": [
            {
                **asdict(account),
                "deployments": [asdict(d) for d in store.deployments.get(key, {}).values()],
            }
            for key, account in store.accounts.items()
        ],
        "clusters": [asdict(cluster) for cluster in store.clusters.values()],
    }


async def _object(request: Request) -> dict[str, Any]:
    try:
        document = await request.json()
    except json.JSONDecodeError as error:
        raise SettingError(f"the body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise SettingError("the body must be an object")
    return document


def _wrong(message: str) -> Response:
    return JSONResponse({"error": message}, status_code=400)
