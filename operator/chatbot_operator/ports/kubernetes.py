"""The Kubernetes API, as steps see it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Protocol

from chatbot_operator.ports.journal import Note
from chatbot_operator.ports.resources import Object, Resource


class Kubernetes(Protocol):
    """The Kubernetes API, in the few verbs the operator uses.

    Every method but `event` raises KubernetesRefusal; none retries.
    """

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """Read one object, live; None when there is none."""

    async def select(
        self, resource: Resource, namespace: str, labels: Mapping[str, str]
    ) -> list[Object]:
        """List the objects of a namespace (empty: of all) that bear these labels."""

    async def apply(
        self,
        resource: Resource,
        manifest: Object,
        *,
        onto: str | None,
        manager: str = "chatbot-operator",
    ) -> Object:
        """Apply a manifest on the server's side, forcing; `manager` then owns what it says.

        Only to the object that has the uid `onto`, or, where that is None, only if there is none
        of the name: what somebody else makes in the meantime is not taken over.
        """

    async def patch(
        self, resource: Resource, namespace: str, name: str, operations: list[Object]
    ) -> Object:
        """Make a JSON patch (RFC 6902) as the operator."""

    async def replace_status(
        self, resource: Resource, namespace: str, name: str, *, uid: str, status: Object
    ) -> None:
        """Replace the whole status of the object, which must have this uid."""

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        """Delete the object that has this uid, in the foreground; one that is gone is no error."""

    async def set_finalizers(
        self, resource: Resource, namespace: str, name: str, *, version: str, finalizers: list[str]
    ) -> Object | None:
        """Replace the finalizers of the object, which must still be at `version`; None if gone."""

    async def event(self, regarding: Object, note: Note, *, at: dt.datetime) -> None:
        """Tell of something that happened to an object. Best effort: never fails, never repeats."""
