"""Looks at a pod and what belongs to it in the cluster, as the person may. Reads only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final, TypeVar

from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.pod.observed import (
    Claims,
    Cluster,
    Hook,
    Owner,
    Pod,
    ServiceAccount,
    Unseen,
)
from chatbot_operator.cli.pod.parsing import (
    instant,
    maps_of,
    parse_account,
    parse_claims,
    parse_hooks,
    parse_owner,
    parse_pod,
    pod_of,
    refused,
)
from chatbot_operator.clouds import EXCHANGE
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.kube import client
from chatbot_operator.naming import subject
from chatbot_operator.ports import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    SERVICE_ACCOUNTS,
    Object,
    Resource,
)

T = TypeVar("T")

HOOKS: Final = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "mutatingwebhookconfigurations",
    "MutatingWebhookConfiguration",
    namespaced=False,
)
SLICES: Final = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
OWNERS: Final = {
    each.kind: each
    for each in (
        DEPLOYMENTS,
        Resource("apps", "v1", "replicasets", "ReplicaSet"),
        Resource("apps", "v1", "statefulsets", "StatefulSet"),
        Resource("apps", "v1", "daemonsets", "DaemonSet"),
        Resource("batch", "v1", "jobs", "Job"),
        Resource("batch", "v1", "cronjobs", "CronJob"),
    )
}
SHORTEST: Final = 600
"""Seconds that a requested token lives at least (TokenRequestSpec.expirationSeconds)."""
SHOWN: Final = 5
"""Names of pods that are suggested."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen, and a token of the pod's service account, empty where there is none."""

    cluster: Cluster
    token: str = field(default="", repr=False)


async def look(kubernetes: client.Cluster, namespace: str, name: str) -> Looked:
    """Look at a pod, or at the newest pod of a workload of that name; raises UnansweredError.

    Where a Deployment has no pod at all, at the one that it would make.
    """
    body, absent = await _pod(kubernetes, namespace, name)
    pod = replace(parse_pod(body, await _maps(kubernetes, body)), absent=absent)
    owner, account, labels, hooks, (claims, token, trouble) = await asyncio.gather(
        _owner(kubernetes, body),
        _account(kubernetes, pod),
        _labels(kubernetes, namespace),
        _hooks(kubernetes),
        _token(kubernetes, pod),
    )
    return Looked(Cluster(pod, owner, account, labels, hooks, claims, trouble), token)


async def seen(call: Awaitable[T], what: str, right: str) -> T | Unseen:
    """Wait for what may be refused to the person: `what` in words, `right` as RBAC names it."""
    try:
        return await call
    except KubernetesRefusal as refusal:
        if refusal.status == HTTPStatus.FORBIDDEN:
            why = f"not known: you may not {what}"
            return Unseen(why, f"Ask those who run the cluster for the right to {right}.")
        return Unseen(f"not known: {refusal.reason} {refusal.message}".rstrip())


async def _pod(kubernetes: client.Cluster, namespace: str, name: str) -> tuple[Object, str]:
    """Give a pod, and why it is not there where it is one that would be made."""
    body = await kubernetes.get(PODS, namespace, name)
    if body is not None:
        return body, ""
    pods = await kubernetes.select(PODS, namespace, {})
    of_name = [each for each in pods if _made_by(each["metadata"], name)]
    if of_name:
        newest = max(of_name, key=lambda each: instant(each["metadata"]["creationTimestamp"]))
        return newest, ""
    deployment = await seen(kubernetes.get(DEPLOYMENTS, namespace, name), "", "")
    if deployment is not None and not isinstance(deployment, Unseen):
        return pod_of(deployment), refused(deployment)
    names = [each["metadata"]["name"] for each in pods]
    there = ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
    raise UnansweredError(
        f"there is no pod {name} in namespace {namespace}"
        + (f"; there are {there}." if names else ", nor any other.")
    )


def _made_by(metadata: Object, name: str) -> bool:
    """Tell whether a workload of a name made a pod; a Deployment does so by a ReplicaSet."""
    digest = (metadata.get("labels") or {}).get("pod-template-hash", "")
    owners = {each["name"] for each in metadata.get("ownerReferences") or ()}
    return bool(owners & {name, f"{name}-{digest}"})


async def _maps(kubernetes: client.Cluster, body: Object) -> Mapping[str, Mapping[str, str]]:
    """Read the ConfigMaps of a pod's variables; those that may not be read are not known."""
    namespace, names = body["metadata"]["namespace"], sorted(maps_of(body))
    found = await asyncio.gather(
        *(
            seen(kubernetes.get(CONFIG_MAPS, namespace, name), "read it", "get configmaps")
            for name in names
        )
    )
    return {
        name: each.get("data") or {}
        for name, each in zip(names, found, strict=True)
        if each is not None and not isinstance(each, Unseen)
    }


async def _owner(kubernetes: client.Cluster, body: Object) -> Owner | None:
    """Follow those that control the pod to the last whose template is known."""
    owner: Owner | None = None
    namespace = body["metadata"]["namespace"]
    while above := _controller(body["metadata"]):
        kind, name = above["kind"], above["name"]
        resource = OWNERS.get(kind)
        if resource is None or resource.api_version != above["apiVersion"]:
            return replace(owner, above=f"{kind} {name}") if owner else Owner(kind, name)
        call = kubernetes.get(resource, namespace, name)
        found = await seen(call, "read it", f"get {resource.plural}")
        if found is None or isinstance(found, Unseen):
            return Owner(kind, name)
        body = {"kind": kind, **found}
        owner = parse_owner(body)
    return owner


def _controller(metadata: Object) -> Object | None:
    references = metadata.get("ownerReferences") or ()
    return next((each for each in references if each.get("controller")), None)


async def _account(kubernetes: client.Cluster, pod: Pod) -> ServiceAccount | Unseen | None:
    what = f"read service account {pod.account} of namespace {pod.namespace}"
    call = kubernetes.get(SERVICE_ACCOUNTS, pod.namespace, pod.account)
    found = await seen(call, what, f"get serviceaccounts in {pod.namespace}")
    return found if found is None or isinstance(found, Unseen) else parse_account(found)


async def _labels(kubernetes: client.Cluster, namespace: str) -> Mapping[str, str] | Unseen:
    call = kubernetes.get(NAMESPACES, "", namespace)
    found = await seen(call, f"read namespace {namespace}", "get namespaces")
    if isinstance(found, Unseen):
        return found
    labels: Mapping[str, str] = ((found or {}).get("metadata") or {}).get("labels") or {}
    return labels


async def _hooks(kubernetes: client.Cluster) -> tuple[Hook, ...] | Unseen:
    found = await seen(
        kubernetes.select(HOOKS, "", {}),
        "list the cluster's webhooks",
        "list mutatingwebhookconfigurations",
    )
    if isinstance(found, Unseen):
        return found
    hooks = parse_hooks(found)
    ready = await asyncio.gather(*(_ready(kubernetes, each) for each in hooks))
    return tuple(replace(hook, endpoints=n) for hook, n in zip(hooks, ready, strict=True))


async def _ready(kubernetes: client.Cluster, hook: Hook) -> int | Unseen:
    """Count the addresses that the hook's service leads to; one behind a URL is not counted."""
    if hook.service is None:
        return 0
    namespace, name = hook.service
    slices = await seen(
        kubernetes.select(SLICES, namespace, {"kubernetes.io/service-name": name}),
        f"list the endpoints of namespace {namespace}",
        f"list endpointslices in {namespace}",
    )
    if isinstance(slices, Unseen):
        return slices
    return sum(
        (each.get("conditions") or {}).get("ready") is not False
        for one in slices
        for each in one.get("endpoints") or ()
    )


async def _token(kubernetes: client.Cluster, pod: Pod) -> tuple[Claims, str, Unseen | None]:
    """Have a token made with the claims of the pod's, or work them out."""
    audience = next(
        (
            each.audience
            for container in pod.containers
            if (each := pod.token_of(container)) is not None
        ),
        EXCHANGE,
    )
    call = kubernetes.token(pod.namespace, pod.account, audience=audience, seconds=SHORTEST)
    right = f"create serviceaccounts/token in {pod.namespace}"
    made = await seen(call, "have a token made", right)
    if not isinstance(made, Unseen):
        return parse_claims(made), made, None
    published = await seen(kubernetes.issuer(), "", "")
    issuer = "" if isinstance(published, Unseen) else published
    return Claims(issuer, subject(pod.namespace, pod.account), audience), "", made
