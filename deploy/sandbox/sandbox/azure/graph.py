"""The two questions that `az role assignment` asks Microsoft Graph."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.azure.settings import OWNER_CLIENT_ID, OWNER_OBJECT_ID

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.azure.world import World

_QUOTED = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class Graph:
    """Service principals, by any of their names."""

    world: World

    def routes(self) -> list[Route]:
        """The endpoints."""
        return [
            Route("/v1.0/servicePrincipals", self._find),
            Route("/v1.0/directoryObjects/getByIds", self._by_ids, methods=["POST"]),
        ]

    def _principals(self) -> list[dict[str, Any]]:
        known = [(OWNER_OBJECT_ID, OWNER_CLIENT_ID, "sandbox-owner")]
        known += [
            (i.principal_id, i.client_id, i.name) for i in self.world.store.identities.values()
        ]
        return [
            {
                "@odata.type": "#microsoft.graph.servicePrincipal",
                "id": oid,
                "appId": client_id,
                "displayName": name,
                "servicePrincipalNames": [client_id],
                "servicePrincipalType": "ManagedIdentity",
            }
            for oid, client_id, name in known
        ]

    async def _find(self, request: Request) -> Response:
        wanted = set(_QUOTED.findall(request.query_params.get("$filter", "")))
        found = [p for p in self._principals() if {p["id"], p["appId"], p["displayName"]} & wanted]
        return JSONResponse({"value": found})

    async def _by_ids(self, request: Request) -> Response:
        wanted = set((await request.json()).get("ids", []))
        return JSONResponse({"value": [p for p in self._principals() if p["id"] in wanted]})
