"""A cluster's API on which nothing is written: every request that could is a dry run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from chatbot_operator.kube.client import APPLY, MERGE, Cluster
from chatbot_operator.kube.paths import path_of
from chatbot_operator.ports import Object, Resource

KUBECTL: Final = "kubectl"
"""The field manager of `kubectl apply --server-side`."""
_READING: Final = frozenset({"GET"})
_STRICT: Final = {"fieldValidation": "Strict"}
"""As kubectl does: a field that the schema does not know is refused, not dropped."""


class DryRun(Cluster):
    """As Cluster, and each write goes through admission, validation and defaults, and no further.

    https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
    """

    async def make(self, resource: Resource, manifest: Object) -> Object:
        """Give the object that a manifest would make."""
        path = path_of(resource, manifest["metadata"].get("namespace", ""))
        return await self._call("POST", path, query=_STRICT, body=manifest)

    async def lay(self, resource: Resource, manifest: Object, *, manager: str = KUBECTL) -> Object:
        """Give what a person's server-side apply would make of an object."""
        metadata = manifest["metadata"]
        path = path_of(resource, metadata.get("namespace", ""), metadata["name"])
        query = {"fieldManager": manager, "force": "true", **_STRICT}
        data = json.dumps(manifest, ensure_ascii=False).encode()
        return await self._call("PATCH", path, query=query, body=data, kind=APPLY)

    async def merge(self, resource: Resource, namespace: str, name: str, patch: Object) -> Object:
        """Give what a person's JSON merge patch (RFC 7386) would make of an object."""
        path = path_of(resource, namespace, name)
        return await self._call("PATCH", path, query=_STRICT, body=patch, kind=MERGE)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Object | list[Object] | bytes | None = None,
        kind: str = "application/json",
    ) -> Object:
        if method not in _READING:
            query = {**(query or {}), "dryRun": "All"}
        return await super()._call(method, path, query=query, body=body, kind=kind)
