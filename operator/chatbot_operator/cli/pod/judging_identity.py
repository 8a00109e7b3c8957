"""The identity that the pod becomes, and the credential that lets it. Pure."""

from __future__ import annotations

import shlex
from typing import Final

from chatbot_operator.cli import federation
from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.pod.in_azure import Azure, short
from chatbot_operator.cli.pod.judging_pod import annotate, unknown
from chatbot_operator.cli.pod.meant import Kubectl, restart
from chatbot_operator.cli.pod.observed import GUID, Cluster, Unseen
from chatbot_operator.ports import Credential, Identity

ASKED: Final = "{name:displayName,type:servicePrincipalType,resource:alternativeNames}"
OF_APP: Final = "az ad app federated-credential list"


def identity(cluster: Cluster, azure: Azure, kubectl: Kubectl) -> Check:
    """Judge whether somebody has the client id."""
    found = azure.identity
    if isinstance(found, Identity):
        return _found(cluster, azure.client_id, found, kubectl)
    if not GUID.fullmatch(azure.client_id):
        return Check("identity", Mark.UNKNOWN, "not looked for: no client id is known")
    if isinstance(found, Unseen):
        return unknown("identity", found)
    searched = () if isinstance(azure.subscriptions, Unseen) else azure.subscriptions
    names = ", ".join(each.name for each in searched)
    where = f"the {len(searched)} that you can read ({names})" if searched else "none"
    not_read = f"; not readable: {', '.join(azure.refused)}" if azure.refused else ""
    client = shlex.quote(azure.client_id)
    return Check(
        "identity",
        Mark.UNKNOWN,
        f"no managed identity has client id {azure.client_id}; subscriptions searched: {where}"
        f"{not_read}",
        cause="It may have been deleted (made again, it has another client id), be an app"
        " registration, or be in a subscription or tenant that you do not see.",
        fix="Name the identity that it should be by --identity ID, or ask the directory who it is:"
        " an app registration has its federated credentials there, and one of them has to name the"
        " issuer, subject and audience above.",
        commands=(f"az ad sp show --id {client} --query '{ASKED}'", f"{OF_APP} --id {client}"),
    )


def _found(cluster: Cluster, client_id: str, found: Identity, kubectl: Kubectl) -> Check:
    """Judge an identity: the pod's, or the one that it should be as the person says."""
    facts = {"id": found.id, "principalId": found.principal_id, "clientId": found.client_id}
    if not GUID.fullmatch(client_id) or client_id.lower() == found.client_id.lower():
        return Check("identity", Mark.OK, short(found.id), facts=facts)
    return Check(
        "identity",
        Mark.WRONG,
        f"{short(found.id)} has client id {found.client_id}, but the pod uses {client_id}",
        cause="An identity that is deleted and made again has another client id (AADSTS700016).",
        fix="Have the service account name it; then the pod has to be made anew.",
        commands=(annotate(cluster, found.client_id, kubectl), restart(cluster, kubectl)),
        facts=facts,
    )


def credential(cluster: Cluster, azure: Azure) -> Check:
    """Judge whether a credential of the identity is equal to the token, byte for byte."""
    found, held = azure.identity, azure.credentials
    if isinstance(found, Unseen) or found is None:
        return Check(
            "federated credential", Mark.UNKNOWN, "not looked for: the identity is not known"
        )
    if isinstance(held, Unseen):
        return unknown("federated credential", held)
    if cluster.pod.bound:
        return Check(
            "federated credential",
            Mark.UNKNOWN,
            "the pod goes by an AKS identity binding, whose credential AKS keeps itself",
            commands=(
                "az aks identity-binding list --cluster-name CLUSTER --resource-group GROUP",
            ),
        )
    claims, of = cluster.claims, cluster.pod
    name = federation.free_name(f"{of.namespace}-{of.account}", held)
    wanted = Credential(name, claims.issuer, claims.subject, (claims.audience,))
    if not claims.issuer:
        return _without_issuer(held, wanted)
    return federation.judge(found, held, wanted)


def _without_issuer(held: tuple[Credential, ...], wanted: Credential) -> Check:
    """Judge what can be judged while nobody knows the token's issuer."""
    rest = [each for each in held if set(federation.differing(each, wanted)) == {"issuer"}]
    if not rest:
        return Check(
            "federated credential",
            Mark.WRONG,
            f"none has subject {wanted.subject} and audience {wanted.audiences[0]}",
            cause="Entra compares issuer, subject and audience byte for byte.",
            fix="Let this service account be the identity, if it is meant to: `az identity"
            " federated-credential create`, with the cluster's issuer.",
        )
    names = ", ".join(f"{each.name} (issuer {each.issuer})" for each in rest)
    found = f"subject and audience are those of {names}; the token's issuer is not known"
    return Check("federated credential", Mark.UNKNOWN, found)
