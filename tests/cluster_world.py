"""The operator's world for tests: the real control plane, the emulator, the real adapters.

No node is needed: `Hand.run_pods` does to a pod's status what a kubelet would, and one small server
answers for all of them on the port that docs/contract.md names.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from dataclasses import dataclass, field
from typing import Any

import httpx2
from chatbot_operator import naming
from chatbot_operator.errors import Fault, Stuck
from chatbot_operator.manifests import selector
from chatbot_operator.ports import (
    ACCOUNTS,
    CHATBOTS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    HTTP_ROUTES,
    INGRESSES,
    NETWORK_POLICIES,
    PODS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Installation,
    Resource,
    World,
)
from chatbot_operator.reconcile import Again, Key, Memory, reconcile
from sandbox.azure import settings as fixed
from sandbox.azure.world import SUBSCRIPTION_ID
from sandbox.bootstrap import ACCOUNT_ID
from sandbox.cluster.api import Api, ApiError

CHILDREN = (SERVICE_ACCOUNTS, CONFIG_MAPS, DEPLOYMENTS, SERVICES, NETWORK_POLICIES)
"""What every chatbot has that does not say otherwise."""
KINDS = (*CHILDREN, INGRESSES, HTTP_ROUTES)
IDENTITIES = (
    f"{SUBSCRIPTION_ID}/resourceGroups/{fixed.IDENTITY_GROUP}"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
)
ASSIGNMENTS = f"{ACCOUNT_ID}/providers/Microsoft.Authorization/roleAssignments"
AT_REST = 60.0
"""Seconds until the next look from which on a pass counts as having nothing left to do."""
PATIENCE = 60.0


def chatbot(namespace, name="support", *, account="contoso", chat=None, **spec):
    openai = {"account": account, "deployment": "gpt-4o", **spec.pop("openAI", {})}
    return {
        "apiVersion": CHATBOTS.api_version,
        "kind": CHATBOTS.kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"openAI": openai, **({"chat": chat} if chat else {}), **spec},
    }


def account(name="contoso", account_id=ACCOUNT_ID, **spec):
    return {
        "apiVersion": ACCOUNTS.api_version,
        "kind": ACCOUNTS.kind,
        "metadata": {"name": name},
        "spec": {"accountId": account_id, "allowedNamespaces": {"all": True}, **spec},
    }


def key(namespace, name="support"):
    return Key(CHATBOTS, namespace, name)


@dataclass
class Operator:
    """A run of the operator: real adapters, a memory that ends with it, a clock that can jump."""

    world: World
    hand: Hand
    memory: Memory = field(default_factory=Memory)

    async def look(self, key: Key) -> Again:
        """One pass, and those it asks for."""
        again = await reconcile(self.world, key, memory=self.memory)
        for other in again.also:
            await reconcile(self.world, other, memory=self.memory)
        return again

    async def settle(self, key: Key) -> Again:
        """Passes until nothing more is asked for soon; raises the fault that needs a person."""
        deadline = time.monotonic() + PATIENCE
        while True:
            again = await self.look(key)
            if isinstance(again.fault, Stuck):
                raise again.fault
            if not again.failed and (again.seconds is None or again.seconds >= AT_REST):
                return again
            assert time.monotonic() < deadline, f"{key} does not come to rest: {again}"
            if again.fault and again.fault.reason in {"PodsStarting", "RollingOut"}:
                await self.hand.roll_out(key.namespace, key.name)
            else:
                await asyncio.sleep(0.1 if again.seconds else 0)

    async def refused(self, key: Key) -> Fault:
        """The fault at which the passes end that needs a person."""
        try:
            again = await self.settle(key)
        except Stuck as fault:
            return fault
        raise AssertionError(f"{key} came to rest: {again}")


@dataclass(frozen=True)
class Hand:
    """The administrator's hand in the cluster, and the kubelet's."""

    api: Api
    address: str
    """Where pods answer."""

    async def get(self, resource: Resource, namespace: str, name: str = "support") -> Any:
        try:
            return await self.api.get(path(resource, namespace, name))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def create(self, body: Any) -> Any:
        kinds = (*KINDS, CHATBOTS, ACCOUNTS, PODS)
        resource = next(r for r in kinds if r.kind == body["kind"])
        return await self.api.post(path(resource, body["metadata"].get("namespace", "")), body)

    async def edit(self, resource: Resource, namespace: str, patch: Any, name="support") -> Any:
        return await self.api.patch(path(resource, namespace, name), patch)

    async def delete(self, resource: Resource, namespace: str, name: str = "support") -> None:
        await self.api.delete(path(resource, namespace, name))

    async def children(self, namespace: str, name: str = "support") -> dict[str, Any]:
        found = await asyncio.gather(*(self.get(kind, namespace, name) for kind in KINDS))
        return {k.kind: live for k, live in zip(KINDS, found, strict=True) if live}

    async def conditions(self, namespace: str, name: str = "support") -> dict[str, Any]:
        return await self.conditions_of(CHATBOTS, namespace, name)

    async def conditions_of(self, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
        live = await self.get(resource, namespace, name)
        return {c["type"]: c for c in live["status"].get("conditions", ())}

    async def forget_chatbots(self) -> None:
        """Take every chatbot out of the cluster, without the operator."""
        for each in (await self.api.get(path(CHATBOTS)))["items"]:
            at = each["metadata"]["namespace"], each["metadata"]["name"]
            with contextlib.suppress(ApiError):  # on its way already
                await self.edit(CHATBOTS, at[0], {"metadata": {"finalizers": None}}, at[1])
                await self.delete(CHATBOTS, *at)

    async def roll_out(self, namespace: str, name: str) -> None:
        """Be the kubelet until a rollout is through, or for a second."""
        for _ in range(20):
            await self.run_pods(namespace)
            live = await self.get(DEPLOYMENTS, namespace, name)
            if live is None or rolled_out(live):
                return
            await asyncio.sleep(0.05)

    async def give_address(self, namespace: str, address: str = "20.0.0.9") -> None:
        """Do to the Service what a cloud does for a load balancer."""
        ingress = {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}
        await self.api.patch(f"{path(SERVICES, namespace, 'support')}/status", ingress)

    async def run_pods(self, namespace: str) -> None:
        """Do to new pods of chatbots what a kubelet does when their containers are ready."""
        found = await self.api.get(path(PODS, namespace))
        await asyncio.gather(
            *(
                self._run(namespace, pod["metadata"]["name"])
                for pod in found["items"]
                if "podIP" not in pod["status"] and "deletionTimestamp" not in pod["metadata"]
            )
        )

    async def _run(self, namespace: str, name: str) -> None:
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        status = {
            "phase": "Running",
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": now}],
        }
        with contextlib.suppress(ApiError):  # gone in the meantime
            await self.api.patch(f"{path(PODS, namespace, name)}/status", {"status": status})


def rolled_out(deployment: Any) -> bool:
    status, wanted = deployment["status"], deployment["spec"]["replicas"]
    counts = {status.get(k, 0) for k in ("replicas", "updatedReplicas", "availableReplicas")}
    seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
    return seen and counts == {wanted}


def path(resource: Resource, namespace: str = "", name: str = "") -> str:
    root = f"/apis/{resource.group}" if resource.group else "/api"
    scope = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}/{resource.version}{scope}/{resource.plural}" + (f"/{name}" if name else "")


@dataclass
class Seen:
    """The last entry of the ledger that a test of this session has read."""

    number: int = 0


@dataclass
class AzureHand:
    """The owner's hand in Azure, and the emulator's own controls."""

    http: httpx2.AsyncClient
    seen: Seen
    token: str = ""

    async def arm(self, method: str, where: str, body: Any = None) -> httpx2.Response:
        self.token = self.token or await self._owner()
        return await self.http.request(
            method,
            where,
            params={"api-version": "1"},
            json=body,
            headers={"authorization": f"Bearer {self.token}"},
        )

    async def done(self, method: str, where: str, body: Any = None) -> Any:
        answer = await self.arm(method, where, body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def _owner(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": fixed.OWNER_CLIENT_ID,
            "client_secret": fixed.OWNER_SECRET,
            "scope": f"{fixed.ARM_AUDIENCE}/.default",
        }
        answer = await self.http.post(f"/{fixed.TENANT}/oauth2/v2.0/token", data=form)
        return str(answer.json()["access_token"])

    async def state(self) -> Any:
        return (await self.http.get("/_emulator/state")).json()

    async def identities(self, namespace: str) -> list[Any]:
        """The identities that were made for chatbots of a namespace."""
        found = (await self.state())["identities"]
        return [i for i in found if i["name"].startswith(f"cb-{namespace}-")]

    async def identity(self, namespace: str) -> Any:
        (found,) = await self.identities(namespace)
        return found

    async def assignments(self, principal: str) -> list[Any]:
        found = (await self.state())["assignments"]
        return [a for a in found if a["principal_id"] == principal]

    async def described(self, namespace: str) -> list[Any]:
        """The assignments whose description says that they are for a chatbot of a namespace."""
        found = (await self.state())["assignments"]
        return [a for a in found if f"/{namespace}/" in (a["description"] or "")]

    async def mark(self) -> int:
        """The number of the last entry of the ledger."""
        entries = await self.ledger(self.seen.number)
        self.seen.number = int(entries[-1]["n"]) if entries else self.seen.number
        return self.seen.number

    async def ledger(self, since: int) -> list[Any]:
        answer = await self.http.get("/_emulator/ledger", params={"since": since})
        return list(answer.json()["entries"])

    async def writes(self, since: int) -> list[Any]:
        return [e for e in await self.ledger(since) if e["plane"] == "arm" and e["method"] != "GET"]

    async def fault(self, **fault: Any) -> None:
        answer = await self.http.post("/_emulator/faults", json={"plane": "arm", **fault})
        assert answer.status_code == 201, answer.text

    async def heal(self) -> None:
        await self.http.request("DELETE", "/_emulator/faults")


def identity_path(installation: Installation, namespace: str, name: str = "support") -> str:
    owner = naming.Owner(installation.cluster, namespace, name, "")
    return f"{IDENTITIES}/{naming.identity_name(owner)}"


def own_labels(name: str = "support") -> dict[str, str]:
    return selector(name)
