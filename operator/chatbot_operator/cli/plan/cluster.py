"""A cluster for rehearsals: reads the real one, keeps what is written to itself, and records it.

What an apply would make of an object says the API server, by a dry run; where the person may not
have one made, the manifest is taken as it stands.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Protocol, TypeVar

from chatbot_operator.cli.plan.controllers import made_by_controllers, pods_of
from chatbot_operator.cli.plan.patches import merged, patched
from chatbot_operator.cli.plan.record import Record
from chatbot_operator.cli.plan.writes import Side, Verb, of_objects
from chatbot_operator.cli.unread import Unread, allowed
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.manifests import MANAGER
from chatbot_operator.ports import (
    ACCOUNTS,
    CHATBOTS,
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    Note,
    Object,
    Resource,
)

T = TypeVar("T")

Place = tuple[str, str, str]
UNSTORED: Final = "0"
_BODIES: Final = (ACCOUNTS, CHATBOTS, NAMESPACES)
"""What is laid over the cluster or read, and no child of a chatbot."""


class Reads(Protocol):
    """The Kubernetes API without a single write; `apply` is a dry run."""

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """Read one object."""

    async def select(
        self, resource: Resource, namespace: str, labels: Mapping[str, str]
    ) -> list[Object]:
        """List objects."""

    async def apply(
        self,
        resource: Resource,
        manifest: Object,
        *,
        onto: str | None,
        manager: str = MANAGER,
    ) -> Object:
        """Tell what an apply would make of an object."""


@dataclass
class ClusterShelf:
    """What rehearsals have written so far, what was read, and what the person may not do.

    `objects` None: deleted. `ours` are places where the API server's dry run knows less than the
    shelf; `handed` tells how many pods Deployments have whose number is left to an autoscaler.
    """

    objects: dict[Place, Object | None] = field(default_factory=dict)
    real: dict[Place, Object | None] = field(default_factory=dict)
    lists: dict[tuple[str, str], list[Object]] = field(default_factory=dict)
    ours: set[Place] = field(default_factory=set)
    handed: dict[Place, int] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)

    def take(self, resource: Resource, body: Object) -> None:
        """Take an object away from what there is."""
        self.objects[_place(resource, body)] = None

    def lay(self, resource: Resource, body: Object) -> None:
        """Put an object over what there is; one that is new has no version yet."""
        metadata = {"resourceVersion": UNSTORED, **body["metadata"]}
        self.objects[_place(resource, body)] = copy.deepcopy({**body, "metadata": metadata})


@dataclass(frozen=True)
class RehearsedCluster:
    """The Kubernetes port. It has nothing by which anything could be written."""

    reads: Reads
    shelf: ClusterShelf
    record: Record

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """Read one object: as rehearsed, else as it is."""
        found = copy.deepcopy(await self._there(resource, namespace, name))
        if found is None:
            return None
        if resource not in _BODIES:
            self.record.see(Side.CLUSTER, resource.kind, name, f"{namespace}/{name}")
        return made_by_controllers(resource, found)

    async def select(
        self, resource: Resource, namespace: str, labels: Mapping[str, str]
    ) -> list[Object]:
        """List objects: chatbots as rehearsed, else as they are; pods as controllers make them."""
        if resource == PODS:
            return await self._pods(namespace, labels)
        listed = await self._listed(resource, namespace)
        found = {_place(resource, each): each for each in listed}
        written = {at: each for at, each in self.shelf.objects.items() if at[0] == resource.plural}
        return [
            copy.deepcopy(each)
            for at, each in {**found, **written}.items()
            if each is not None and namespace in {"", at[1]}
        ]

    async def apply(
        self,
        resource: Resource,
        manifest: Object,
        *,
        onto: str | None,
        manager: str = MANAGER,
    ) -> Object:
        """Tell what an apply makes of an object, and keep that."""
        place = _place(resource, manifest)
        before = await self._there(*_where(resource, manifest))
        if (before and before["metadata"]["uid"]) != onto:
            raise KubernetesRefusal(f"apply {place}", HTTPStatus.CONFLICT, "Conflict", "")
        if manager != MANAGER and before is not None:
            return self._hand_over(resource, place, before)
        after = await self._applied(resource, manifest, before)
        metadata = after["metadata"]
        metadata["uid"] = before["metadata"]["uid"] if before else metadata.get("uid", "(new)")
        metadata.setdefault("resourceVersion", UNSTORED)
        metadata.setdefault("generation", 1)
        if place in self.shelf.handed:
            after["spec"]["replicas"] = self.shelf.handed[place]
        self.shelf.objects[place] = after
        if before is None or _kept(before) != _kept(after):
            verb = Verb.CHANGE if before else Verb.CREATE
            self.record.write(of_objects(verb, resource.kind, before, after))
        return made_by_controllers(resource, copy.deepcopy(after))

    async def patch(
        self, resource: Resource, namespace: str, name: str, operations: list[Object]
    ) -> Object:
        """Make a JSON patch of what is kept."""
        before = await self._there(resource, namespace, name)
        if before is None:
            raise KubernetesRefusal(f"patch {name}", HTTPStatus.NOT_FOUND, "NotFound", "")
        place = resource.plural, namespace, name
        after = self.shelf.objects[place] = patched(before, operations)
        self.shelf.ours.add(place)
        self.record.write(
            of_objects(Verb.CHANGE, resource.kind, before, after, note=_note(before, after))
        )
        return made_by_controllers(resource, copy.deepcopy(after))

    async def replace_status(
        self, resource: Resource, namespace: str, name: str, *, uid: str, status: Object
    ) -> None:
        """Keep a status. It is no part of a plan: it follows from what is."""
        before = await self._there(resource, namespace, name)
        if before is None or before["metadata"]["uid"] != uid:
            raise KubernetesRefusal(f"patch status {name}", HTTPStatus.NOT_FOUND, "NotFound", "")
        after = {**before, "status": copy.deepcopy(status)}
        self.shelf.objects[resource.plural, namespace, name] = after
        self.record.stirred += 1

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        """Take an object away, at once."""
        before = await self._there(resource, namespace, name)
        if before is None or before["metadata"]["uid"] != uid:
            return
        self.shelf.objects[resource.plural, namespace, name] = None
        self.record.write(of_objects(Verb.DELETE, resource.kind, before, None))

    async def set_finalizers(
        self, resource: Resource, namespace: str, name: str, *, version: str, finalizers: list[str]
    ) -> Object | None:
        """Replace an object's finalizers; one that is being deleted goes with its last."""
        del version
        before = await self._there(resource, namespace, name)
        if before is None:
            return None
        metadata = {**before["metadata"], "finalizers": finalizers}
        after = {**before, "metadata": metadata}
        gone = "deletionTimestamp" in metadata and not finalizers
        self.shelf.objects[resource.plural, namespace, name] = None if gone else after
        self.record.write(of_objects(Verb.CHANGE, resource.kind, before, after))
        return after

    async def event(self, regarding: Object, note: Note, *, at: dt.datetime) -> None:
        """Keep what a deletion leaves behind; other events are no part of a plan."""
        del regarding, at
        if note.reason == "LeftInAzure":
            self.record.left.append(note.message)

    async def _there(self, resource: Resource, namespace: str, name: str) -> Object | None:
        place = resource.plural, namespace, name
        if place in self.shelf.objects:
            return self.shelf.objects[place]
        if place not in self.shelf.real:
            self.shelf.real[place] = await self._read(resource, namespace, name)
        return self.shelf.real[place]

    async def _read(self, resource: Resource, namespace: str, name: str) -> Object | None:
        return await self._allowed(
            self.reads.get(resource, namespace, name), right("get", resource, namespace)
        )

    async def _listed(self, resource: Resource, namespace: str) -> list[Object]:
        where = resource.plural, namespace
        if where not in self.shelf.lists:
            asking = self.reads.select(resource, namespace, {})
            found = await self._allowed(asking, right("list", resource, namespace))
            self.shelf.lists[where] = found or []
        return self.shelf.lists[where]

    async def _pods(self, namespace: str, labels: Mapping[str, str]) -> list[Object]:
        if not labels:
            return []
        name = labels["app.kubernetes.io/instance"]
        return pods_of(await self._there(DEPLOYMENTS, namespace, name))

    async def _applied(self, resource: Resource, manifest: Object, before: Object | None) -> Object:
        place = _place(resource, manifest)
        real = self.shelf.real.get(place)
        if place in self.shelf.ours or (real is not None and before is None):
            return merged(before, manifest)
        onto = real["metadata"]["uid"] if real else None
        asking = self.reads.apply(resource, manifest, onto=onto)
        found = await self._allowed(asking, right("patch", resource, place[1]))
        return merged(before, manifest) if found is None else found

    def _hand_over(self, resource: Resource, place: Place, before: Object) -> Object:
        """Leave the number of pods as it is once the operator no longer says it."""
        after = copy.deepcopy(before)
        after["metadata"]["managedFields"] = []
        self.shelf.objects[place] = after
        self.shelf.handed[place] = before["spec"]["replicas"]
        note = "The number of pods is left to the autoscaler."
        self.record.write(of_objects(Verb.CHANGE, resource.kind, before, after, note=note))
        return copy.deepcopy(after)

    async def _allowed(self, call: Awaitable[T], right: str) -> T | None:
        """Ask; give None where the person may not, and remember what they lack."""
        found = await allowed(call, right)
        if isinstance(found, Unread):
            self.shelf.unread.add(right)
            return None
        return found


def right(verb: str, resource: Resource, namespace: str) -> str:
    """Spell a right as a person is told of it: `list pods in namespace team`."""
    where = f"in namespace {namespace}" if namespace else "in the whole cluster"
    return f"{verb} {resource.plural}{resource.group and '.'}{resource.group} {where}"


def _place(resource: Resource, body: Object) -> Place:
    metadata = body["metadata"]
    return resource.plural, metadata.get("namespace", ""), metadata["name"]


def _where(resource: Resource, body: Object) -> tuple[Resource, str, str]:
    _, namespace, name = _place(resource, body)
    return resource, namespace, name


def _kept(body: Object) -> Object:
    """Give what an API server stores of an object, but for its own accounts of it."""
    own = ("managedFields", "resourceVersion", "generation")
    metadata = {key: value for key, value in body["metadata"].items() if key not in own}
    return {**body, "metadata": metadata}


def _note(before: Object, after: Object) -> str:
    """Say what a patch does that no field shows."""
    held: list[Any] = [each["metadata"].get("managedFields", []) for each in (before, after)]
    if len(held[1]) < len(held[0]):
        return "The operator gives up fields that it holds by anything but its applies."
    return ""
