"""The pod's token, who issues it, and the tenant that it is for. Pure."""

from __future__ import annotations

import datetime as dt
from typing import Final
from urllib.parse import urlsplit

from chatbot_operator.cli.checks import Check, Mark, worst
from chatbot_operator.cli.pod.differences import difference
from chatbot_operator.cli.pod.in_azure import Azure
from chatbot_operator.cli.pod.judging_pod import unknown
from chatbot_operator.cli.pod.meant import Kubectl, restart, users
from chatbot_operator.cli.pod.observed import GUID, TENANT_ID, Claims, Cluster, Unseen
from chatbot_operator.ports import Identity

TOLERATED: Final = dt.timedelta(minutes=5)
"""By which clocks may differ before Entra refuses a token (AADSTS700024)."""
NOTICED: Final = dt.timedelta(minutes=1)
"""Both times are in whole seconds, and some seconds pass between asking for them."""
INSIDE: Final = (".svc", ".svc.cluster.local")


def token(cluster: Cluster) -> Check:
    """Say what Entra compares of the pod's token."""
    claims = cluster.claims
    facts = {"iss": claims.issuer, "sub": claims.subject, "aud": claims.audience}
    below = _claimed(claims)
    asked = _asked(cluster)
    found = f"for {claims.audience}{asked}"
    if cluster.pod.bound:
        found += "; it goes by an AKS identity binding, which exchanges another one"
    if cluster.trouble is None:
        expires = claims.expires.isoformat() if claims.expires else ""
        return Check("token", Mark.OK, found, facts={**facts, "exp": expires}, below=below)
    if not claims.issuer:
        trouble = cluster.trouble
        return Check(
            "token",
            Mark.UNKNOWN,
            f"{found}; its issuer is {trouble.why}",
            fix=trouble.fix,
            commands=trouble.commands,
            facts=facts,
            below=below,
        )
    found += f"; worked out, for a token itself is {cluster.trouble.why}"
    return Check("token", Mark.NOTE, found, facts=facts, below=below)


def _asked(cluster: Cluster) -> str:
    lives = {
        each.seconds
        for container in users(cluster)
        if (each := cluster.pod.token_of(container)) is not None
    }
    return "".join(f", {seconds} seconds long" for seconds in sorted(lives))


def _claimed(claims: Claims) -> tuple[Check, ...]:
    said = (("iss", claims.issuer), ("sub", claims.subject), ("aud", claims.audience))
    return tuple(Check(name, Mark.NOTE, value) for name, value in said if value)


def issuer(cluster: Cluster, azure: Azure) -> Check:
    """Judge whether Entra can verify the token with what its issuer publishes."""
    claims, published = cluster.claims, azure.published
    if not claims.issuer:
        return Check("issuer", Mark.UNKNOWN, "not looked at: which one is not known")
    host = urlsplit(claims.issuer).hostname or ""
    if host.endswith(INSIDE):
        return Check(
            "issuer",
            Mark.WRONG,
            f"{claims.issuer} is an address inside the cluster",
            cause="Entra cannot reach it (AADSTS90061): the cluster has no public OIDC issuer.",
            fix="On AKS: `az aks update --name CLUSTER --resource-group GROUP"
            " --enable-oidc-issuer`. Elsewhere: the API server's --service-account-issuer.",
        )
    if isinstance(published, Unseen):
        return unknown("issuer", published)
    differs = difference(published.issuer, claims.issuer)
    if differs:
        return Check(
            "issuer",
            Mark.WRONG,
            f"it calls itself {published.issuer}: {differs}",
            cause="Entra compares its own name with the token's iss, byte for byte (AADSTS50027,"
            " AADSTS90061).",
            fix="Publish the discovery document with the issuer's name as the API server has it.",
            facts={"expected": claims.issuer, "found": published.issuer},
        )
    if claims.key and claims.key not in published.keys:
        return Check(
            "issuer",
            Mark.WRONG,
            f"it does not publish key {claims.key}, by which the token is signed",
            cause="Entra cannot verify the token (AADSTS50027).",
            fix="Publish the keys of the API server (`kubectl get --raw /openid/v1/jwks`); where it"
            " has just got another, wait.",
            facts={"expected": claims.key, "found": " ".join(sorted(published.keys))},
        )
    return Check("issuer", Mark.OK, f"{claims.issuer} answers here, and publishes its keys")


def tenant(cluster: Cluster, azure: Azure, kubectl: Kubectl) -> Check:
    """Judge the tenant that the pod asks."""
    if not azure.tenant:
        return Check("tenant", Mark.UNKNOWN, "not looked at: none is known")
    identity, tenancy = azure.identity, azure.tenancy
    if isinstance(identity, Identity) and _another(azure.tenant, identity.tenant_id):
        where = ("serviceaccount", cluster.pod.account, "-n", cluster.pod.namespace)
        note = f"{TENANT_ID}={identity.tenant_id}"
        return Check(
            "tenant",
            Mark.WRONG,
            f"the pod asks tenant {azure.tenant}, but its identity is of {identity.tenant_id}",
            cause="Entra finds nobody of that client id there (AADSTS700016).",
            fix="Name the identity's own tenant; then the pod has to be made anew.",
            commands=(
                kubectl("annotate", *where, note, "--overwrite"),
                restart(cluster, kubectl),
            ),
            facts={"expected": identity.tenant_id, "found": azure.tenant},
        )
    if isinstance(tenancy, Unseen):
        return unknown("tenant", tenancy)
    if tenancy.code:
        return Check(
            "tenant",
            Mark.WRONG,
            f"{azure.authority} has no tenant {azure.tenant} ({tenancy.code})",
            fix=f"Put {TENANT_ID} of the service account right, or the webhook's own tenant.",
        )
    clock = _clock(cluster, azure)
    return Check("tenant", worst(clock), f"{azure.tenant} at {azure.authority}", below=clock)


def _another(tenant: str, own: str) -> bool:
    """Tell whether a tenant is another; one that is named by its domain may be the same."""
    return bool(GUID.fullmatch(tenant)) and tenant.lower() != own.lower()


def _clock(cluster: Cluster, azure: Azure) -> tuple[Check, ...]:
    """Judge how the API server's clock stands to Entra's."""
    at = None if isinstance(azure.tenancy, Unseen) else azure.tenancy.at
    if at is None or cluster.claims.issued is None:
        return ()
    ahead = cluster.claims.issued - at
    if abs(ahead) < NOTICED:
        return (Check("clock", Mark.OK, "the API server's is as Entra's"),)
    seconds = abs(round(ahead.total_seconds()))
    way = "ahead of" if ahead > dt.timedelta() else "behind"
    return (
        Check(
            "clock",
            Mark.WRONG if abs(ahead) > TOLERATED else Mark.NOTE,
            f"the API server's is {seconds} s {way} Entra's",
            cause="Entra takes a token only while it is valid by its own clock (AADSTS700024).",
            fix="Set the clock of the control plane's machines.",
        ),
    )
