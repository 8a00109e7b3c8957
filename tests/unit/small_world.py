"""A cluster and an Azure in memory, as small as a pass needs them, and a clock that is set."""

from __future__ import annotations

import copy
import datetime as dt
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import provoked
from chatbot_operator import ports
from chatbot_operator.errors import KubernetesRefusal, Refusal
from chatbot_operator.manifests import MANAGER
from chatbot_operator.ports import (
    Assignment,
    Credential,
    Identity,
    Note,
    Object,
    OpenAIAccount,
    Permission,
    Readiness,
    Receipt,
    Resource,
    World,
)
from chatbot_operator.reconcile import Again, Key, Memory, reconcile
from unit.bodies import INSTALLATION, account_body, chatbot_body

NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
CHATBOT = Key(ports.CHATBOTS, "team", "support")
PROVEN = Readiness("Proven", "It answered.", "2026-01-31T12:00:00Z")

Place = tuple[str, str, str]


@dataclass
class SmallCluster:
    """The Kubernetes port: keeps objects; pods run as soon as there is a Deployment.

    `trouble` is what every call but those for chatbots gets; `serving` tells whether pods become
    available; `lingering`: what is deleted stays; `refused`: what applies of a kind get, by plural.
    """

    objects: dict[Place, Object] = field(default_factory=dict)
    trouble: KubernetesRefusal | None = None
    serving: bool = True
    lingering: bool = False
    told: list[Note] = field(default_factory=list)
    refused: dict[str, KubernetesRefusal] = field(default_factory=dict)

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        if self.trouble is not None and resource != ports.CHATBOTS:
            raise self.trouble
        return copy.deepcopy(self.objects.get((resource.plural, namespace, name)))

    async def select(
        self, resource: Resource, namespace: str, labels: Mapping[str, str]
    ) -> list[Object]:
        of_kind = [o for (plural, *_), o in self.objects.items() if plural == resource.plural]
        return [
            copy.deepcopy(one)
            for one in of_kind
            if namespace in {"", one["metadata"]["namespace"]}
            and labels.items() <= one["metadata"].get("labels", {}).items()
        ]

    async def apply(
        self,
        resource: Resource,
        manifest: Object,
        *,
        onto: str | None,
        manager: str = MANAGER,
    ) -> Object:
        if resource.plural in self.refused:
            raise self.refused[resource.plural]
        live = copy.deepcopy(manifest)
        metadata = live["metadata"]
        place = resource.plural, metadata["namespace"], metadata["name"]
        there = self.objects.get(place)
        assert onto == (there and there["metadata"]["uid"])
        if there and manager != MANAGER:  # of the little that it says, the value stays what it is
            return there
        if there and "replicas" in there.get("spec", {}):
            live["spec"].setdefault("replicas", there["spec"]["replicas"])
        metadata |= {"uid": f"uid-of-{resource.plural}", "generation": 1}
        self.objects[place] = live
        if resource == ports.DEPLOYMENTS:
            self.run(live)
        return live

    def run(self, deployment: Object) -> None:
        """Play the controllers: make a pod and tell the Deployment."""
        replicas, metadata = deployment["spec"]["replicas"], deployment["metadata"]
        deployment["status"] = {
            "observedGeneration": 1,
            "replicas": replicas,
            "updatedReplicas": replicas,
            "availableReplicas": replicas if self.serving else 0,
        }
        owner = {"kind": "ReplicaSet", "name": f"{metadata['name']}-5d4f"}
        self.objects["pods", metadata["namespace"], "pod"] = {
            "metadata": {
                "namespace": metadata["namespace"],
                "name": "pod",
                "uid": "uid-of-pod",
                **deployment["spec"]["template"]["metadata"],
                "ownerReferences": [owner],
            },
            "spec": copy.deepcopy(deployment["spec"]["template"]["spec"]),
            "status": {"podIP": "10.0.0.7"},
        }

    async def patch(
        self, resource: Resource, namespace: str, name: str, operations: list[Object]
    ) -> Object:
        live = self.objects[resource.plural, namespace, name]
        for each in operations:
            *way, last = each["path"].strip("/").split("/")
            holder = functools.reduce(lambda at, key: at[key], way, live)
            if each["op"] == "test":
                assert holder[last] == each["value"]
            else:
                holder[last] = each["value"]
        if resource == ports.DEPLOYMENTS:
            self.run(live)
        return live

    async def replace_status(
        self, resource: Resource, namespace: str, name: str, *, uid: str, status: Object
    ) -> None:
        live = self.objects[resource.plural, namespace, name]
        assert live["metadata"]["uid"] == uid
        live["status"] = copy.deepcopy(status)
        provoked.hear(status)

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        live = self.objects[resource.plural, namespace, name]
        assert live["metadata"]["uid"] == uid
        if self.lingering:
            live["metadata"]["deletionTimestamp"] = "2026-01-31T12:00:00Z"
        else:
            del self.objects[resource.plural, namespace, name]

    async def set_finalizers(
        self, resource: Resource, namespace: str, name: str, *, version: str, finalizers: list[str]
    ) -> Object | None:
        live = self.objects[resource.plural, namespace, name]
        assert live["metadata"]["resourceVersion"] == version
        live["metadata"]["finalizers"] = finalizers
        return copy.deepcopy(live)

    async def event(self, regarding: Object, note: Note, *, at: dt.datetime) -> None:
        assert regarding["metadata"]["uid"]
        assert at.tzinfo
        self.told.append(note)
        provoked.hear_event(note.reason)


@dataclass
class SmallAzure:
    """The Azure port: `asked` notes every call; `unreadable`, `unwritable` and `unlistable` are what they get."""

    held: dict[str, Identity] = field(default_factory=dict)
    trusted: dict[tuple[str, str], Credential] = field(default_factory=dict)
    assigned: dict[tuple[str, str], Assignment] = field(default_factory=dict)
    found: OpenAIAccount | None = None
    restorable: bool | None = None
    rights: dict[str, list[Permission]] = field(default_factory=dict)
    closed: bool = True
    unreadable: Refusal | None = None
    unwritable: Refusal | None = None
    unlistable: Refusal | None = None
    asked: list[str] = field(default_factory=list)
    made: int = 0

    def read(self, what: str) -> None:
        self.asked.append(what)
        if self.unreadable is not None:
            raise self.unreadable
        if self.unlistable is not None and what.startswith("list "):
            raise self.unlistable

    def write(self, what: str, target: str) -> Receipt:
        self.asked.append(what)
        if self.unwritable is not None:
            raise self.unwritable
        return Receipt(what, target, f"request-{len(self.asked)}")

    async def account(self, account_id: str) -> OpenAIAccount:
        self.read("account")
        if self.found is None:
            raise Refusal(
                "read account",
                status=404,
                code="ResourceNotFound",
                message=account_id,
                reading=True,
            )
        return self.found

    async def soft_deleted(self, account_id: str, location: str) -> bool | None:
        assert account_id
        assert location
        return self.restorable

    async def identity(self, identity_id: str) -> Identity | None:
        self.read("identity")
        return self.held.get(identity_id)

    async def identities(self, resource_group_id: str) -> list[Identity]:
        self.read("list identities")
        return [i for at, i in self.held.items() if at.startswith(f"{resource_group_id}/")]

    async def put_identity(
        self, identity_id: str, *, location: str, tags: Mapping[str, str]
    ) -> tuple[Identity, Receipt]:
        receipt = self.write("put identity", identity_id)
        self.made += 1
        name, number = identity_id.rpartition("/")[2], self.made
        ids = (f"principal-{number}-{name}", f"client-{number}-{name}", INSTALLATION.tenant_id)
        made = Identity(identity_id, name, location, *ids, dict(tags))
        self.held[identity_id] = made
        return made, receipt

    async def tag_identity(
        self, identity_id: str, tags: Mapping[str, str]
    ) -> tuple[Identity, Receipt]:
        receipt = self.write("tag identity", identity_id)
        self.held[identity_id] = replace(self.held[identity_id], tags=dict(tags))
        return self.held[identity_id], receipt

    async def delete_identity(self, identity_id: str) -> Receipt:
        receipt = self.write("delete identity", identity_id)
        self.held.pop(identity_id, None)
        return receipt

    async def credential(self, identity_id: str, name: str) -> Credential | None:
        self.read("credential")
        return self.trusted.get((identity_id, name))

    async def credentials(self, identity_id: str) -> list[Credential]:
        self.read("list credentials")
        return [c for (at, _), c in self.trusted.items() if at == identity_id]

    async def put_credential(self, identity_id: str, credential: Credential) -> Receipt:
        receipt = self.write("put credential", f"{identity_id}/{credential.name}")
        self.trusted[identity_id, credential.name] = credential
        return receipt

    async def delete_credential(self, identity_id: str, name: str) -> Receipt:
        receipt = self.write("delete credential", f"{identity_id}/{name}")
        self.trusted.pop((identity_id, name), None)
        return receipt

    async def assignment(self, scope: str, name: str) -> Assignment | None:
        self.read("assignment")
        return self.assigned.get((scope, name))

    async def assignments(self, scope: str, principal_id: str) -> list[Assignment]:
        self.read("assignments")
        found = [a for (at, _), a in self.assigned.items() if at == scope]
        return [a for a in found if a.principal_id == principal_id]

    async def assignments_below(self, scope: str, principal_id: str) -> list[Assignment]:
        self.read("list assignments below")
        if self.closed:
            raise Refusal("call", status=403, code="AuthorizationFailed", message="", reading=True)
        found = [a for (at, _), a in self.assigned.items() if at.startswith(scope)]
        return [a for a in found if a.principal_id == principal_id]

    async def assignments_at(self, scope: str) -> list[Assignment]:
        self.read("list assignments")
        return [a for (at, _), a in self.assigned.items() if at == scope]

    async def permissions(self, scope: str) -> list[Permission]:
        self.read("permissions")
        return self.rights.get(scope.rpartition("/")[2], [])

    async def put_assignment(self, assignment: Assignment) -> Receipt:
        receipt = self.write("put assignment", f"{assignment.scope}/{assignment.name}")
        self.assigned[assignment.scope, assignment.name] = assignment
        return receipt

    async def delete_assignment(self, scope: str, name: str) -> Receipt:
        receipt = self.write("delete assignment", f"{scope}/{name}")
        self.assigned.pop((scope, name), None)
        return receipt


@dataclass
class SmallPods:
    """The Pods port: every pod answers the same."""

    answer: Readiness | None = PROVEN

    async def readiness(self, address: str) -> Readiness | None:
        assert address
        return self.answer


class SmallWorld:
    """A namespace `team` with one chatbot, an account it may use, and an operator."""

    def __init__(self, **spec: Any) -> None:
        self.cluster, self.azure, self.pods = SmallCluster(), SmallAzure(), SmallPods()
        self.now, self.memory = NOON, Memory()
        allowed = {"allowedNamespaces": {"all": True}, "identity": {"resourceGroup": "ai"}}
        self.cluster.objects = {
            ("azureopenaichatbots", "team", "support"): chatbot_body(**spec),
            ("azureopenaiaccounts", "", "contoso"): account_body(**allowed),
            ("namespaces", "", "team"): {"metadata": {"name": "team"}},
        }
        self.world = World(self.cluster, self.azure, self.pods, lambda: self.now, INSTALLATION)

    async def look(self, *, after: float = 0.0) -> Again:
        """Make a pass over the chatbot, `after` seconds later."""
        self.now += dt.timedelta(seconds=after)
        self.azure.asked.clear()
        return await reconcile(self.world, CHATBOT, memory=self.memory)

    async def settle(self) -> None:
        """Make passes, five at most, until one asks for no other at once."""
        for _ in range(5):
            if (await self.look()).seconds != 0:
                return
        raise AssertionError("it goes on and on")

    def restart(self) -> None:
        """Begin with an empty memory."""
        self.memory = Memory()

    @property
    def chatbot(self) -> Object:
        return self.cluster.objects["azureopenaichatbots", "team", "support"]

    def condition(self, kind: str) -> tuple[str, str]:
        """Status and reason of a condition; empty when there is none."""
        found = (c for c in self.chatbot["status"]["conditions"] if c["type"] == kind)
        return next(((c["status"], c["reason"]) for c in found), ("", ""))

    @property
    def deployment(self) -> Object | None:
        return self.cluster.objects.get(("deployments", "team", "support"))
