"""What `kubectl logs` reads: the kubelet's /containerLogs, without time stamps."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.cluster.api import Key

_CHUNK = 2**16
_POLL = 0.3


class FindLog(Protocol):
    """Finds log files."""

    def __call__(self, key: Key, container: str, *, previous: bool) -> Path | None:
        """The log file of a container, None when there is no such container."""


def logs(find: FindLog) -> list[web.RouteDef]:
    """Serve log files; `tailLines`, `limitBytes`, `previous` and `follow` are understood."""

    async def answer(request: web.Request) -> web.StreamResponse:
        where, asked = request.match_info, request.query
        key, container = (where["namespace"], where["pod"]), where["container"]
        previous = asked.get("previous") == "true"
        file = find(key, container, previous=previous)
        if file is None:
            return web.Response(status=404, text=f'container "{container}" not found')
        if not file.exists():
            what = f'container "{container}" in pod "{where["pod"]}"'
            lack = f"previous terminated {what} not found" if previous else f"{what} has no log yet"
            return web.Response(status=400, text=lack)
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        content = file.read_bytes()
        position = len(content)
        if "tailLines" in asked:
            lines = content.splitlines(keepends=True)
            content = b"".join(lines[max(len(lines) - int(asked["tailLines"]), 0) :])
        await response.write(content[: int(asked.get("limitBytes", len(content)))])
        while asked.get("follow") == "true" and find(key, container, previous=previous) == file:
            await asyncio.sleep(_POLL)
            more = await asyncio.to_thread(_read, file, position)
            position += len(more)
            if more:
                await response.write(more)
        return response

    return [web.get("/containerLogs/{namespace}/{pod}/{container}", answer)]


def _read(file: Path, position: int) -> bytes:
    with file.open("rb") as opened:
        opened.seek(position)
        return opened.read(_CHUNK)
