"""One tree, in the order in which things happen on a pod's way to a token. Pure."""

from __future__ import annotations

from chatbot_operator.cli.checks import Check, Mark, worst
from chatbot_operator.cli.command import Code
from chatbot_operator.cli.pod import (
    judging_access,
    judging_identity,
    judging_pod,
    judging_token,
    judging_webhook,
)
from chatbot_operator.cli.pod.in_azure import Azure
from chatbot_operator.cli.pod.meant import Kubectl, meant
from chatbot_operator.cli.pod.observed import Cluster
from chatbot_operator.ports import Identity


def judge(cluster: Cluster, azure: Azure, kubectl: Kubectl) -> Check:
    """Judge everything; a link that waits for another that is broken is not broken itself."""
    uses = meant(cluster)
    known = azure.identity.client_id if isinstance(azure.identity, Identity) else ""
    first = (
        judging_pod.label(cluster, kubectl),
        judging_pod.service_account(cluster, uses, known, kubectl),
        judging_webhook.webhook(cluster, kubectl),
    )
    below = (
        judging_pod.pod(cluster, worst(first), kubectl),
        *first,
        judging_webhook.injection(cluster, uses, worst(first), kubectl),
        judging_token.token(cluster),
        judging_token.issuer(cluster, azure),
        judging_identity.identity(cluster, azure, kubectl),
        judging_token.tenant(cluster, azure, kubectl),
        judging_identity.credential(cluster, azure),
        judging_access.role(azure),
        *judging_access.account(cluster, azure, kubectl),
        judging_access.exchange(azure),
    )
    name = f"pod {cluster.pod.namespace}/{cluster.pod.name}"
    return Check(name, worst(each for check in below for each in check.all()), below=below)


def code(tree: Check) -> Code:
    """Give what the program ends with."""
    if tree.mark in {Mark.WRONG, Mark.WAITING}:
        return Code.FOUND
    return Code.UNANSWERED if tree.mark is Mark.UNKNOWN else Code.FINE
