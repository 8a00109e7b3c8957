"""How two texts that should be equal, byte for byte, differ: in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import zip_longest

from chatbot_operator.ports import Credential

SUBJECT_PARTS = ("", "", "namespace", "service account")
"""Of `system:serviceaccount:NAMESPACE:NAME`."""
AROUND = 12
"""Characters shown before and after the first that differs."""


def difference(has: str, should: str) -> str:
    """Say how what is there differs from what should be; empty where they are equal."""
    if has == should:
        return ""
    if has == f"{should}/":
        return "it has a slash at its end that should not be there"
    if should == f"{has}/":
        return "it lacks the slash at its end"
    if has.strip() == should:
        return "it has white space around it"
    if has.lower() == should.lower():
        return f"it differs in case only: {_place(has, should)}"
    return _parts(has, should) or f"it differs {_place(has, should)}"


def slip(has: str, should: str) -> bool:
    """Tell whether a difference can only be a slip of the pen, not another one's value."""
    return has.strip().rstrip("/").lower() == should.strip().rstrip("/").lower()


def nearest(credentials: Iterable[Credential], wanted: Credential) -> Credential | None:
    """Find the credential that comes nearest to what is wanted, as Entra narrows them down."""
    return max(credentials, key=lambda each: _nearness(each, wanted), default=None)


def _nearness(has: Credential, wanted: Credential) -> tuple[int, float]:
    pairs = (
        (has.issuer, wanted.issuer),
        (has.subject, wanted.subject),
        (" ".join(has.audiences), " ".join(wanted.audiences)),
    )
    equal = sum(left == right for left, right in pairs)
    return equal, sum(SequenceMatcher(None, *pair, autojunk=False).ratio() for pair in pairs)


def _parts(has: str, should: str) -> str:
    """Name the parts of a subject that differ; empty for what is no subject."""
    these, those = has.split(":"), should.split(":")
    if len(these) != len(SUBJECT_PARTS) or len(those) != len(SUBJECT_PARTS):
        return ""
    if these[:2] != those[:2]:
        return ""
    differing = [
        f"it names {what} {left}, not {right}"
        for what, left, right in zip(SUBJECT_PARTS, these, those, strict=True)
        if left != right
    ]
    return " and ".join(differing)


def _place(has: str, should: str) -> str:
    pairs = enumerate(zip_longest(has, should))
    first = next(index for index, (left, right) in pairs if left != right)
    start = max(first - AROUND, 0)

    def shown(text: str) -> str:
        before = "…" if start else ""
        after = "…" if len(text) > first + AROUND else ""
        return f"{before}{text[start : first + AROUND]}{after}"

    return f"from character {first + 1} on: “{shown(has)}” where “{shown(should)}” should be"
