"""Something that is left over in Azure: what, whose, why, and what it can be used for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from chatbot_operator.azure.values import assignment_id, credential_id
from chatbot_operator.naming import Owner
from chatbot_operator.ports import Assignment, Credential, Identity


class Why(StrEnum):
    """Why something is left over."""

    CHATBOT_GONE = "ChatbotGone"
    NAMESPACE_GONE = "NamespaceGone"
    ANOTHER_LIFE = "AnotherLife"
    """There is a chatbot of the name, with another uid."""
    ANOTHER_IDENTITY = "AnotherIdentity"
    """The chatbot lives and runs as another identity."""
    OTHER_OWNER = "OtherOwner"
    """Another owner id than this cluster's: whether the chatbot lives is not known here."""


WORDS: Final = {
    Why.CHATBOT_GONE: "the chatbot is gone",
    Why.NAMESPACE_GONE: "the chatbot is gone with its namespace",
    Why.ANOTHER_LIFE: "an earlier chatbot of this name; the one that lives has another uid",
    Why.ANOTHER_IDENTITY: "the chatbot lives and runs as another identity",
    Why.OTHER_OWNER: "made under another owner id, by another cluster or before OWNER_ID changed",
}


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something in Azure that nobody will take away.

    `at` is the ARM id of the identity, or of what holds the credential or the assignment. `roles`
    and `credentials` are what it can be used by, None where that is not known; of an assignment,
    the credentials of its identity. `barred` says why it is not deleted by this program.
    """

    of: Identity | Credential | Assignment
    at: str
    owner: Owner
    why: Why
    retained: bool = False
    roles: tuple[Assignment, ...] | None = None
    credentials: tuple[Credential, ...] | None = None
    barred: str = ""

    @property
    def kind(self) -> str:
        """What it is."""
        words = {Identity: "Identity", Credential: "Credential", Assignment: "RoleAssignment"}
        return words[type(self.of)]

    @property
    def at_id(self) -> str:
        """Where it is, to be compared: Azure spells ids in several ways."""
        return self.at.lower()

    @property
    def id(self) -> str:
        """Its ARM id."""
        if isinstance(self.of, Identity):
            return self.of.id
        spell = credential_id if isinstance(self.of, Credential) else assignment_id
        return spell(self.at, self.of.name)

    @property
    def usable(self) -> bool | None:
        """Tell whether somebody may still get in by it; None where that is not known."""
        if None in (self.roles, self.credentials):
            return False if () in (self.roles, self.credentials) else None
        return bool(self.roles and self.credentials)

    @property
    def since(self) -> str:
        """When the oldest of its roles was given; of other things Azure keeps no date."""
        return min((each.created for each in self.roles or () if each.created), default="")

    def document(self) -> dict[str, Any]:
        """Give it as JSON."""
        roles = [assignment_id(each.scope, each.name) for each in self.roles or ()]
        trusts = [
            {"name": each.name, "issuer": each.issuer, "subject": each.subject}
            for each in self.credentials or ()
        ]
        return {
            "kind": self.kind,
            "name": self.of.name,
            "id": self.id,
            "owner": self.owner.cluster,
            "namespace": self.owner.namespace,
            "chatbot": self.owner.name,
            "uid": self.owner.uid,
            "why": str(self.why),
            "retained": self.retained,
            "usable": self.usable,
            "roles": roles,
            "credentials": trusts,
            "roleSince": self.since,
            "barred": self.barred,
        }
