"""What of all that there is in Azure is left over, of whom, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from chatbot_operator import naming
from chatbot_operator.cli.lives.leftover import Leftover, Why
from chatbot_operator.naming import Owner
from chatbot_operator.ports import Assignment, Credential, Identity
from chatbot_operator.steps.identity import made_for, retained

ALL: Final = "all"
"""Stands for every owner."""


@dataclass(frozen=True, slots=True)
class Life:
    """What the cluster has under the name of a chatbot; `uid` empty where it has none.

    `uses`: ARM ids, in lower case, of the identities that it runs as.
    """

    uid: str = ""
    namespace_gone: bool = False
    uses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen. Identities by ARM id in lower case; `shared`: the credentials of some.

    `uid` is the cluster's own, which as an owner id no other cluster has. `living` are the uids of
    all chatbots; `lives` what is there by namespace and name, for whoever is not among them and for
    owners of shared credentials.
    """

    owners: frozenset[str]
    issuer: str
    uid: str = ""
    identities: Mapping[str, Identity] = field(default_factory=dict)
    assignments: tuple[Assignment, ...] = ()
    shared: Mapping[str, tuple[Credential, ...]] = field(default_factory=dict)
    living: frozenset[str] = frozenset()
    lives: Mapping[tuple[str, str], Life] = field(default_factory=dict)


def wanted(owner: Owner, seen: Seen, asked: str) -> bool:
    """Tell whether things of this owner are asked for; empty: those of this cluster."""
    return asked == ALL or owner.cluster in ({asked} if asked else seen.owners)


def of_ours(assignment: Assignment) -> Owner | None:
    """Tell for whom an operator made an assignment, by all of its marks; None: no operator did."""
    name = naming.assignment_name(assignment.scope, assignment.principal_id)
    one = assignment.role_definition_id.lower().endswith(f"/{naming.OPENAI_USER_ROLE}")
    return Owner.described(assignment.description) if one and assignment.name == name else None


def of_shared(credential: Credential, owners: frozenset[str]) -> Owner | None:
    """Tell for whom one of these owners made a credential under an identity of others."""
    account = naming.service_account(credential.subject)
    made = (Owner(each, *account, "") for each in sorted(owners)) if account else ()
    matching = (
        each
        for each in made
        if credential.name == naming.shared_credential_name(each, credential.issuer)
    )
    return next(matching, None)


def known_owners(seen: Seen) -> frozenset[str]:
    """Give every owner id that was seen anywhere."""
    marked = [made_for(each) for each in seen.identities.values()]
    marked += [of_ours(each) for each in seen.assignments]
    return seen.owners | {each.cluster for each in marked if each}


def leftovers(seen: Seen, asked: str = "") -> list[Leftover]:
    """Give what is left over of the owners that are asked for, in the order of deletion."""
    found = [*_assignments(seen, asked), *_credentials(seen, asked), *_identities(seen, asked)]
    return sorted(found, key=_place)


def _place(one: Leftover) -> tuple[str, ...]:
    order = {"RoleAssignment": "0", "Credential": "1", "Identity": "2"}
    return (order[one.kind], one.owner.cluster, one.owner.namespace, one.owner.name, one.id.lower())


def _why(owner: Owner, seen: Seen) -> Why | None:
    """Tell why what bears a chatbot's uid is left over; None: the chatbot lives."""
    if owner.uid in seen.living:
        return None
    if owner.cluster not in seen.owners:
        return Why.OTHER_OWNER
    life = seen.lives.get((owner.namespace, owner.name))
    if life is None or life.uid == owner.uid:
        return None
    if life.uid:
        return Why.ANOTHER_LIFE
    return Why.NAMESPACE_GONE if life.namespace_gone else Why.CHATBOT_GONE


def _identities(seen: Seen, asked: str) -> Iterator[Leftover]:
    for identity in seen.identities.values():
        owner = made_for(identity)
        if owner is None or not wanted(owner, seen, asked):
            continue
        why = _why(owner, seen)
        if why is None and owner.cluster not in seen.owners:
            why = Why.ANOTHER_IDENTITY
        if why is not None:
            yield Leftover(
                of=identity,
                at=identity.id,
                owner=owner,
                why=why,
                retained=retained(identity),
                barred=_not_named_so(identity, owner) or _alive(why),
            )


def _not_named_so(identity: Identity, owner: Owner) -> str:
    if identity.name == naming.identity_name(owner):
        return ""
    return "its tags say that an operator made it, and its name that none did: look at it yourself"


def _alive(why: Why) -> str:
    return "its chatbot lives: look at it yourself" if why is Why.ANOTHER_IDENTITY else ""


def _assignments(seen: Seen, asked: str) -> Iterator[Leftover]:
    holders = {each.principal_id: each for each in seen.identities.values()}
    for assignment in seen.assignments:
        owner = of_ours(assignment)
        if owner is None or not wanted(owner, seen, asked):
            continue
        holder = holders.get(assignment.principal_id)
        holds = made_for(holder) if holder else None
        if holds and holds.uid in seen.living:
            continue  # taken over; the operator writes its own description
        why = _why(owner, seen)
        if why is None and holder is None and _lives_elsewhere(owner, seen):
            why = Why.ANOTHER_IDENTITY
        if why is not None:
            yield Leftover(
                of=assignment,
                at=assignment.scope,
                owner=owner,
                why=why,
                roles=(assignment,),
                credentials=None if holder else (),
            )


def _lives_elsewhere(owner: Owner, seen: Seen) -> bool:
    """Tell whether a chatbot that lives is seen to have an identity, which is then another one."""
    return owner.uid in seen.living and any(
        made_for(each) == owner for each in seen.identities.values()
    )


def _credentials(seen: Seen, asked: str) -> Iterator[Leftover]:
    for at, held in seen.shared.items():
        for credential in held:
            owner = of_shared(credential, known_owners(seen))
            if owner is None or not wanted(owner, seen, asked):
                continue
            life = seen.lives.get((owner.namespace, owner.name))
            why = _why_shared(owner, life, at, seen)
            if why is not None:
                yield Leftover(
                    of=credential, at=at, owner=owner, why=why, credentials=(credential,)
                )


def _why_shared(owner: Owner, life: Life | None, at: str, seen: Seen) -> Why | None:
    """Tell why a credential that bears no uid is left over: nobody of its name runs by it."""
    if owner.cluster not in seen.owners:
        return Why.OTHER_OWNER
    if life is None or at.lower() in life.uses:
        return None
    if life.uid:
        return Why.ANOTHER_IDENTITY
    return Why.NAMESPACE_GONE if life.namespace_gone else Why.CHATBOT_GONE


def guarded(one: Leftover, seen: Seen, asked: str) -> Leftover:
    """Bar the deletion of what may be another cluster's, unless its owner id was named.

    Two clusters may share one owner id that somebody chose, and only the issuers that credentials
    trust tell them apart. What may not be read tells nothing.
    """
    if one.barred or asked == one.owner.cluster:
        return one
    return replace(one, barred=_perhaps_of_others(one, seen))


def _perhaps_of_others(one: Leftover, seen: Seen) -> str:
    name = f"name --owner {one.owner.cluster}"
    if one.why is Why.OTHER_OWNER:
        return f"another owner's: name it by --owner {one.owner.cluster}"
    others = sorted({each.issuer for each in one.credentials or ()} - {seen.issuer})
    if others:
        return (
            f"it trusts tokens of {', '.join(others)}, not this cluster's: if the cluster of that"
            f" issuer is gone, {name}"
        )
    if one.credentials is None:
        return f"whom it trusts, and so whose it is, is not known: if it is this cluster's, {name}"
    if not one.credentials and one.owner.cluster != seen.uid:
        return (
            "nothing is left that tells which cluster's it is, and others may have the same"
            f" OWNER_ID: if none has, {name}"
        )
    return ""
