"""Ways out of what happens to a chatbot's objects and pods in the cluster. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from chatbot_operator.cli.checks import Way
from chatbot_operator.cli.why.remedies.azure import look_into_operator
from chatbot_operator.cli.why.remedies.known import ANYBODY, CLUSTER, TEAM, Known, Remedy

ROLLOUT_SECONDS: Final = 1800.0
"""PROGRESS_DEADLINE_SECONDS of a chatbot's Deployment: then it is RolloutStalled."""
_PROMPT: Final = "You are a helpful assistant."


def prompt_missing(known: Known) -> Iterator[Way]:
    """Make the ConfigMap, or the key in it."""
    source = known.chatbot.chat.prompt_from if known.chatbot else None
    name, key = source or ("NAME", "KEY")
    if "has no key" in known.message:
        data = known.here(
            *("patch", "configmap", name, "--type=merge", "-p"),
            f'{{"data":{{"{key}":"{_PROMPT}"}}}}',
        )
        yield Way(TEAM, "add the key, with your own words.", (data,))
    else:
        data = known.here("create", "configmap", name, f"--from-literal={key}={_PROMPT}")
        yield Way(TEAM, "create it, with your own words.", (data,))


def prompt_long(known: Known) -> Iterator[Way]:
    """Shorten the prompt."""
    source = known.chatbot.chat.prompt_from if known.chatbot else None
    name = source[0] if source else "NAME"
    yield Way(TEAM, "shorten it.", (known.here("edit", "configmap", name),))


def refused(known: Known) -> Iterator[Way]:
    """Look at what a cluster refuses by."""
    yield Way(
        TEAM,
        "look at the quotas of the namespace, and change the field that is named above.",
        (
            known.here("get", "resourcequotas,limitranges"),
            known.here("edit", "chatbot", known.name),
        ),
    )
    yield from look_into_operator(known)


def mutated(known: Known) -> Iterator[Way]:
    """Find the webhook that changes it."""
    listed = known.kubectl("get", "mutatingwebhookconfigurations")
    yield Way(CLUSTER, "find the webhook or policy, and have it leave the object alone.", (listed,))


def leaving(known: Known) -> Iterator[Way]:
    """See what holds it."""
    path = "jsonpath={.metadata.finalizers}"
    commands = (
        known.here("get", "deployment,service,serviceaccount,configmap", known.name),
        known.here("get", "deployment", known.name, "-o", path),
    )
    yield Way(ANYBODY, "see what is still there, and which finalizer holds it.", commands)


def namespace_leaving(known: Known) -> Iterator[Way]:
    """See what holds the namespace."""
    path = "jsonpath={.status.conditions}"
    command = known.kubectl("get", "namespace", known.namespace, "-o", path)
    yield Way(ANYBODY, "see what the namespace waits for.", (command,))


def address(known: Known) -> Iterator[Way]:
    """Read what the cloud says of the load balancer."""
    yield Way(ANYBODY, "read its events.", (known.here("describe", "service", known.name),))


def route(known: Known) -> Iterator[Way]:
    """Compare the route with the Gateways."""
    commands = (
        known.here("describe", "httproute", known.name),
        known.kubectl("get", "gateways", "-A"),
    )
    yield Way(TEAM, "compare spec.httpRoute with the listeners of the Gateway.", commands)


def gateway_api(known: Known) -> Iterator[Way]:
    """Leave the route out, or have the Gateway API installed."""
    command = known.patch_chatbot({"op": "remove", "path": "/spec/httpRoute"})
    yield Way(TEAM, "leave the route out.", (command,))
    install = known.kubectl(
        *("apply", "--server-side", "-f"),
        "https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.3.0/standard-install.yaml",
    )
    yield Way(CLUSTER, "or install the Gateway API.", (install,))


def look_at_pods(known: Known) -> Iterator[Way]:
    """Read what the scheduler and the kubelet say."""
    commands = (
        known.here("get", "pods", "-l", known.labels, "-o", "wide"),
        known.here("describe", known.pod),
    )
    yield Way(ANYBODY, "read the events of the pods.", commands)


def stalled(known: Known) -> Iterator[Way]:
    """Read what pods say, and what is said of them."""
    yield from look_at_pods(known)
    yield Way(ANYBODY, "read what it says itself.", (known.here("logs", known.pod, "--tail=50"),))


def scale_up(known: Known) -> Iterator[Way]:
    """Have a pod."""
    command = known.here("scale", "chatbot", known.name, "--replicas=1")
    yield Way(TEAM, "have a pod run.", (command,))


def image(known: Known) -> Iterator[Way]:
    """Take the operator's image if it was another one; read what the registry says."""
    if known.chatbot and known.chatbot.image:
        plain = known.patch_chatbot({"op": "remove", "path": "/spec/image"})
        yield Way(TEAM, "correct spec.image, or take the operator's own.", (plain,))
    else:
        look = known.kubectl("get", "deployment", "-n", known.home, "-o", "wide")
        yield Way(CLUSTER, "see whether the nodes may pull CHATBOT_IMAGE of the operator.", (look,))
    yield Way(ANYBODY, "read what the registry says.", (known.here("describe", known.pod),))


def config(known: Known) -> Iterator[Way]:
    """Read what is missing."""
    commands = (known.here("describe", known.pod), known.here("get", "configmap", known.name))
    yield Way(ANYBODY, "read what it mounts, and is not there.", commands)


def crash(known: Known) -> Iterator[Way]:
    """Read its last words."""
    commands = (
        known.here("logs", known.pod, "--previous", "--tail=50"),
        known.here("describe", known.pod),
    )
    yield Way(ANYBODY, "read its last words, and how it ended.", commands)


def foreign(known: Known) -> Iterator[Way]:
    """See what was put in."""
    get = known.here("get", "deployment", known.name, "-o", "yaml", "--show-managed-fields")
    yield Way(TEAM, "see who put it there, and take it out if it is not yours.", (get,))


def pods_refused(known: Known) -> Iterator[Way]:
    """Read what refuses them."""
    commands = (
        known.here("describe", "replicasets", "-l", known.labels),
        known.here("get", "resourcequotas,limitranges"),
    )
    yield Way(TEAM, "read which policy or quota refuses them, and have it changed.", commands)


def webhook(known: Known) -> Iterator[Way]:
    """Get the webhook to run."""
    labels = "azure-workload-identity.io/system=true"
    commands = (
        known.kubectl("get", "pods", "-n", "kube-system", "-l", labels),
        known.kubectl("get", "mutatingwebhookconfigurations"),
        known.kubectl("chatbot", "doctor"),
    )
    yield Way(CLUSTER, "get the webhook that is named above to run.", commands)


def unsuspend(known: Known) -> Iterator[Way]:
    """Let the operator go on."""
    yield Way(TEAM, "let the operator go on.", (known.merge_chatbot({"suspend": False}),))


CLUSTER_REFUSES: Final[Mapping[str, Remedy]] = {
    "PromptNotFound": Remedy(prompt_missing),
    "PromptTooLong": Remedy(prompt_long),
    "ClusterUnavailable": Remedy(look_into_operator, within=300),
    "ClusterRefused": Remedy(refused),
    "MutatedByAdmission": Remedy(mutated),
    "NamespaceLeaving": Remedy(namespace_leaving, within=300),
    "ChildLeaving": Remedy(leaving, within=60),
    "AddressPending": Remedy(address, within=300),
    "RoutePending": Remedy(route, within=60),
    "RouteNotAccepted": Remedy(route),
    "GatewayApiMissing": Remedy(gateway_api),
    "PodsStarting": Remedy(look_at_pods, within=300),
    "RollingOut": Remedy(look_at_pods, within=ROLLOUT_SECONDS),
    "RolloutStalled": Remedy(stalled),
    "ScaledToZero": Remedy(scale_up),
    "ImagePullFailed": Remedy(image),
    "ContainerConfigError": Remedy(config),
    "CrashLoop": Remedy(crash),
    "ForeignContent": Remedy(foreign),
    "PodsRefused": Remedy(pods_refused),
    "WebhookUnavailable": Remedy(webhook),
    "PodsLeaving": Remedy(look_at_pods, within=90),
    "ObjectsLeaving": Remedy(leaving, within=120),
    "Suspended": Remedy(unsuspend),
}
