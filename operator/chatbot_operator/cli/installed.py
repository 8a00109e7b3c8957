"""The operator of a cluster, as its pods run it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.kube.client import Cluster
from chatbot_operator.ports import (
    ACCOUNTS,
    DEPLOYMENTS,
    PODS,
    SERVICE_ACCOUNTS,
    Object,
    Resource,
)
from chatbot_operator.settings import VARIABLES, Settings, SettingsError

LABELS = {"app.kubernetes.io/name": "chatbot-operator"}
CONTAINER = "operator"
CLIENT_ID = "azure.workload.identity/client-id"
REVIEWS: Final = Resource(
    "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False
)
INJECTED = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE")
"""Settings that the workload identity webhook gives to pods."""


@dataclass(frozen=True, slots=True)
class Installed:
    """An operator that is installed; `settings` None where they are wrong, as `trouble` says.

    `ready` are its pods that are ready, `wanted` how many there should be. `unsaid` are settings
    that it takes from elsewhere, whose values are not known here. `pods` are those that are not on
    their way out, oldest first.
    """

    namespace: str
    image: str
    client_id: str
    wanted: int
    ready: int
    settings: Settings | None
    trouble: str = ""
    unsaid: tuple[str, ...] = ()
    name: str = "chatbot-operator"
    service_account: str = "chatbot-operator"
    deployment: Object = field(default_factory=dict)
    pods: tuple[Object, ...] = ()

    def stopped(self) -> bool:
        """Tell whether its settings are unknown for nothing but that no pod of it is there."""
        return self.settings is None and not self.pods and self.planned()[0] is not None

    def planned(self) -> tuple[Settings | None, str]:
        """Read the settings of the pods to come, and what is wrong with them.

        What the webhook gives to pods is not there yet, and nothing to find fault with.
        """
        template = container(self.deployment["spec"]["template"])
        return _parsed(dict.fromkeys(INJECTED, "injected") | environment(template, self.namespace))


async def find(cluster: Cluster, namespace: str = "") -> list[Installed]:
    """Find the operators of a cluster by the label of their Deployments; raises KubernetesRefusal.

    Whoever may make a Deployment can label one so, have its things of Azure taken for an operator's
    and its identity be given rights. Beside one that may write the statuses of accounts, which only
    an operator may, one that may not is none. `namespace` narrows it to one, where a person may not
    look everywhere.
    """
    found = []
    for deployment in await cluster.select(DEPLOYMENTS, namespace, LABELS):
        where = deployment["metadata"]["namespace"]
        pods, account = await asyncio.gather(
            cluster.select(PODS, where, LABELS),
            cluster.get(SERVICE_ACCOUNTS, where, service_account(deployment)),
        )
        found.append(installed(deployment, pods, account))
    if len(found) == 1:
        return found
    may = await asyncio.gather(*(_may_write(cluster, each) for each in found))
    return [each for each, allowed in zip(found, may, strict=True) if allowed] or found


async def _may_write(cluster: Cluster, one: Installed) -> bool:
    """Tell whether it may write the status of accounts; who may not ask takes it to."""
    attributes = {
        "verb": "patch",
        "group": ACCOUNTS.group,
        "resource": ACCOUNTS.plural,
        "subresource": "status",
    }
    user = f"system:serviceaccount:{one.namespace}:{one.service_account}"
    body = {
        "apiVersion": REVIEWS.api_version,
        "kind": REVIEWS.kind,
        "metadata": {},
        "spec": {"user": user, "resourceAttributes": attributes},
    }
    try:
        answered = await cluster.create(REVIEWS, body)
    except KubernetesRefusal as refusal:
        if refusal.status != HTTPStatus.FORBIDDEN:
            raise
        return True
    return bool(answered["status"]["allowed"])


def installed(deployment: Object, pods: list[Object], account: Object | None) -> Installed:
    """Read an operator from its Deployment, its pods and its service account.

    A pod says more than the Deployment: the webhook has set the variables of Azure in it.
    """
    template = deployment["spec"]["template"]
    running = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    running.sort(key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")))
    runs = container((running[-1:] or [template])[0])
    namespace = deployment["metadata"]["namespace"]
    annotations = ((account or {}).get("metadata") or {}).get("annotations") or {}
    client_id = annotations.get(CLIENT_ID, "")
    settings, trouble = _parsed({"AZURE_CLIENT_ID": client_id} | environment(runs, namespace))
    status = deployment.get("status") or {}
    return Installed(
        namespace=namespace,
        image=runs.get("image", ""),
        client_id=client_id,
        wanted=deployment["spec"].get("replicas", 1),
        ready=status.get("readyReplicas", 0),
        settings=settings,
        trouble=trouble,
        unsaid=unsaid(runs),
        name=deployment["metadata"].get("name", ""),
        service_account=service_account(deployment),
        deployment=deployment,
        pods=tuple(running),
    )


def service_account(deployment: Object) -> str:
    """Name the service account of a Deployment's pods."""
    pod = deployment["spec"]["template"]["spec"]
    return str(pod.get("serviceAccountName", "default"))


def container(pod: Object) -> Object:
    """Give the operator's container of a pod, or of a template of pods."""
    containers: list[Object] = pod["spec"]["containers"]
    return next((each for each in containers if each["name"] == CONTAINER), containers[0])


def environment(of: Object, namespace: str) -> dict[str, str]:
    """Give the variables whose values the container itself says, and its namespace."""
    said = {each["name"]: each.get("value", "") for each in of.get("env") or ()}
    return said | ({"POD_NAMESPACE": namespace} if "POD_NAMESPACE" in said else {})


def unsaid(of: Object) -> tuple[str, ...]:
    """Name the settings that come from objects of the cluster, not from the pod itself."""
    said = {each["name"]: each for each in of.get("env", ())}
    from_elsewhere = {n for n, e in said.items() if e.get("valueFrom", {}).keys() - {"fieldRef"}}
    if of.get("envFrom"):
        from_elsewhere |= {each.name for each in VARIABLES} - said.keys()
    return tuple(each.name for each in VARIABLES if each.name in from_elsewhere)


def _parsed(given: Mapping[str, str]) -> tuple[Settings | None, str]:
    try:
        return Settings.parse(given), ""
    except SettingsError as error:
        return None, str(error)
