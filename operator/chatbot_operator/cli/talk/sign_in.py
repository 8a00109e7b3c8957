"""What a request to a chatbot has to carry so that it lets a person in."""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Iterable
from typing import Final

from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.reach import Reach
from chatbot_operator.cli.talk.chatbots import Meant
from chatbot_operator.cli.talk.forward import HOST
from chatbot_operator.errors import Refusal

_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NAME: Final = re.compile(r"[-\w.]+")
_SERVICES: Final = frozenset(
    {
        "797f4846-ba00-4fd7-ba43-dac1f8f63013",  # Azure Resource Manager
        "00000002-0000-0000-c000-000000000000",  # Azure AD Graph
        "00000003-0000-0000-c000-000000000000",  # Microsoft Graph
        "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",  # Key Vault
        "e406a681-f3d4-42a8-90b6-c2b029497af1",  # Storage
        "022907d3-0f1b-48f7-badc-1ba6abab6d66",  # SQL
        "6dae42f8-4368-4678-94ff-3960e28e3630",  # AKS
        "7d312290-28c8-473c-a0ed-8e53749b6d6d",  # Cognitive Services
        "499b84ac-1321-427f-aa17-267ca6975798",  # DevOps
        "ca7f3f0b-7d91-482c-8e09-c5d840d0eac5",  # Log Analytics
    }
)
_DOMAINS: Final = (
    *("azure.com", "azure.net", "windows.net", "microsoft.com", "microsoftonline.com"),
    *("office.com", "office365.com", "sharepoint.com", "dynamics.com", "azuredatabricks.net"),
    *("azure.us", "microsoft.us", "microsoftonline.us", "usgovcloudapi.net"),
    *("azure.cn", "chinacloudapi.cn"),
)
"""Where Microsoft's own services are; no one else's app registration has a URI there."""


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


async def headers(chatbot: Meant, reach: Reach, agreed: str) -> dict[str, str]:
    """Give the headers of a request; a token of Entra by the person's own sign-in, where wanted.

    Whoever can write the chatbot says whom the token is for, and gets it: the person has to have
    `agreed` to that very audience. Raises UnansweredError where they have not, where nobody gets in
    this way, or no token is to be had.
    """
    if why := barred(chatbot, browser=False):
        raise UnansweredError(why)
    terms = chatbot.access.get("entraToken")
    if not terms:
        return {}
    audience, tenant = terms["audiences"][0], terms.get("tenantId", "")
    if why := withheld(chatbot, audience, agreed):
        raise UnansweredError(why)
    try:
        token = await reach.token(audience, tenant)
    except Refusal as refusal:
        raise UnansweredError(
            without_token(chatbot, audience, tenant, refusal.message)
        ) from refusal
    return {terms.get("header", "Authorization"): f"Bearer {token}"}


def withheld(chatbot: Meant, audience: str, agreed: str) -> str:
    """Say why a person's token for an audience is not given to a chatbot; empty where it may be."""
    who = f"{chatbot.namespace}/{chatbot.name}"
    if _of_microsoft(audience):
        return (
            f"{who} takes a token for {audience}, which is a service of Microsoft's and no chatbot:"
            " whoever runs the chatbot could act there as you. You get in by no other; have"
            " spec.access.entraToken.audiences say the chatbot's own app registration."
        )
    if audience == agreed:
        return ""
    again = shlex.join(("--token-for", audience))
    return (
        f"{who} takes your token for {audience}. Whoever runs the chatbot can use it as you for as"
        " long as it lives, wherever that audience is taken. If that is the chatbot's own app"
        f" registration, say so: {again}"
    )


def _of_microsoft(audience: str) -> bool:
    """Tell whether an audience is one of the services for which `az` gets tokens unasked."""
    ids = {found.lower() for found in _GUID.findall(audience)}
    names = [f".{found.strip('.').lower()}" for found in _NAME.findall(audience)]
    of_its = any(name.endswith(f".{each}") for name in names for each in _DOMAINS)
    return of_its or bool(ids & _SERVICES)


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
