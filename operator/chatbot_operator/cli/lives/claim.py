"""What a chatbot would take over from an earlier life, and whether it may. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from chatbot_operator import naming
from chatbot_operator.azure.values import assignment_id
from chatbot_operator.naming import Owner
from chatbot_operator.ports import Assignment, Credential, Identity, Installation
from chatbot_operator.steps.identity import bears, made_for, of_earlier_life, retained


class Case(StrEnum):
    """How it stands with the identity of a chatbot."""

    ITS_OWN = "ItsOwn"
    """It bears the chatbot's uid already."""
    NONE = "None"
    """There is none; the operator makes one."""
    EARLIER = "EarlierLife"
    """It was made for an earlier chatbot of this name, and can be taken over."""
    OTHERS = "NotItsOwn"
    """It is not this chatbot's, in whichever life."""
    BARRED = "Barred"
    """The chatbot cannot take one over now."""
    UNKNOWN = "NotKnown"
    """The identity may not be read."""


WORDS: Final = {
    Case.ITS_OWN: "its identity is its own already",
    Case.NONE: "there is no earlier identity; the operator makes one",
    Case.EARLIER: "was made for an earlier chatbot of this name",
    Case.OTHERS: "there is an identity of the name that no earlier chatbot of this name had",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A chatbot (`owner`), the ARM id of its identity (`at`), and what is there.

    `roles` and `credentials` are the identity's, None where they are not known. `account_id` is
    where the chatbot needs a role. `said` tells why it is BARRED or UNKNOWN. `recorded`: the
    chatbot's status names this very identity; `waiting`: the operator said that it belongs to an
    earlier life.
    """

    owner: Owner
    at: str = ""
    live: Identity | None = None
    case: Case = Case.BARRED
    roles: tuple[Assignment, ...] | None = ()
    credentials: tuple[Credential, ...] | None = ()
    account_id: str = ""
    recorded: bool = False
    waiting: bool = False
    suspended: bool = False
    said: str = ""

    @property
    def name(self) -> str:
        """The chatbot, as people write it."""
        return f"{self.owner.namespace}/{self.owner.name}"

    @property
    def earlier(self) -> str:
        """The uid of the earlier life."""
        owner = made_for(self.live) if self.live else None
        return owner.uid if owner else ""

    def document(self, issuer: str) -> dict[str, Any]:
        """Give it as JSON; `issuer` is this cluster's."""
        live = self.live
        return {
            "namespace": self.owner.namespace,
            "chatbot": self.owner.name,
            "uid": self.owner.uid,
            "case": str(self.case),
            "said": self.said or WORDS.get(self.case, ""),
            "identity": self.at,
            "principalId": live.principal_id if live else "",
            "earlierUid": self.earlier if self.case is Case.EARLIER else "",
            "retained": bool(live and retained(live)),
            "roles": [assignment_id(each.scope, each.name) for each in self.roles or ()],
            "warnings": list(warnings(self, issuer)) if self.case is Case.EARLIER else [],
        }


def case(live: Identity | None, mine: Owner) -> Case:
    """Judge the identity that is found under the chatbot's own name."""
    if live is None:
        return Case.NONE
    if bears(live.tags, mine.tags):
        return Case.ITS_OWN
    earlier = of_earlier_life(live, mine) and made_for(live) is not None
    return Case.EARLIER if earlier else Case.OTHERS


def warnings(claim: Claim, issuer: str) -> Iterable[str]:
    """Say what somebody who takes an identity over has to know of it."""
    if claim.recorded:
        yield (
            "the chatbot's status names this identity, which bears another uid now: the status was"
            " restored, or another cluster with this owner id took the identity over. Make sure"
            " that no other cluster runs as it"
        )
    if claim.suspended:
        yield "the chatbot is suspended: the operator goes on when spec.suspend is false"
    for role in beyond(claim):
        yield f"it can do more than a chatbot needs, by role assignment {role.name} on {role.scope}"
    if claim.roles is None:
        yield "what it can do in the subscription is not known: you may not list role assignments"
    subject = naming.subject(claim.owner.namespace, claim.owner.name)
    for each in claim.credentials or ():
        if each.name != naming.credential_name(each.issuer) or each.subject != subject:
            yield (
                f"federated credential {each.name} is none of the operator's: {each.subject} of"
                f" {each.issuer} can be the identity, and stays so"
            )
        elif each.issuer != issuer:
            yield former(each.issuer, issuer)
    if claim.credentials is None:
        yield "who can be it is not known: you may not list its federated credentials"


def former(issuer: str, present: str) -> str:
    """Say what becomes of a credential for another issuer than the present (empty: not known)."""
    if not present:
        return f"it trusts tokens of {issuer}; whether that is this cluster's issuer is not known"
    return (
        f"it trusts tokens of {issuer}, an earlier cluster's, which can be the identity until the"
        " operator retires that credential: after the chatbot is proven, and"
        " CREDENTIAL_GRACE_SECONDS (an hour), at its next hourly look. End that cluster's operator"
        " and chatbots first, if they still run"
    )


def beyond(claim: Claim) -> list[Assignment]:
    """Give the roles that a chatbot does not need."""
    needed = (claim.account_id.lower(), naming.OPENAI_USER_ROLE)
    return [
        each
        for each in claim.roles or ()
        if (each.scope.lower(), each.role_definition_id.lower().rpartition("/")[2]) != needed
    ]


@dataclass(frozen=True, slots=True)
class Abroad:
    """What a cluster that works as other owners would find as OWNER.

    `claimed` are the chatbots, by namespace and name, for which OWNER's identities lie where this
    cluster's accounts put theirs; `settled` how many have identities under their present owner id,
    which a change would have made anew.
    """

    owner: str
    present: tuple[str, ...]
    claimed: tuple[tuple[str, str], ...]
    settled: int


def abroad(
    owner: str,
    installations: Iterable[Installation],
    identities: Iterable[Identity],
    chatbots: Iterable[tuple[str, str]],
) -> Abroad:
    """Compare the identities of another owner with the chatbots of this cluster, by name."""
    present = tuple(sorted({each.cluster for each in installations}))
    marked = [(each, made_for(each)) for each in identities]
    named = set(chatbots)
    theirs = {
        (of.namespace, of.name)
        for each, of in marked
        if of and of.cluster == owner and each.name == naming.identity_name(of)
    }
    settled = {(of.namespace, of.name) for _, of in marked if of and of.cluster in present}
    return Abroad(owner, present, tuple(sorted(theirs & named)), len(settled & named))
