"""Writes of credentials under one identity, one after the other.

Azure refuses them at the same time (ConcurrentFederatedIdentityCredentialsWritesForSingleManaged-
Identity), and chatbots may share an identity.
"""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary


class Turns:
    """A lock for each identity, for as long as somebody holds it or waits."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, identity_id: str) -> asyncio.Lock:
        """Give the lock of the identity with this ARM id, in whichever case."""
        return self._locks.setdefault(identity_id.lower(), asyncio.Lock())
