"""The operator of a cluster, as its pods run it."""

from __future__ import annotations

from dataclasses import dataclass

from chatbot_operator.kube.client import Cluster
from chatbot_operator.ports import DEPLOYMENTS, PODS, SERVICE_ACCOUNTS, Object
from chatbot_operator.settings import VARIABLES, Settings, SettingsError

LABELS = {"app.kubernetes.io/name": "chatbot-operator"}
CONTAINER = "operator"
CLIENT_ID = "azure.workload.identity/client-id"


@dataclass(frozen=True, slots=True)
class Installed:
    """An operator that is installed; `settings` None where they are wrong, as `trouble` says.

    `ready` are its pods that are ready, `wanted` how many there should be. `unsaid` are settings
    that it takes from elsewhere, whose values are not known here.
    """

    namespace: str
    image: str
    client_id: str
    wanted: int
    ready: int
    settings: Settings | None
    trouble: str = ""
    unsaid: tuple[str, ...] = ()


async def find(cluster: Cluster, namespace: str = "") -> list[Installed]:
    """Find the operators of a cluster by the label of their Deployments; raises KubernetesRefusal.

    `namespace` narrows it to one, where a person may not look everywhere.
    """
    found = []
    for deployment in await cluster.select(DEPLOYMENTS, namespace, LABELS):
        where = deployment["metadata"]["namespace"]
        pods = await cluster.select(PODS, where, LABELS)
        account = await cluster.get(SERVICE_ACCOUNTS, where, _service_account(deployment))
        found.append(installed(deployment, pods, account))
    return found


def installed(deployment: Object, pods: list[Object], account: Object | None) -> Installed:
    """Read an operator from its Deployment, its pods and its service account.

    A pod says more than the Deployment: the webhook has set the variables of Azure in it.
    """
    template = deployment["spec"]["template"]
    running = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    container = _container((running[-1:] or [template])[0])
    namespace = deployment["metadata"]["namespace"]
    annotations = ((account or {}).get("metadata") or {}).get("annotations") or {}
    client_id = annotations.get(CLIENT_ID, "")
    given = {"AZURE_CLIENT_ID": client_id} | _environment(container, namespace)
    settings, trouble = None, ""
    try:
        settings = Settings.parse(given)
    except SettingsError as error:
        trouble = str(error)
    status = deployment.get("status") or {}
    return Installed(
        namespace=namespace,
        image=container.get("image", ""),
        client_id=client_id,
        wanted=deployment["spec"].get("replicas", 1),
        ready=status.get("readyReplicas", 0),
        settings=settings,
        trouble=trouble,
        unsaid=_unsaid(container),
    )


def _service_account(deployment: Object) -> str:
    pod = deployment["spec"]["template"]["spec"]
    return str(pod.get("serviceAccountName", "default"))


def _container(pod: Object) -> Object:
    containers: list[Object] = pod["spec"]["containers"]
    return next((each for each in containers if each["name"] == CONTAINER), containers[0])


def _environment(container: Object, namespace: str) -> dict[str, str]:
    """Give the variables whose values the container itself says, and its namespace."""
    said = {each["name"]: each.get("value", "") for each in container.get("env", ())}
    return said | ({"POD_NAMESPACE": namespace} if "POD_NAMESPACE" in said else {})


def _unsaid(container: Object) -> tuple[str, ...]:
    """Name the settings that come from objects of the cluster, not from the pod itself."""
    said = {each["name"]: each for each in container.get("env", ())}
    from_elsewhere = {n for n, e in said.items() if e.get("valueFrom", {}).keys() - {"fieldRef"}}
    if container.get("envFrom"):
        from_elsewhere |= {each.name for each in VARIABLES} - said.keys()
    return tuple(each.name for each in VARIABLES if each.name in from_elsewhere)
