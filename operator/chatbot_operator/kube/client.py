"""The Kubernetes port over kubernetes.aio's ApiClient, in generic calls.

One touch of a typed API (CoreV1Api) loads the models of all of them: 104 MiB, measured.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import logging
import socket
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Self
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration

from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.kube.answers import answer
from chatbot_operator.kube.events import body_of
from chatbot_operator.kube.paths import path_of
from chatbot_operator.ports import EVENTS, SERVICE_ACCOUNTS, Note, Object, Resource

log = logging.getLogger("chatbot_operator")

FIELD_MANAGER = "chatbot-operator"
PERSON = "kubectl-chatbot"
"""The manager of what a person writes by the program of that name."""
TIMEOUT_SECONDS = 30
PAGE = 500
"""Objects of a list that are read at once: more would hold up the loop."""

OF_NOTHING = "1"
"""The resourceVersion that no object has: etcd's revision before its first write. An apply with it
creates an object and conflicts with one that is there; a POST would take a second manager's name,
and keep what later applies no longer say."""

# Of the bare type the client would encode the body itself, with escapes that the API server's YAML
# parser refuses: an emoji in an apply is then a 400. With a parameter it passes our bytes on.
APPLY = "application/apply-patch+yaml; charset=utf-8"
MERGE = "application/merge-patch+json"
JSON = "application/json-patch+json"


class Cluster:
    """A cluster's API; an asynchronous context manager that closes its connections.

    `before` is called right before each request leaves: when it is begun, and when it has got its
    connection, which may take a while to open; `ended` hears the method and the status of each (0:
    no answer came). `namespaces` are all that there is to this operator; none: the cluster's.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        before: Callable[[], None] = lambda: None,
        ended: Callable[[str, int], None] = lambda *_: None,
        namespaces: tuple[str, ...] = (),
    ) -> None:
        asking = copy.copy(configuration)
        asking.trace_configs = [_last_question(before)]
        self._client = ApiClient(asking)
        self._before = before
        self._ended = ended
        self._namespaces = namespaces
        self._host = configuration.host.rstrip("/")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._client.close()

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        try:
            return await self._call("GET", path_of(resource, namespace, name))
        except KubernetesRefusal as refusal:
            if refusal.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def select(
        self,
        resource: Resource,
        namespace: str,
        labels: Mapping[str, str],
        *,
        fields: Mapping[str, str] = MappingProxyType({}),
    ) -> list[Object]:
        query = {"labelSelector": _selector(labels)}
        if fields:
            query["fieldSelector"] = _selector(fields)
        items: list[Object] = []
        for one in self._within(resource, namespace):
            items += (await self._call("GET", path_of(resource, one), query=query))["items"]
        return items

    async def apply(
        self,
        resource: Resource,
        manifest: Object,
        *,
        onto: str | None,
        manager: str = FIELD_MANAGER,
    ) -> Object:
        precondition = {"uid": onto} if onto else {"resourceVersion": OF_NOTHING}
        metadata = manifest["metadata"] | precondition
        path = path_of(resource, metadata.get("namespace", ""), metadata["name"])
        query = {"fieldManager": manager, "force": "true"}
        data = json.dumps({**manifest, "metadata": metadata}, ensure_ascii=False).encode()
        return await self._call("PATCH", path, query=query, body=data, kind=APPLY)

    async def every(self, resource: Resource) -> list[Object]:
        """List the objects of a kind wherever they are, page by page."""
        items: list[Object] = []
        for namespace in self._within(resource, ""):
            query = {"limit": str(PAGE)}
            while True:
                found = await self._call("GET", path_of(resource, namespace), query=query)
                items += found["items"]
                query["continue"] = found["metadata"].get("continue", "")
                if not query["continue"]:
                    break
        return items

    async def serves(self, resource: Resource) -> bool:
        """Tell whether the cluster knows a kind of a group's; everybody may ask that."""
        try:
            known = await self._call("GET", f"/apis/{resource.api_version}")
        except KubernetesRefusal as refusal:
            if refusal.status == HTTPStatus.NOT_FOUND:
                return False
            raise
        return any(each["name"] == resource.plural for each in known["resources"])

    async def issuer(self) -> str:
        """Give the issuer of the tokens of service accounts, as the cluster publishes it."""
        return str((await self._call("GET", "/.well-known/openid-configuration")).get("issuer", ""))

    async def token(self, namespace: str, name: str, *, audience: str, seconds: int) -> str:
        """Have a token of a service account's made, bound to no pod; at least 600 seconds."""
        path = f"{path_of(SERVICE_ACCOUNTS, namespace, name)}/token"
        spec = {"audiences": [audience], "expirationSeconds": seconds}
        kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        made = await self._call("POST", path, body={**kind, "spec": spec})
        return str(made["status"]["token"])

    def _within(self, resource: Resource, namespace: str) -> tuple[str, ...]:
        """Give the namespaces to ask in; an empty one is all of them, or none."""
        everywhere = not namespace and resource.namespaced and self._namespaces
        return self._namespaces if everywhere else (namespace,)

    async def create(self, resource: Resource, manifest: Object) -> Object:
        """Create an object; a 409 when there is one of its name."""
        path = path_of(resource, manifest["metadata"].get("namespace", ""))
        return await self._call("POST", path, body=manifest)

    async def replace(self, resource: Resource, manifest: Object) -> Object:
        """Replace an object; a 409 unless it is still at the manifest's resourceVersion."""
        metadata = manifest["metadata"]
        path = path_of(resource, metadata.get("namespace", ""), metadata["name"])
        return await self._call("PUT", path, body=manifest)

    async def patch(
        self, resource: Resource, namespace: str, name: str, operations: list[Object]
    ) -> Object:
        path, query = path_of(resource, namespace, name), {"fieldManager": FIELD_MANAGER}
        return await self._call("PATCH", path, query=query, body=operations, kind=JSON)

    async def annotate(
        self, resource: Resource, namespace: str, name: str, *, uid: str, key: str, value: str
    ) -> None:
        """Put an annotation on the object that has this uid; a 409 if another bears its name."""
        body: Object = {"metadata": {"uid": uid, "annotations": {key: value}}}
        path, query = path_of(resource, namespace, name), {"fieldManager": PERSON}
        await self._call("PATCH", path, query=query, body=body, kind=MERGE)

    async def replace_status(
        self, resource: Resource, namespace: str, name: str, *, uid: str, status: Object
    ) -> None:
        # Not an apply: it would leave behind what anybody else put into the status.
        patch: list[Object] = [
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "add", "path": "/status", "value": status},
        ]
        path = f"{path_of(resource, namespace, name)}/status"
        await self._call("PATCH", path, body=patch, kind=JSON)

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "propagationPolicy": "Foreground",
        }
        try:
            await self._call("DELETE", path_of(resource, namespace, name), body=body)
        except KubernetesRefusal as refusal:
            # 409: another object bears the name now, so the one that was meant is gone.
            if refusal.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
                raise

    async def set_finalizers(
        self, resource: Resource, namespace: str, name: str, *, version: str, finalizers: list[str]
    ) -> Object | None:
        body = {"metadata": {"resourceVersion": version, "finalizers": finalizers}}
        try:
            return await self._call(
                "PATCH", path_of(resource, namespace, name), body=body, kind=MERGE
            )
        except KubernetesRefusal as refusal:
            if refusal.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def event(self, regarding: Object, note: Note, *, at: dt.datetime) -> None:
        event = body_of(regarding, note, at, instance=socket.gethostname())
        try:
            await self._call("POST", path_of(EVENTS, event["metadata"]["namespace"]), body=event)
        except KubernetesRefusal as refusal:
            # A namespace that is going takes no more events; nothing depends on one.
            log.debug("event not told: %s", refusal)

    async def document(self, path: str) -> Object:
        """Read what the API server says at a path that is no object's, such as /version."""
        return await self._call("GET", path)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Object | list[Object] | bytes | None = None,
        kind: str = "application/json",
    ) -> Object:
        headers = {"Accept": "application/json, */*", "Content-Type": kind}
        await self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, None)
        url = f"{self._host}{path}" + (f"?{urlencode(query)}" if query else "")
        self._before()
        status = 0
        try:
            response = await self._client.rest_client.request(
                method, url, headers=headers, body=body, _request_timeout=TIMEOUT_SECONDS
            )
            text = await response.read()
            status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise KubernetesRefusal(f"{method} {path}", 0, type(error).__name__, "") from error
        finally:
            self._ended(method, status)
        return answer(f"{method} {path}", status, text)


def _last_question(before: Callable[[], None]) -> aiohttp.TraceConfig:
    """Ask whenever a request has got its connection: it is written without another wait."""

    async def ask(*_: object) -> None:
        before()

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(ask)
    trace.on_connection_reuseconn.append(ask)
    return trace


def _selector(wanted: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in wanted.items())
