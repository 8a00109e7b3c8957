"""A small client of the API server: JSON by path, and collections kept current by watching."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import TYPE_CHECKING, Any, NoReturn, Self

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

Object = dict[str, Any]
Key = tuple[str, str]

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
_GONE = 410
_RETRY = 0.5
_TIMEOUT = aiohttp.ClientTimeout(total=30)
_WATCH_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10)


class ApiError(Exception):
    """The API server refused: `status` is the HTTP status, `reason` Kubernetes' own word."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class Api:
    """A session with one API server; requests raise ApiError or aiohttp.ClientError."""

    def __init__(self, server: str, *, authority: Path, token: str) -> None:
        self.server = server
        self._trust = ssl.create_default_context(cafile=str(authority))
        self._headers = {"Authorization": f"Bearer {token}"}
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            timeout=_TIMEOUT,
            connector=aiohttp.TCPConnector(ssl=self._trust, limit=0),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def answers(self, path: str) -> bool:
        """Whether a GET of this path succeeds."""
        try:
            async with self._session.get(self.server + path) as response:
                return response.ok
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Object:
        """GET an object or a list."""
        return await self._request("GET", path, params=params)

    async def post(self, path: str, body: Object) -> Object:
        """POST a new object."""
        return await self._request("POST", path, body=body)

    async def put(self, path: str, body: Object) -> Object:
        """PUT an object in place of the one that is there."""
        return await self._request("PUT", path, body=body)

    async def patch(self, path: str, body: Object, *, kind: str = MERGE) -> Object:
        """PATCH an object; `kind` is the content type."""
        return await self._request("PATCH", path, body=body, kind=kind)

    async def delete(self, path: str, options: Object | None = None) -> Object:
        """DELETE an object, with DeleteOptions."""
        return await self._request("DELETE", path, body=options or {})

    async def watch(
        self, path: str, params: Mapping[str, str], event: Callable[[str, Object], None]
    ) -> None:
        """Call `event(type, object)` for each change until the server ends the watch."""
        asked = {**params, "watch": "true", "allowWatchBookmarks": "true"}
        async with self._session.get(
            self.server + path, params=asked, timeout=_WATCH_TIMEOUT, read_bufsize=2**22
        ) as response:
            await _raise_for(response)
            buffer = b""
            async for chunk in response.content.iter_any():
                *lines, buffer = (buffer + chunk).split(b"\n")
                for line in lines:
                    change = json.loads(line)
                    event(change["type"], change["object"])

    async def _request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Object | None = None,
        kind: str = "application/json",
    ) -> Object:
        async with self._session.request(
            method,
            self.server + path,
            params=params,
            json=body,
            headers={"Content-Type": kind},
        ) as response:
            await _raise_for(response)
            answer: Object = await response.json()
            return answer


class Mirror:
    """The objects of a collection by (namespace, name), kept current by list and watch.

    `changed(key)` is called after each change, also when the object is gone from `objects`.
    """

    def __init__(
        self,
        api: Api,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        changed: Callable[[Key], None] = lambda _: None,
    ) -> None:
        self.objects: dict[Key, Object] = {}
        self.synced = asyncio.Event()
        self._api = api
        self._path = path
        self._params = dict(params or {})
        self.changed = changed
        self._version = ""

    async def follow(self) -> NoReturn:
        """Follow the collection for ever, through restarts of the API server."""
        while True:
            try:
                if not self._version:
                    await self._list()
                seen = {**self._params, "resourceVersion": self._version}
                await self._api.watch(self._path, seen, self._take)
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(_RETRY)
            except ApiError as error:
                self._version = ""
                if error.status != _GONE:
                    await asyncio.sleep(_RETRY)

    async def _list(self) -> None:
        answer = await self._api.get(self._path, self._params)
        listed = {key_of(each): each for each in answer["items"]}
        changed = [
            key
            for key in self.objects.keys() | listed.keys()
            if self.objects.get(key) != listed.get(key)
        ]
        self.objects = listed
        self._version = answer["metadata"]["resourceVersion"]
        for key in changed:
            self.changed(key)
        self.synced.set()

    def _take(self, kind: str, change: Object) -> None:
        if kind == "ERROR":
            raise ApiError(change.get("code", 500), change.get("reason", ""), str(change))
        self._version = change["metadata"]["resourceVersion"]
        if kind == "BOOKMARK":
            return
        key = key_of(change)
        if kind == "DELETED":
            self.objects.pop(key, None)
        else:
            self.objects[key] = change
        self.changed(key)


def key_of(thing: Object) -> Key:
    """The namespace, empty for cluster-scoped objects, and name of an object."""
    meta = thing["metadata"]
    return meta.get("namespace", ""), meta["name"]


async def _raise_for(response: aiohttp.ClientResponse) -> None:
    if response.ok:
        return
    text = await response.text()
    try:
        status = json.loads(text)
    except ValueError:
        status = {}
    raise ApiError(response.status, status.get("reason", ""), status.get("message", text))
