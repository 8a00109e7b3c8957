"""The loopback addresses of one sandbox: 127.X.0.0/16, with an X that no other sandbox has.

Linux answers on all of 127.0.0.0/8; macOS needs an alias for each address (`ifconfig lo0 alias`),
which is intended and not tested. A program that listens on 0.0.0.0 takes its port on all of them.
"""

from __future__ import annotations

import itertools
import secrets
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NODE_PORT = 10250
_TRIES = 50


class Addresses:
    """One 127.X.0.0/16, claimed by holding the node's own port in it."""

    def __init__(self) -> None:
        """Claim a network.

        Raises:
            OSError: none is free, or the machine lacks these addresses.
        """
        self.claim = _claim()
        self.node: str = self.claim.getsockname()[0]
        prefix = self.node.removesuffix(".0.1")
        # In turn, so that an address given back is not soon another pod's.
        self._pods = itertools.cycle(_hosts(prefix, range(1, 128)))
        self._services = itertools.cycle(_hosts(prefix, range(128, 255)))
        self._used: set[str] = set()

    def for_pod(self) -> str:
        """An address for a pod, in 127.X.1.1 … 127.X.127.254."""
        return self._take(self._pods)

    def for_service(self) -> str:
        """An address for a service, in 127.X.128.1 … 127.X.254.254."""
        return self._take(self._services)

    def release(self, address: str) -> None:
        """Give an address back."""
        self._used.discard(address)

    def close(self) -> None:
        """Give up the network."""
        self.claim.close()

    def _take(self, turns: Iterator[str]) -> str:
        address = next(each for each in turns if each not in self._used)
        self._used.add(address)
        return address


def _hosts(prefix: str, thirds: range) -> Iterator[str]:
    return (f"{prefix}.{third}.{fourth}" for third in thirds for fourth in range(1, 255))


def _claim() -> socket.socket:
    for left in reversed(range(_TRIES)):
        # 127.0 and 127.1 belong to the machine's own names.
        address = f"127.{2 + secrets.randbelow(253)}.0.1"
        try:
            return socket.create_server((address, NODE_PORT), reuse_port=False)
        except OSError:
            if not left:
                raise
    raise AssertionError
