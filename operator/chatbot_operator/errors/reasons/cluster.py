"""Reasons for what happens to a chatbot's objects and pods in the cluster."""

from __future__ import annotations

from typing import Final

from chatbot_operator.errors.faults import Pending, Stuck, Transient
from chatbot_operator.errors.reasons.reason import Reason

CLUSTER: Final = (
    Reason(
        "PromptNotFound",
        Stuck,
        "The ConfigMap that spec.chat.systemPromptFrom names is not there, or has no such key.",
        "Create it, or name another. A chatbot that serves goes on with the prompt it has.",
    ),
    Reason(
        "PromptTooLong",
        Stuck,
        "The prompt in the ConfigMap is longer than 65,536 characters.",
        "Shorten it. A chatbot that serves goes on with the prompt it has.",
    ),
    Reason(
        "ClusterUnavailable",
        Transient,
        "The Kubernetes API failed or changed under the operator's hands.",
        "Wait.",
    ),
    Reason(
        "ClusterRefused",
        Stuck,
        "The cluster refuses what the operator wrote.",
        "Change what is named below: a field of the chatbot, an admission policy, a quota or the"
        " operator's rights.",
    ),
    Reason(
        "MutatedByAdmission",
        Stuck,
        "A webhook or policy of the cluster changes what the operator writes, each time.",
        "Have it leave alone what is named below; nothing is written before that or the chatbot"
        " changes.",
    ),
    Reason(
        "NamespaceLeaving",
        Pending,
        "The namespace is being deleted and takes nothing new.",
        "Wait: the chatbot goes with it.",
    ),
    Reason("ChildLeaving", Pending, "An object is being deleted.", "Wait: it comes back."),
    Reason(
        "AddressPending",
        Pending,
        "The load balancer has no address yet.",
        "Nothing, if it passes; else look at the Service: `kubectl describe service`.",
    ),
    Reason(
        "RoutePending",
        Pending,
        "No Gateway has accepted the HTTPRoute yet.",
        "Nothing, if it passes; else see whether spec.httpRoute.parentRefs name a living Gateway.",
    ),
    Reason(
        "RouteNotAccepted",
        Stuck,
        "A Gateway does not take the HTTPRoute.",
        "Compare spec.httpRoute with the Gateway's listeners and whom they allow.",
    ),
    Reason(
        "GatewayApiMissing",
        Stuck,
        "The cluster knows no HTTPRoute.",
        "Install the Gateway API, or leave spec.httpRoute out.",
    ),
    Reason("PodsStarting", Pending, "The pods are starting.", "Wait."),
    Reason("RollingOut", Pending, "New pods replace old ones.", "Wait."),
    Reason(
        "RolloutStalled",
        Stuck,
        "The new pods did not become ready in time.",
        "Look at the pods: `kubectl describe pods`.",
    ),
    Reason(
        "ScaledToZero",
        Pending,
        "spec.replicas is 0, so nothing answers.",
        "Raise spec.replicas.",
    ),
    Reason(
        "ImagePullFailed",
        Stuck,
        "The chatbot's image cannot be pulled.",
        "Check spec.image and the right to pull it.",
    ),
    Reason(
        "ContainerConfigError",
        Stuck,
        "The container cannot be created.",
        "Read why below: most often something that it mounts is missing.",
    ),
    Reason(
        "CrashLoop",
        Stuck,
        "The chatbot ends as soon as it starts.",
        "Read its last words: `kubectl logs --previous`.",
    ),
    Reason(
        "ForeignContent",
        None,
        "Something that the operator did not put into the pods runs with the bot's identity.",
        "Take it out of the Deployment if it is not yours.",
    ),
    Reason(
        "PodsRefused",
        Stuck,
        "The cluster refuses the pods.",
        "Change the policy or the quota that is named below.",
    ),
    Reason(
        "WebhookUnavailable",
        Stuck,
        "An admission webhook that is asked about every pod does not answer, so none is made.",
        "Get the webhook that is named below to run; AKS's own for workload identity:"
        " `kubectl -n kube-system get pods -l azure-workload-identity.io/system=true`.",
    ),
    Reason("PodsLeaving", Pending, "The pods are ending.", "Wait: it takes up to 90 seconds."),
    Reason("ObjectsLeaving", Pending, "The last objects are going.", "Wait: it takes seconds."),
)
