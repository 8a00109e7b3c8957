"""The identity that the pod becomes, and the credential that lets it. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import Final

from chatbot_operator import az
from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.pod.differences import difference, nearest, slip
from chatbot_operator.cli.pod.in_azure import Azure, short
from chatbot_operator.cli.pod.judging_pod import annotate, unknown
from chatbot_operator.cli.pod.meant import Kubectl, restart
from chatbot_operator.cli.pod.observed import GUID, Cluster, Unseen
from chatbot_operator.ports import Credential, Identity

LIMIT: Final = 20
"""Federated credentials that an identity may have."""
NEARLY: Final = 18
_NAME: Final = 120
"""Characters of a credential's name."""
CODES: Final = {
    "issuer": ("AADSTS700211", "no credential of the identity names the token's issuer"),
    "subject": ("AADSTS700213", "none with that issuer names the token's subject"),
    "audience": ("AADSTS700212", "the one with that issuer and subject names another audience"),
}
ASKED: Final = "{name:displayName,type:servicePrincipalType,resource:alternativeNames}"
OF_APP: Final = "az ad app federated-credential list"
ONLY_CASE: Final = "AADSTS7002138"


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
    claims = cluster.claims
    wanted = Credential(
        _free_name(cluster, held), claims.issuer, claims.subject, (claims.audience,)
    )
    near = _full(held)
    if not claims.issuer:
        return _without_issuer(held, wanted)
    matching = [each for each in held if not _differing(each, wanted)]
    if matching:
        return Check(
            "federated credential",
            Mark.OK,
            f"{matching[0].name} is equal to the token in issuer, subject and audience",
            below=near,
        )
    return _missing(found, held, wanted, near)


def _without_issuer(held: tuple[Credential, ...], wanted: Credential) -> Check:
    """Judge what can be judged while nobody knows the token's issuer."""
    rest = [each for each in held if set(_differing(each, wanted)) == {"issuer"}]
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


def _missing(
    identity: Identity, held: tuple[Credential, ...], wanted: Credential, near: tuple[Check, ...]
) -> Check:
    """Say what Entra says, why, and how to write the credential that lacks."""
    code, meaning, left = _narrowed(held, wanted)
    closest = nearest(left, wanted)
    differing = _differing(closest, wanted) if closest else {}
    shown = tuple(
        Check(what, Mark.NOTE, f"{has}: {difference(has, should)}", facts={"expected": should})
        for what, (has, should) in differing.items()
    )
    fix = "Let this service account be the identity, if it is meant to:"
    command = az.create_credential(identity.id, wanted)
    if closest and all(_mends(what, *pair) for what, pair in differing.items()):
        fix = f"Put credential {closest.name} right:"
        command = az.update_credential(identity.id, wanted, closest.name)
    elif len(held) >= LIMIT:
        fix = f"The identity has {LIMIT} credentials, the most there may be. Delete one, then:"
    nearest_is = f"; nearest is {closest.name}" if closest else ""
    return Check(
        "federated credential",
        Mark.WRONG,
        f"{code}: {meaning}{nearest_is}",
        cause="Entra compares issuer, subject and audience byte for byte, and takes up to some"
        " minutes to hear of a change.",
        fix=fix,
        commands=(command,),
        facts={"iss": wanted.issuer, "sub": wanted.subject, "aud": wanted.audiences[0]},
        below=(*shown, *near),
    )


def _narrowed(
    held: tuple[Credential, ...], wanted: Credential
) -> tuple[str, str, tuple[Credential, ...]]:
    """Give code and meaning of what Entra says, and the credentials that came as far as that."""
    if not held:
        return "AADSTS70025", "the identity has no federated credential", ()
    left = held
    for what, (code, meaning) in CODES.items():
        fitting = tuple(each for each in left if what not in _differing(each, wanted))
        if not fitting:
            cases = [_differing(each, wanted)[what] for each in left]
            if any(has != should and has.lower() == should.lower() for has, should in cases):
                return ONLY_CASE, f"the {what} differs from the token's in case only", left
            return code, meaning, left
        left = fitting
    raise AssertionError("a credential matches")


def _differing(has: Credential, wanted: Credential) -> dict[str, tuple[str, str]]:
    """Give what differs, as it is and as it should be."""
    audience = wanted.audiences[0]
    pairs = {
        "issuer": (has.issuer, wanted.issuer),
        "subject": (has.subject, wanted.subject),
        "audience": (audience if audience in has.audiences else " ".join(has.audiences), audience),
    }
    return {what: pair for what, pair in pairs.items() if pair[0] != pair[1]}


def _mends(what: str, has: str, should: str) -> bool:
    """Tell whether a credential may be changed: nobody else can be meant by what it says.

    Another issuer or subject is another cluster's or service account's. One of equal issuer and
    subject has to be changed: Azure lets no second one be.
    """
    return what == "audience" or slip(has, should)


def _full(held: tuple[Credential, ...]) -> tuple[Check, ...]:
    if len(held) < NEARLY:
        return ()
    said = f"the identity has {len(held)} of {LIMIT} credentials"
    return (Check("limit", Mark.NOTE, said),)


def _free_name(cluster: Cluster, held: Iterable[Credential]) -> str:
    """Name a credential as no other of the identity is: 3 to 120 letters, digits and dashes."""
    of = cluster.pod
    name = re.sub(r"[^a-zA-Z0-9-]", "-", f"{of.namespace}-{of.account}")[: _NAME - 3]
    taken = {each.name.lower() for each in held}
    numbered = (name, *(f"{name}-{number}" for number in range(2, LIMIT + 2)))
    return next(each for each in numbered if each.lower() not in taken)
