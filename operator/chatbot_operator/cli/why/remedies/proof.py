"""Ways out of what a chatbot's pods report, and Entra and the account through them. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Final

from chatbot_operator.cli.checks import Way
from chatbot_operator.cli.why.remedies.account import deployments_of, network, subdomain
from chatbot_operator.cli.why.remedies.known import (
    ANYBODY,
    AZURE,
    CLUSTER,
    TEAM,
    Known,
    Remedy,
    az,
)
from chatbot_operator.cli.why.remedies.permission import take_deployment

PROPAGATION_SECONDS: Final = 900.0
"""PROPAGATION_DEADLINE_SECONDS, as long as the operator's setting says nothing else."""
_DENY: Final = "providers/Microsoft.Authorization/denyAssignments?api-version=2022-04-01"


def logs(known: Known) -> Iterator[Way]:
    """Read what the pod says."""
    command = known.here("logs", known.pod, "--tail=50")
    yield Way(ANYBODY, "read what the pod says.", (command,))


def explain_pod(known: Known) -> Iterator[Way]:
    """Compare the pod's own token with what Azure holds."""
    what = f"pod/{known.pods[0]}" if known.pods else "pod/NAME"
    commands = (
        known.here("chatbot", "why", what),
        az("identity", "federated-credential", "list", *known.of_identity("--identity-name")),
    )
    yield Way(ANYBODY, "compare the pod's token with the identity's credentials.", commands)


def role(known: Known) -> Iterator[Way]:
    """See what the identity holds on the account, and what denies it."""
    scope, who = known.account_id or "ACCOUNT_ID", known.principal_id or "PRINCIPAL_ID"
    held = az(
        *("role", "assignment", "list", "--assignee", who, "--scope", scope),
        *("--include-inherited", "-o", "table"),
    )
    denied = az("rest", "--method", "get", "--uri", f"{scope}/{_DENY}")
    yield Way(AZURE, "see what the identity holds there, and what denies it.", (held, denied))


def make_anew(known: Known) -> Iterator[Way]:
    """Have pods made anew: tokens and variables come when they are made."""
    command = known.here("delete", "pods", "-l", known.labels)
    yield Way(TEAM, "have the pods made anew.", (command,))


def anew_then_explain(known: Known) -> Iterator[Way]:
    """Pods first, then what they present."""
    yield from make_anew(known)
    yield from explain_pod(known)


def tenant(known: Known) -> Iterator[Way]:
    """Compare the tenants."""
    show = az("account", "show", *known.subscription, "--query", "tenantId", "-o", "tsv")
    yield Way(CLUSTER, "compare this tenant with the one that the webhook gives to pods.", (show,))
    yield from explain_pod(known)


def clock(known: Known) -> Iterator[Way]:
    """Find the clock that is wrong; then a new token."""
    lease = "custom-columns=NODE:.metadata.name,RENEWED:.spec.renewTime"
    nodes = known.kubectl("get", "leases", "-n", "kube-node-lease", "-o", lease)
    yield Way(CLUSTER, "find the node whose clock is wrong, and set it right.", (nodes, "date -u"))
    yield from make_anew(known)


def issuer(known: Known) -> Iterator[Way]:
    """See what the world sees of the issuer."""
    at = (known.chatbot.recorded.issuer if known.chatbot else "").rstrip("/") or "ISSUER"
    document = f"{at}/.well-known/openid-configuration"
    yield Way(
        CLUSTER,
        "see from outside whether the issuer is published, with the keys of the API server.",
        (
            shlex.join(("curl", "-fsS", document)),
            known.kubectl("get", "--raw", "/openid/v1/jwks"),
            known.kubectl("chatbot", "doctor"),
        ),
    )


def not_injected(known: Known) -> Iterator[Way]:
    """See whether the webhook is there, then have the pods made anew."""
    labels = "azure-workload-identity.io/system=true"
    commands = (
        known.kubectl("chatbot", "doctor"),
        known.kubectl("get", "mutatingwebhookconfigurations"),
        known.kubectl("get", "pods", "-n", "kube-system", "-l", labels),
    )
    yield Way(CLUSTER, "see that the workload identity webhook runs.", commands)
    yield from make_anew(known)


def other_deployment(known: Known) -> Iterator[Way]:
    """Take a deployment that there is and that chats, or make this one."""
    if known.account:
        found = known.account.status.get("deployments", ())
        there = frozenset(each["name"] for each in found if each.get("chat", True))
        yield from take_deployment(known, there & known.account.deployments or there)
    yield from deployments_of(known)


def own_image(known: Known) -> Iterator[Way]:
    """Take the image that fits the operator."""
    if known.chatbot and known.chatbot.image:
        plain = known.patch_chatbot({"op": "remove", "path": "/spec/image"})
        yield Way(TEAM, "take the operator's own image.", (plain,))
    yield from logs(known)


def ways_out(known: Known) -> Iterator[Way]:
    """See what keeps the pod from getting out."""
    yield from logs(known)
    command = known.here("get", "networkpolicies")
    yield Way(
        CLUSTER, "let pods out to it: egress rules, proxy, DNS, private endpoints.", (command,)
    )


def capacity(known: Known) -> Iterator[Way]:
    """See how much the deployment takes."""
    name = known.chatbot.deployment if known.chatbot else "NAME"
    show = az(
        *("cognitiveservices", "account", "deployment", "show", *known.of_account),
        *("--deployment-name", name),
    )
    yield Way(AZURE, "look at sku.capacity, thousands of tokens a minute; give it more.", (show,))


def silent(known: Known) -> Iterator[Way]:
    """See which policy keeps the operator out."""
    command = known.here("get", "networkpolicies", "-o", "yaml")
    yield Way(CLUSTER, "let the operator reach port 8088 of the pods.", (command,))


def share_no_account(known: Known) -> Iterator[Way]:
    """See which pods run with the chatbot's service account."""
    columns = "custom-columns=POD:.metadata.name,ACCOUNT:.spec.serviceAccountName"
    command = known.here("get", "pods", "-o", columns)
    yield Way(
        TEAM, "give the pods that are named above a service account of their own.", (command,)
    )


PROOF: Final[Mapping[str, Remedy]] = {
    "Proving": Remedy(logs, within=120),
    "AwaitingProof": Remedy(logs, within=PROPAGATION_SECONDS),
    "RolePropagating": Remedy(role, within=PROPAGATION_SECONDS),
    "RoleMisconfigured": Remedy(role),
    "FederationPropagating": Remedy(explain_pod, within=PROPAGATION_SECONDS),
    "FederationMisconfigured": Remedy(explain_pod),
    "IdentityUnknownToEntra": Remedy(tenant),
    "ClockSkew": Remedy(clock),
    "IssuerUnreachable": Remedy(issuer),
    "TokenMalformed": Remedy(issuer),
    "TenantNotFound": Remedy(tenant),
    "TokenMissing": Remedy(anew_then_explain),
    "NotInjected": Remedy(not_injected),
    "WrongPrincipal": Remedy(anew_then_explain),
    "TokenRejected": Remedy(tenant),
    "NetworkDenied": Remedy(network),
    "SubdomainMissing": Remedy(subdomain),
    "DeploymentNotFound": Remedy(other_deployment),
    "DeploymentNotForChat": Remedy(other_deployment),
    "Misconfigured": Remedy(own_image),
    "UnknownReadiness": Remedy(own_image),
    "AuthorityUnreachable": Remedy(ways_out, within=300),
    "EndpointUnreachable": Remedy(ways_out, within=300),
    "Throttled": Remedy(capacity, within=600),
    "ServiceError": Remedy(logs, within=600),
    "PodsSilent": Remedy(silent, within=120),
    "SharedServiceAccount": Remedy(share_no_account),
}
