"""Whether an identity takes a token: its federated credentials, byte for byte. Pure.

https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from chatbot_operator import az
from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.pod.differences import difference, nearest, slip
from chatbot_operator.ports import Credential, Identity

NAME: Final = "federated credential"
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
ONLY_CASE: Final = "AADSTS7002138"


def judge(identity: Identity, held: tuple[Credential, ...], wanted: Credential) -> Check:
    """Judge whether a credential of an identity is equal to what its tokens say.

    `wanted` is that credential, under a name that is free.
    """
    near = _full(held)
    matching = [each for each in held if not differing(each, wanted)]
    if matching:
        return Check(
            NAME,
            Mark.OK,
            f"{matching[0].name} is equal to the token in issuer, subject and audience",
            below=near,
        )
    return _missing(identity, held, wanted, near)


def _missing(
    identity: Identity, held: tuple[Credential, ...], wanted: Credential, near: tuple[Check, ...]
) -> Check:
    """Say what Entra says, why, and how to write the credential that lacks."""
    code, meaning, left = _narrowed(held, wanted)
    closest = nearest(left, wanted)
    apart = differing(closest, wanted) if closest else {}
    shown = tuple(
        Check(what, Mark.NOTE, f"{has}: {difference(has, should)}", facts={"expected": should})
        for what, (has, should) in apart.items()
    )
    fix = "Let this service account be the identity, if it is meant to:"
    command = az.create_credential(identity.id, wanted)
    if closest and all(_mends(what, *pair) for what, pair in apart.items()):
        fix = f"Put credential {closest.name} right:"
        command = az.update_credential(identity.id, wanted, closest.name)
    elif len(held) >= LIMIT:
        fix = f"The identity has {LIMIT} credentials, the most there may be. Delete one, then:"
    nearest_is = f"; nearest is {closest.name}" if closest else ""
    return Check(
        NAME,
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
        fitting = tuple(each for each in left if what not in differing(each, wanted))
        if not fitting:
            cases = [differing(each, wanted)[what] for each in left]
            if any(has != should and has.lower() == should.lower() for has, should in cases):
                return ONLY_CASE, f"the {what} differs from the token's in case only", left
            return code, meaning, left
        left = fitting
    raise AssertionError("a credential matches")


def free_name(wish: str, held: Iterable[Credential]) -> str:
    """Name a credential as no other of the identity is: 3 to 120 letters, digits and dashes."""
    name = re.sub(r"[^a-zA-Z0-9-]", "-", wish)[: _NAME - 3]
    taken = {each.name.lower() for each in held}
    numbered = (name, *(f"{name}-{number}" for number in range(2, LIMIT + 2)))
    return next(each for each in numbered if each.lower() not in taken)


def differing(has: Credential, wanted: Credential) -> dict[str, tuple[str, str]]:
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
