"""A stand-in for the mutating webhook of azure-workload-identity v1.6.0 (pkg/webhook/webhook.go).

The real one cannot be had as a Go module. `mutate` is its decision, word for word where it refuses;
the proxy sidecar, which needs iptables, and identity bindings are left out, and asking for the
sidecar is refused.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.cluster.api import Api, ApiError
from sandbox.cluster.https import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from sandbox.certificates import Authority
    from sandbox.cluster.api import Object

PREFIX = "azure.workload.identity"
MOUNT_PATH = "/var/run/secrets/azure/wi"
PROJECTED_FILE = "token/azure-identity-token"
VOLUME_PREFIX = "azure-workload-identity-reserved-"
AUDIENCE = "api://AzureADTokenExchange"

_DEFAULT_EXPIRY = 3600
_EXPIRY = range(3600, 86400 + 1)
_LONGEST_NAME = 63
_PATH = "/mutate-v1-pod"
_CONFIGURATION = "azure-wi-webhook-mutating-webhook-configuration"


class RefusedError(Exception):
    """The pod is not admitted; the message is what its creator reads."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the real webhook reads from its ConfigMap `azure-wi-webhook-config`.

    `authority_host` stands in for the one that it derives from the cloud's name.
    """

    tenant: str
    authority_host: str


def mutate(pod: Object, service_account: Object, settings: Settings) -> list[Object]:
    """The JSON patch that gives a pod its federated token and AZURE_* variables.

    Raises:
        RefusedError: the pod's or service account's annotations are not valid.
    """
    notes = pod["metadata"].get("annotations") or {}
    account_notes = service_account["metadata"].get("annotations") or {}
    if f"{PREFIX}/inject-proxy-sidecar" in notes:
        raise RefusedError("the sandbox's webhook has no proxy sidecar")
    volume = _volume(pod, _expiry(notes, account_notes))
    environment = {
        "AZURE_CLIENT_ID": account_notes.get(f"{PREFIX}/client-id", ""),
        "AZURE_TENANT_ID": account_notes.get(f"{PREFIX}/tenant-id", settings.tenant),
        "AZURE_FEDERATED_TOKEN_FILE": f"{MOUNT_PATH}/{PROJECTED_FILE}",
        "AZURE_AUTHORITY_HOST": settings.authority_host,
    }
    skipped = {name.strip() for name in notes.get(f"{PREFIX}/skip-containers", "").split(";")}
    patch = []
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(pod["spec"].get(kind) or []):
            if container["name"] not in skipped:
                patch += _inject(f"/spec/{kind}/{index}", container, environment, volume["name"])
    volumes = _with(pod["spec"].get("volumes"), volume)
    return [*patch, {"op": "add", "path": "/spec/volumes", "value": volumes}]


def _expiry(notes: Mapping[str, str], account_notes: Mapping[str, str]) -> int:
    name = f"{PREFIX}/service-account-token-expiration"
    given = notes.get(name) or account_notes.get(name) or str(_DEFAULT_EXPIRY)
    if not re.fullmatch(r"[+-]?[0-9]+", given):
        raise RefusedError(f'strconv.ParseInt: parsing "{given}": invalid syntax')
    if int(given) not in _EXPIRY:
        raise RefusedError(
            f"token expiration {int(given)} not valid. Expected value to be between 3600 and 86400"
        )
    return int(given)


def _volume(pod: Object, expiry: int) -> Object:
    meta = pod["metadata"]
    name = meta.get("name") or f"{meta.get('generateName', '')} (prefix)"
    digest = hashlib.sha256(name.encode()).hexdigest()
    token = {"path": PROJECTED_FILE, "expirationSeconds": expiry, "audience": AUDIENCE}
    return {
        "name": f"{VOLUME_PREFIX}{digest}"[:_LONGEST_NAME],
        "projected": {"sources": [{"serviceAccountToken": token}]},
    }


def _inject(
    path: str, container: Object, environment: Mapping[str, str], volume: str
) -> list[Object]:
    present = container.get("env") or []
    names = {each["name"] for each in present}
    added = [
        {"name": name, "value": value}
        for name, value in environment.items()
        if value and name not in names
    ]
    mount = {"name": volume, "mountPath": MOUNT_PATH, "readOnly": True}
    mounts = _with(container.get("volumeMounts"), mount)
    patch: list[Object] = [{"op": "add", "path": f"{path}/volumeMounts", "value": mounts}]
    if added:
        patch.append({"op": "add", "path": f"{path}/env", "value": [*present, *added]})
    return patch


def _with(named: list[Object] | None, new: Object) -> list[Object]:
    """The list with `new` in the place of its namesake, or at the end."""
    old = named or []
    if all(each["name"] != new["name"] for each in old):
        return [*old, new]
    return [new if each["name"] == new["name"] else each for each in old]


@contextlib.asynccontextmanager
async def webhook(api: Api, authority: Authority, settings: Settings) -> AsyncIterator[None]:
    """Serve the webhook on loopback and register it with the API server."""

    async def admit(request: web.Request) -> web.Response:
        review = await request.json()
        verdict = await _verdict(review["request"], api, settings)
        answer = {"uid": review["request"]["uid"], **verdict}
        return web.json_response({**_kind_of(review), "response": answer})

    app = web.Application()
    app.router.add_post(_PATH, admit)
    with socket.create_server(("127.0.0.1", 0)) as bound:
        url = f"https://127.0.0.1:{bound.getsockname()[1]}{_PATH}"
        async with serving(app, bound, authority.issue("workload-identity-webhook")):
            await _register(api, url, authority)
            yield


async def _verdict(request: Object, api: Api, settings: Settings) -> Object:
    pod = request["object"]
    account = pod["spec"].get("serviceAccountName") or "default"
    path = f"/api/v1/namespaces/{request['namespace']}/serviceaccounts/{account}"
    try:
        patch = mutate(pod, await api.get(path), settings)
    except (ApiError, RefusedError) as refusal:
        return {"allowed": False, "status": {"code": 400, "message": str(refusal)}}
    encoded = base64.b64encode(json.dumps(patch).encode()).decode()
    return {"allowed": True, "patchType": "JSONPatch", "patch": encoded}


def _kind_of(review: Object) -> dict[str, Any]:
    return {"apiVersion": review["apiVersion"], "kind": review["kind"]}


async def _register(api: Api, url: str, authority: Authority) -> None:
    trusted = base64.b64encode(authority.certificate.read_bytes()).decode()
    hook = {
        "name": "mutation.azure-workload-identity.io",
        "clientConfig": {"url": url, "caBundle": trusted},
        "objectSelector": {"matchLabels": {f"{PREFIX}/use": "true"}},
        "rules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"]}
            | {"resources": ["pods"]}
        ],
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "reinvocationPolicy": "IfNeeded",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": _CONFIGURATION},
        "webhooks": [hook],
    }
    path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
    try:
        await api.post(path, body)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
        await api.patch(f"{path}/{_CONFIGURATION}", {"webhooks": [hook]})
