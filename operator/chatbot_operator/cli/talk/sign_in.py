"""What a request to a chatbot has to carry so that it lets a person in."""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Iterable

from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.reach import Reach
from chatbot_operator.cli.talk.chatbots import Meant
from chatbot_operator.cli.talk.forward import HOST
from chatbot_operator.errors import Refusal


def barred(chatbot: Meant, *, browser: bool) -> str:
    """Say why nobody gets in this way, whoever they are; empty where somebody may.

    Whatever comes through the API server comes to the pod from its own loopback.
    """
    access = chatbot.access
    instead = f" Its visitors go to {chatbot.url}." if chatbot.url else ""
    who = f"{chatbot.namespace}/{chatbot.name}"
    if "proxyHeaders" in access:
        return (
            f"{who} answers only to the proxy that signs visitors in (spec.access.proxyHeaders):"
            f" it believes who is named in a header only from there.{instead}"
        )
    terms = access.get("entraToken")
    peers = terms.get("trustedPeers") if terms else None
    if peers and not _within(HOST, peers):
        return (
            f"{who} answers only to what comes from spec.access.entraToken.trustedPeers, and this"
            f" way is none of them.{instead}"
        )
    if terms and browser:
        return (
            f"{who} takes requests that carry a token of Entra (spec.access.entraToken), which a"
            f" browser sends only through the proxy that signs in.{instead}"
        )
    return ""


async def headers(chatbot: Meant, reach: Reach) -> dict[str, str]:
    """Give the headers of a request; a token of Entra by the person's own sign-in, where wanted.

    Raises UnansweredError where nobody gets in this way, or no token is to be had.
    """
    if why := barred(chatbot, browser=False):
        raise UnansweredError(why)
    terms = chatbot.access.get("entraToken")
    if not terms:
        return {}
    audience, tenant = terms["audiences"][0], terms.get("tenantId", "")
    try:
        token = await reach.token(audience, tenant)
    except Refusal as refusal:
        raise UnansweredError(
            without_token(chatbot, audience, tenant, refusal.message)
        ) from refusal
    return {terms.get("header", "Authorization"): f"Bearer {token}"}


def without_token(chatbot: Meant, audience: str, tenant: str, said: str) -> str:
    """Say that there is no token for a chatbot, why, and how a person gets one."""
    where = ("--tenant", tenant) if tenant else ()
    sign_in = shlex.join(("az", "login", *where, "--scope", f"{audience}/.default"))
    return (
        f"{chatbot.namespace}/{chatbot.name} takes a token of Entra for {audience}, and by your"
        f" sign-in there is none: {said.rstrip('.')}. To sign in for it: {sign_in}"
    )


def _within(address: str, networks: Iterable[str]) -> bool:
    return any(
        ipaddress.ip_address(address) in ipaddress.ip_network(each, strict=False)
        for each in networks
    )
