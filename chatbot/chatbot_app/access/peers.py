"""The other end of a connection: its own address, never what a header says of it."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Scope

    from chatbot_app.variables import Network


def peer(scope: Scope) -> str:
    """Return the address of the connection's other end."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def within(peer: str, networks: tuple[Network, ...]) -> bool:
    """Tell whether an address is in one of the networks; an IPv4 address may come as IPv6."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)
