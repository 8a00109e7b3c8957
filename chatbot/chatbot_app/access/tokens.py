"""A token of Entra that proves itself, whoever passes it on: a proxy, or the program it is for.

Claims are those of https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
and of ID tokens, which have the same ones for what is read here. No part of a token is kept, told
or logged, except its holder's name to its holder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import jwt
from starlette.datastructures import Headers

from chatbot_app.access.admission import User
from chatbot_app.access.keys import ALGORITHM
from chatbot_app.access.peers import peer, within
from chatbot_app.denials import Denial, DeniedError
from chatbot_app.reasons import ChatReason, RefusedError, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Scope

    from chatbot_app.access.keys import Keys
    from chatbot_app.settings import EntraToken

LEEWAY = 60.0
"""Seconds that the clocks of Entra and of this machine may differ."""
LONGEST = 32 * 1024
"""Characters. Entra puts at most 200 groups into a token, which are about 11,000."""

_NONE = "Please sign in first: this chatbot answers only requests that carry a sign-in of Entra."
_SEVERAL = "The request carries more than one sign-in, and only one of them can be yours."
_ELSEWHERE = "This chatbot answers only through the page that signs you in."
_UNREADABLE = "Your sign-in is not a token that this chatbot can read. Please sign in again."
_EXPIRED = "Your sign-in has expired. Please reload the page or sign in again."
_EARLY = "Your sign-in is not valid yet: a clock is wrong, here or where you signed in."
_UNKNOWN = (
    "Your sign-in is not signed with a key of this chatbot's Microsoft Entra tenant. A token for "
    "Microsoft Graph never can be checked: the proxy has to pass the ID token, or an access token "
    "for this chatbot."
)
_AUDIENCE = "Your sign-in is for another application: its audience is none that this chatbot takes."
_TENANT = "Your sign-in is from another tenant of Microsoft Entra than this chatbot's."
_CLAIMS = (
    "Your sign-in does not say all that is needed. The proxy has to ask Microsoft Entra for the "
    "scopes “openid” and “profile”."
)
_UNCHECKED = (
    "Your sign-in cannot be checked, because Microsoft Entra could not be reached. "
    "Please try again in half a minute."
)
_OUTSIDER = "You are signed in, but you are in none of the groups that may use this chatbot."
_GROUPLESS = (
    "Your sign-in names no groups, and only some may use this chatbot. If you are in one of them: "
    "the app registration has to add the groups claim to its tokens."
)
_TOO_MANY_GROUPS = (
    "You are in more groups than fit into a sign-in, so it names none. The app registration has to "
    "be set to groups assigned to the application, and the groups assigned to it."
)
_APPLICATION = (
    "This token is an application's. One may use this chatbot only as a member of a group that may."
)

_WORDS: Mapping[type[jwt.PyJWTError], str] = {
    jwt.ExpiredSignatureError: _EXPIRED,
    jwt.ImmatureSignatureError: _EARLY,
    jwt.InvalidSignatureError: _UNKNOWN,
    jwt.InvalidAudienceError: _AUDIENCE,
    jwt.InvalidIssuerError: _TENANT,
    jwt.MissingRequiredClaimError: _CLAIMS,
}
_REQUIRED = ["exp", "iss", "aud", "sub", "tid", "oid"]


class ProvenByToken:
    """Believes a token whose signature, issuer, tenant, audience, time and groups are right."""

    def __init__(self, terms: EntraToken, keys: Keys) -> None:
        self._terms = terms
        self._keys = keys

    async def user(self, scope: Scope) -> User:
        """Give the token's holder."""
        if self._terms.peers and not within(peer(scope), self._terms.peers):
            _refuse(_ELSEWHERE)
        claims = await self._claims(_carried(Headers(scope=scope), self._terms.header))
        if claims["tid"].lower() != self._terms.tenant:
            _refuse(_TENANT)
        _admit(claims, self._terms.groups)
        return User(id=claims["oid"], name=_name(claims))

    async def _claims(self, token: str) -> Mapping[str, Any]:
        """Verify a token and read it. What else its header may say is of no interest here."""
        try:
            found = await self._keys.find(str(jwt.get_unverified_header(token).get("kid", "")))
            if found is None:
                _refuse(_UNKNOWN)
            key, issuers = found
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._terms.audiences,
                issuer=issuers,
                leeway=LEEWAY,
                options={"require": _REQUIRED, "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError as error:
            _refuse(_WORDS.get(type(error), _UNREADABLE))
        except RefusedError as error:
            refusal = error.refusal
            denial = Denial(503, _UNCHECKED, refusal.reason, refusal.retry_after)
            raise DeniedError(denial) from error
        if not all(isinstance(claims[name], str) and claims[name] for name in ("tid", "oid")):
            _refuse(_CLAIMS)
        return claims


def _carried(headers: Headers, name: str) -> str:
    """Take the one token out of the header, which may call it a bearer's."""
    given = headers.getlist(name)
    if not given:
        _refuse(_NONE)
    if len(given) > 1:
        _refuse(_SEVERAL)
    scheme, space, rest = given[0].partition(" ")
    token = rest.strip() if space and scheme.lower() == "bearer" else given[0]
    if len(token) > LONGEST:
        _refuse(_UNREADABLE)
    return token


def _admit(claims: Mapping[str, Any], groups: frozenset[str]) -> None:
    """See that the holder may chat.

    Any application of a tenant is given a token for any other one, unless that one demands an
    assignment; so without groups only people are meant. An application's token is known by its
    subject (https://learn.microsoft.com/entra/identity-platform/scenario-protected-web-api-verification-scope-app-roles).
    """
    if not groups:
        if claims.get("idtyp") == "app" or claims["sub"] == claims["oid"]:
            _forbid(_APPLICATION)
        return
    named = claims.get("groups")
    if isinstance(named, list) and not groups.isdisjoint(str(group).lower() for group in named):
        return
    elsewhere = claims.get("_claim_names")
    if claims.get("hasgroups") or (isinstance(elsewhere, dict) and "groups" in elsewhere):
        _forbid(_TOO_MANY_GROUPS)
    _forbid(_OUTSIDER if named else _GROUPLESS)


def _name(claims: Mapping[str, Any]) -> str:
    names = (claims.get(name) for name in ("preferred_username", "name", "oid"))
    return next(one_line(name) for name in names if name and isinstance(name, str))


def _refuse(words: str) -> NoReturn:
    raise DeniedError(Denial(401, words, ChatReason.NOT_SIGNED_IN, challenge="Bearer"))


def _forbid(words: str) -> NoReturn:
    raise DeniedError(Denial(403, words, ChatReason.NOT_ALLOWED))
