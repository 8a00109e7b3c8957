"""Reasons for what a chatbot's own pods report, and Entra and the account through them."""

from __future__ import annotations

from typing import Final

from chatbot_operator.errors.faults import Pending, Stuck
from chatbot_operator.errors.reasons.reason import Reason

PROOF: Final = (
    Reason("Proving", Pending, "The pod has not tried yet.", "Wait: it tries soon."),
    Reason(
        "RolePropagating",
        Pending,
        "Azure is spreading the role assignment.",
        "Wait: it takes up to ten minutes.",
    ),
    Reason(
        "RoleMisconfigured",
        Stuck,
        "The account still refuses the pod although the role was assigned long enough ago.",
        "Look for a deny assignment, and compare cloud and tenant of cluster and account.",
    ),
    Reason(
        "FederationPropagating",
        Pending,
        "Entra is spreading the federated credential or the identity itself.",
        "Wait: it takes up to some minutes.",
    ),
    Reason(
        "FederationMisconfigured",
        Stuck,
        "Entra finds no federated credential for the pod's token.",
        "Compare issuer, subject and audience of the token with those of the credential; check"
        " that the pod's tenant is the identity's.",
    ),
    Reason(
        "IdentityUnknownToEntra",
        Stuck,
        "Entra does not know the identity's client id in this tenant.",
        "Check that the tenant the webhook gives to pods is the one of the subscription.",
    ),
    Reason(
        "ClockSkew",
        Stuck,
        "Entra finds the pod's token expired or not yet valid.",
        "Set the clocks of the node and of the API server right; a token that expired is replaced"
        " by the kubelet.",
    ),
    Reason(
        "IssuerUnreachable",
        Stuck,
        "Entra cannot fetch the cluster's OIDC discovery document or its keys.",
        "Publish the issuer's /.well-known/openid-configuration and its keys on the Internet; on"
        " AKS enable the OIDC issuer.",
    ),
    Reason(
        "TokenMalformed",
        Stuck,
        "Entra cannot verify the pod's token: it is malformed, or signed with another key.",
        "Check that the keys the issuer publishes are those of the API server.",
    ),
    Reason(
        "TenantNotFound",
        Stuck,
        "Entra has no such tenant in this cloud.",
        "Check the tenant that the webhook gives to pods, and the authority of the cloud.",
    ),
    Reason(
        "TokenMissing",
        Stuck,
        "The pod sent Entra no token.",
        "Delete the pod; check that the webhook projects a token into it.",
    ),
    Reason(
        "NotInjected",
        Stuck,
        "The workload identity webhook did not mutate the pod.",
        "Enable workload identity on the cluster (`az aks update --enable-oidc-issuer"
        " --enable-workload-identity`). The operator restarts such pods, three an hour; then"
        " delete them yourself.",
    ),
    Reason(
        "WrongPrincipal",
        Stuck,
        "The pod's token is that of another identity.",
        "Delete the pod.",
    ),
    Reason(
        "TokenRejected",
        Stuck,
        "The account refuses the pod's token.",
        "Check the data scope and the tenant, and that a gateway in between passes the token on.",
    ),
    Reason(
        "NetworkDenied",
        Stuck,
        "The account's firewall refuses the pod.",
        "Allow the cluster's outbound addresses or use a private endpoint.",
    ),
    Reason(
        "SubdomainMissing",
        Stuck,
        "The account has no custom subdomain, so it refuses Entra tokens.",
        "Give it one: `az cognitiveservices account update --custom-domain`.",
    ),
    Reason(
        "DeploymentNotFound",
        Stuck,
        "The account has no model deployment of this name.",
        "Name another in spec.openAI.deployment, or create it.",
    ),
    Reason(
        "DeploymentNotForChat",
        Stuck,
        "The model deployment answers no chats: it makes embeddings, images or speech.",
        "Name another in spec.openAI.deployment.",
    ),
    Reason(
        "Misconfigured",
        Stuck,
        "The chatbot cannot read one of its settings.",
        "Read which one below; with the operator's own image it is a bug.",
    ),
    Reason(
        "UnknownReadiness",
        Stuck,
        "A pod answers something that the operator does not know.",
        "Use a chatbot image of the operator's version.",
    ),
    Reason(
        "AuthorityUnreachable",
        Pending,
        "The pod cannot reach Entra, or Entra fails.",
        "Wait; if it lasts, let pods reach the authority: egress rules, proxy, DNS.",
    ),
    Reason(
        "EndpointUnreachable",
        Pending,
        "The pod cannot reach the account.",
        "Wait; if it lasts, let pods reach the endpoint: egress rules, private DNS.",
    ),
    Reason(
        "Throttled",
        Pending,
        "The account takes no more requests for now.",
        "Wait; if it lasts, give the deployment more capacity.",
    ),
    Reason(
        "ServiceError",
        Pending,
        "The account fails.",
        "Wait; if it lasts, look at Azure's status page.",
    ),
    Reason(
        "PodsSilent",
        Pending,
        "No pod answers the operator, though the kubelet finds them ready.",
        "Let the operator reach port 8088 of the pods.",
    ),
)
