"""What `rebind` found and did, for people and programs. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from chatbot_operator.backoff import LIMIT_SECONDS
from chatbot_operator.cli import show
from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.command import Code
from chatbot_operator.cli.lives.claim import WORDS, Case, Claim, warnings
from chatbot_operator.cli.lives.takeover import Taken
from chatbot_operator.naming import OPENAI_USER_ROLE
from chatbot_operator.ports import Assignment
from chatbot_operator.steps.identity import retained

DETAILED: Final = 3
"""So many claims are shown with all that their identities have; of more, each has a row."""
NAMED: Final = 5
"""So many chatbots are named where many have the same warning."""


@dataclass(frozen=True, slots=True)
class Found:
    """What chatbots would take over; `issuer` is this cluster's, `gaps` could not be looked at.

    `taken` is what was done, None where nothing was to be done or a person has not been asked;
    `command` would do it.
    """

    claims: tuple[Claim, ...]
    issuer: str
    gaps: tuple[Check, ...] = ()
    taken: tuple[Taken, ...] | None = None
    command: str = ""

    @property
    def claimed(self) -> tuple[Claim, ...]:
        """What can be taken over."""
        return tuple(each for each in self.claims if each.case is Case.EARLIER)

    @property
    def unheard(self) -> tuple[Claim, ...]:
        """Those that have their identity, of which the operator has not heard yet."""
        return tuple(each for each in self.claims if each.case is Case.ITS_OWN and each.waiting)

    @property
    def wrong(self) -> tuple[Claim, ...]:
        """Those that have not got what they need, and will not by this."""
        return tuple(each for each in self.claims if each.case in {Case.OTHERS, Case.BARRED})

    @property
    def unknown(self) -> tuple[Claim, ...]:
        """Those of which nothing is known."""
        return tuple(each for each in self.claims if each.case is Case.UNKNOWN)

    @property
    def code(self) -> Code:
        """What to end with: never FINE where an identity could not be looked at."""
        done = {each.claim.owner for each in self.taken or () if not each.trouble}
        left = [each for each in self.claimed if each.owner not in done]
        if left or self.wrong:
            return Code.FOUND
        return Code.UNANSWERED if self.unknown else Code.FINE

    def document(self) -> dict[str, Any]:
        """Give it as JSON."""
        document: dict[str, Any] = {
            "chatbots": [each.document(self.issuer) for each in self.claims],
            "notKnown": [each.document() for each in self.gaps],
        }
        if self.taken is not None:
            done = [each for each in self.taken if not each.trouble]
            failed = [each for each in self.taken if each.trouble]
            document |= {
                "rebound": [each.claim.name for each in done],
                "lookedAtOnce": [each.claim.name for each in done if each.heard],
                "notRebound": [{"chatbot": e.claim.name, "trouble": e.trouble} for e in failed],
                "othersLookedAtWithinSeconds": int(LIMIT_SECONDS),
            }
        return document


def chatbots(count: int) -> str:
    """Count chatbots."""
    return "1 chatbot" if count == 1 else f"{count} chatbots"


def shown(found: Found) -> RenderableType:
    """Show what would be taken over, or what became of it."""
    if found.taken is not None:
        return Group(*_result(found, found.taken))
    parts: list[RenderableType] = [show.tree(each) for each in found.gaps]
    if len(found.claimed) > DETAILED:
        columns = ("CHATBOT", "PRINCIPAL", "ROLES", "RETAINED")
        parts += [show.table(columns, map(_row, found.claimed)), Text()]
    else:
        parts += [show.tree(_whole(each)) for each in found.claimed]
    parts += [show.tree(each) for each in (*_warned(found), *_rest(found))]
    return Group(*parts, *_sums(found))


def _row(claim: Claim) -> tuple[str, ...]:
    live = claim.live
    roles = "not known" if claim.roles is None else str(len(claim.roles))
    kept = "yes" if live and retained(live) else "no"
    return claim.name, live.principal_id if live else "", roles, kept


def _whole(claim: Claim) -> Check:
    """Show an identity with all that it has."""
    live = claim.live
    kept = ", retained on purpose" if live and retained(live) else ""
    principal = live.principal_id if live else ""
    roles = (
        Check("role", Mark.NOTE, f"{_role(each)} on {each.scope}") for each in claim.roles or ()
    )
    trusts = (
        Check("trusts", Mark.NOTE, f"{each.subject} of {each.issuer}")
        for each in claim.credentials or ()
    )
    return Check(
        claim.name,
        Mark.NOTE,
        f"can take over the identity of an earlier chatbot of this name{kept}",
        below=(
            Check("identity", Mark.NOTE, claim.at),
            Check("principal", Mark.NOTE, principal),
            Check("earlier uid", Mark.NOTE, f"{claim.earlier}, now {claim.owner.uid}"),
            *roles,
            *trusts,
        ),
    )


def _role(role: Assignment) -> str:
    """Name the one role that chatbots have; give the id of another."""
    definition = role.role_definition_id.lower().rpartition("/")[2]
    return "OpenAI User" if definition == OPENAI_USER_ROLE else f"role {definition}"


def _warned(found: Found) -> Iterable[Check]:
    """Give each warning once, with those that it is about."""
    of: dict[str, list[str]] = defaultdict(list)
    for claim in found.claimed:
        for warning in warnings(claim, found.issuer):
            of[warning].append(claim.name)
    for warning, names in of.items():
        yield Check(_named(names), Mark.NOTE, f"{warning}.")


def _named(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _rest(found: Found) -> Iterable[Check]:
    for each in found.wrong:
        yield Check(each.name, Mark.WRONG, each.said or f"{WORDS[each.case]}: {each.at}")
    for each in found.unknown:
        yield Check(each.name, Mark.UNKNOWN, each.said)
    if len(found.claims) == 1 and found.claims[0].case in {Case.ITS_OWN, Case.NONE}:
        (one,) = found.claims
        yield Check(one.name, Mark.OK, WORDS[one.case])


def _sums(found: Found) -> Iterable[RenderableType]:
    if found.claimed:
        yield Text(f"{chatbots(len(found.claimed))} can take over the identity of an earlier life.")
        if found.command:
            yield Text("To have it done, after a question:")
            yield show.Typed(f"    {found.command}")
    elif len(found.claims) != 1:
        yield Text(f"None of {chatbots(len(found.claims))} waits for an earlier identity.")


def _result(found: Found, taken: tuple[Taken, ...]) -> Iterable[RenderableType]:
    failed = [each for each in taken if each.trouble]
    done = [each for each in taken if not each.trouble]
    for each in failed:
        yield show.tree(Check(each.claim.name, Mark.WRONG, each.trouble))
    left = len(found.claimed) - len([e for e in done if e.claim.case is Case.EARLIER])
    yield Text(f"{chatbots(len(done))} rebound, {left} left.")
    heard = sum(each.heard for each in done)
    if heard:
        yield Text(f"The operator looks at {heard} of them at once.")
    if len(done) > heard:
        within = f"{LIMIT_SECONDS / 60:.0f} minutes"
        yield Text(
            f"It looks at {len(done) - heard} by itself, within {within}: you may not annotate"
            " them, by which it would look at once."
        )
