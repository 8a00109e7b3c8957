"""ServiceAccount, ConfigMap, Deployment and Service, and whether the pods run."""

from __future__ import annotations

import re

from chatbot_operator import manifests, ports
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import REASONS, Fault, Pending, Stuck
from chatbot_operator.manifests import Wanted
from chatbot_operator.ports import Object, Readiness, World
from chatbot_operator.status import Surplus
from chatbot_operator.steps.children import OPTIONAL, bear, ensure, provide, remove
from chatbot_operator.steps.together import both, every

LEAVING_SECONDS = 90.0
"""Most answers have ended by then. A longer one goes on: Azure looks at the role when it begins."""
CLEARING_SECONDS = 120.0
"""The same, and some for what the pods were given: they hold copies."""
REST = 3600.0

_WEBHOOK_AWAY = re.compile(r'failed calling webhook "')
"""https://github.com/kubernetes/apiserver/blob/master/pkg/util/webhook/error.go"""

_BROKEN = {
    "ErrImagePull": "ImagePullFailed",
    "ImagePullBackOff": "ImagePullFailed",
    "InvalidImageName": "ImagePullFailed",
    "ErrImageNeverPull": "ImagePullFailed",
    "CreateContainerConfigError": "ContainerConfigError",
    "CreateContainerError": "ContainerConfigError",
    "RunContainerError": "ContainerConfigError",
}


async def configure(
    world: World, wanted: Wanted, *, credential_since: str, borne: list[Fault]
) -> None:
    """Write what pods read when they start, and who may reach them, before the first of them.

    `credential_since`: when the federated credential was written (RFC 3339). Into `borne` goes what
    admission undid and the proof will show to work or not; of whom is let in, it shows nothing.
    """
    chatbot = wanted.chatbot
    account = manifests.service_account(chatbot, wanted.identity)
    authorities = world.installation.outlet.authorities
    given = manifests.config_map(chatbot, since=credential_since, authorities=authorities)
    await every(
        bear(ensure(world, chatbot, ports.SERVICE_ACCOUNTS, account), borne),
        bear(ensure(world, chatbot, ports.CONFIG_MAPS, given), borne),
        provide(world, chatbot, ports.NETWORK_POLICIES, manifests.network_policy(wanted)),
    )


async def run(world: World, wanted: Wanted, *, borne: list[Fault]) -> tuple[Object, Object]:
    """Write Deployment and Service, and give them as they live; `borne` as above."""
    chatbot = wanted.chatbot
    return await both(
        bear(ensure(world, chatbot, ports.DEPLOYMENTS, manifests.deployment(wanted)), borne),
        ensure(world, chatbot, ports.SERVICES, manifests.service(chatbot)),
    )


def foreign(wanted: Wanted, live: Object, found: list[Object]) -> list[Surplus]:
    """Tell what others put into the Deployment or its pods; it acts as the chatbot."""
    names = manifests.foreign(live, found, manifests.deployment(wanted))
    if not names:
        return []
    what = "In the pods, not put there by the operator, and with the chatbot's identity"
    return [
        Surplus("ForeignContent", f"{what}: {', '.join(names)}. Take it out if it is not yours.")
    ]


async def pods(world: World, chatbot: Chatbot) -> list[Object]:
    """List the chatbot's pods; others that bear its labels are left out."""
    labels = manifests.selector(chatbot.name)
    found = await world.kubernetes.select(ports.PODS, chatbot.namespace, labels)
    return [pod for pod in found if _made_for(pod, chatbot.name)]


def _made_for(pod: Object, name: str) -> bool:
    """Tell whether a pod came from the Deployment of this name, through a ReplicaSet."""
    owners = pod["metadata"].get("ownerReferences", ())
    return any(o["kind"] == "ReplicaSet" and o["name"].startswith(f"{name}-") for o in owners)


async def stop(world: World, chatbot: Chatbot) -> None:
    """Take the chatbot off the air; raises Pending until its last pod is gone, for a while.

    A courtesy to visitors, no more: pods that will not go lose role and credential next.
    """
    kinds = (ports.HTTP_ROUTES, ports.INGRESSES, ports.SERVICES, ports.DEPLOYMENTS)
    gone = await every(*(remove(world, chatbot, kind) for kind in kinds))
    if _age(world, chatbot) < LEAVING_SECONDS and (not all(gone) or await pods(world, chatbot)):
        raise Pending("PodsLeaving", "Waiting for the pods to end.", retry_after=1)


async def silence(world: World, chatbot: Chatbot) -> None:
    """Scale the chatbot's Deployment to 0."""
    live = await world.kubernetes.get(ports.DEPLOYMENTS, chatbot.namespace, chatbot.name)
    if live is None or not manifests.owned(live, chatbot.uid) or live["spec"].get("replicas") == 0:
        return
    where = (chatbot.namespace, chatbot.name)
    await world.kubernetes.patch(ports.DEPLOYMENTS, *where, manifests.emptied(live))
    world.journal.note("Withdrawn", "Took the pods away: the account does not consent any more.")


async def clear(world: World, chatbot: Chatbot) -> None:
    """Remove what the pods were given; raises Pending until it is gone, for a while.

    What somebody else's finalizer holds goes by its owner reference when they let it.
    """
    left = (ports.SERVICE_ACCOUNTS, ports.CONFIG_MAPS, *OPTIONAL)
    gone = await every(*(remove(world, chatbot, resource) for resource in left))
    if _age(world, chatbot) < CLEARING_SECONDS and not all(gone):
        raise Pending("ObjectsLeaving", "Waiting for the last objects to go.", retry_after=0.2)


def _age(world: World, chatbot: Chatbot) -> float:
    """Tell how many seconds ago somebody deleted the chatbot."""
    begun = chatbot.deleted_at or world.now()
    return (world.now() - begun).total_seconds()


def judge(deployment: Object, live: list[Object], answers: list[Readiness]) -> str:
    """Say in words that the pods run; raises the Fault that says why they do not."""
    spec, status = deployment["spec"], deployment.get("status", {})
    wanted: int = spec["replicas"]
    if wanted == 0:
        raise Pending("ScaledToZero", "spec.replicas is 0: nothing answers.", retry_after=REST)
    available: int = status.get("availableReplicas", 0)
    rolled = (
        status.get("observedGeneration") == deployment["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
    )
    if rolled and available:
        return f"{available} of {wanted} pods are ready."
    if rolled and answers:
        return "The pods run; none is ready yet."
    _raise_if_broken(deployment, live)
    if available and live and all(manifests.current(pod, deployment) for pod in live):
        # More or fewer pods of the same template: those that are there go on serving.
        return f"{available} of {wanted} pods are ready."
    if rolled:
        raise Pending("PodsStarting", "The pods are starting.")
    raise Pending("RollingOut", f"{status.get('updatedReplicas', 0)} of {wanted} pods are new.")


def _refused(said: str) -> Stuck:
    """Say why no pod is made; the Deployment has nothing but words for it."""
    away = _WEBHOOK_AWAY.search(said)
    known = REASONS["WebhookUnavailable" if away else "PodsRefused"]
    return Stuck(known.name, f"{known.cause} {known.fix} {said}")


def _raise_if_broken(deployment: Object, live: list[Object]) -> None:
    for pod in live:
        if not manifests.current(pod, deployment):
            continue
        for container in pod.get("status", {}).get("containerStatuses", ()):
            waiting = container.get("state", {}).get("waiting", {})
            reason, message = waiting.get("reason", ""), waiting.get("message", "")
            if reason in _BROKEN:
                raise Stuck(_BROKEN[reason], f"{reason}: {message or container['image']}")
            if reason == "CrashLoopBackOff":
                raise Stuck("CrashLoop", f"The chatbot ends as soon as it starts. {message}")
    for condition in deployment.get("status", {}).get("conditions", ()):
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            raise _refused(condition.get("message", ""))
        if condition.get("reason") == "ProgressDeadlineExceeded":
            raise Stuck("RolloutStalled", condition.get("message", ""))
