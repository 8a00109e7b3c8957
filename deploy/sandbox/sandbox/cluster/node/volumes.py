"""The volumes of a pod as directories: their files are what the API server says now."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING

from sandbox.cluster.api import Api, ApiError, Object, key_of
from sandbox.cluster.node.launching import (
    API_ACCESS,
    Surroundings,
    UnlaunchableError,
    contents,
    field,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_RENEW_AT = 0.8  # of a token's life, as the kubelet


class Volumes:
    """The files of one pod; `now` is a clock in seconds."""

    def __init__(self, api: Api, now: Callable[[], float]) -> None:
        self._api = api
        self._now = now
        self._tokens: dict[tuple[str, str], tuple[bytes, float]] = {}

    async def sync(self, around: Surroundings) -> None:
        """Write what is missing or has changed, remove what is gone, renew tokens that are due.

        Raises:
            UnlaunchableError: a volume refers to what does not exist.
            ApiError: a token was refused.
        """
        for volume in around.pod["spec"].get("volumes") or []:
            files = await self._files(around, volume)
            await asyncio.to_thread(
                _write, around.volume(volume["name"]), files, keep="emptyDir" in volume
            )

    async def _files(self, around: Surroundings, volume: Object) -> dict[str, bytes]:
        if "emptyDir" in volume:
            return {}
        if "projected" not in volume:
            return _source(around, volume, name_key={"secret": "secretName"})
        files: dict[str, bytes] = {}
        for source in volume["projected"].get("sources") or []:
            if token := source.get("serviceAccountToken"):
                files[token["path"]] = await self._token(around, volume["name"], token)
            else:
                files |= _source(around, source, name_key={})
        return files

    async def _token(self, around: Surroundings, volume: str, source: Object) -> bytes:
        held, due = self._tokens.get((volume, source["path"]), (b"", 0.0))
        if held and self._now() < due:
            return held
        namespace, name = key_of(around.pod)
        account = around.pod["spec"].get("serviceAccountName", "default")
        bound = {"apiVersion": "v1", "kind": "Pod", "name": name}
        spec = {
            "audiences": [source["audience"]] if source.get("audience") else [],
            "expirationSeconds": source.get("expirationSeconds", 3600),
            "boundObjectRef": {**bound, "uid": around.pod["metadata"]["uid"]},
        }
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        try:
            answer = await self._api.post(path, {"spec": spec})
        except ApiError:
            if held:  # it may still be valid; the next sync tries again
                return held
            raise
        token = str(answer["status"]["token"]).encode()
        due = self._now() + _RENEW_AT * answer["spec"]["expirationSeconds"]
        self._tokens[volume, source["path"]] = (token, due)
        return token


def access(pod: Object, around: Surroundings) -> Path | None:
    """The directory of the automatically mounted token, if the pod has one."""
    for container in pod["spec"]["containers"]:
        for mount in container.get("volumeMounts") or []:
            if mount["mountPath"] == API_ACCESS:
                return around.volume(mount["name"])
    return None


def _source(around: Surroundings, source: Object, name_key: dict[str, str]) -> dict[str, bytes]:
    if "downwardAPI" in source:
        items = source["downwardAPI"].get("items") or []
        return {each["path"]: _downward(around, each).encode() for each in items}
    for kind in ("configMap", "secret"):
        if kind in source:
            name = source[kind].get(name_key.get(kind, "name"), "")
            return _keys(around, kind, name, source[kind])
    raise UnlaunchableError("ContainerCreating", f"no such volume in the sandbox: {source}")


def _keys(around: Surroundings, kind: str, name: str, source: Object) -> dict[str, bytes]:
    namespace, _ = key_of(around.pod)
    found = around.lookup(kind, namespace, name)
    optional = source.get("optional", False)
    if found is None and not optional:
        raise UnlaunchableError("ContainerCreating", f'{kind.lower()} "{name}" not found')
    data = contents(kind, found or {})
    if "items" not in source:
        return data
    missing = [each["key"] for each in source["items"] if each["key"] not in data]
    if missing and not optional:
        raise UnlaunchableError(
            "ContainerCreating", f"{kind.lower()} references non-existent config key: {missing[0]}"
        )
    return {each["path"]: data[each["key"]] for each in source["items"] if each["key"] in data}


def _downward(around: Surroundings, item: Object) -> str:
    path = item["fieldRef"]["fieldPath"]
    if path not in ("metadata.labels", "metadata.annotations"):
        return field(around, path)
    pairs = around.pod["metadata"].get(path.removeprefix("metadata.")) or {}
    return "\n".join(f"{name}={json.dumps(value)}" for name, value in sorted(pairs.items()))


def _write(directory: Path, files: dict[str, bytes], *, keep: bool) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        file = directory / name
        if file.is_file() and file.read_bytes() == content:
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}.new")
        draft.touch(mode=0o600)
        draft.write_bytes(content)
        draft.replace(file)
    if keep:
        return
    wanted = {directory / name for name in files}
    for root, _, names in os.walk(directory):
        for name in names:
            if (path := directory.__class__(root) / name) not in wanted:
                path.unlink()
