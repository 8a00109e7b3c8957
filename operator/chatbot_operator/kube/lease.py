"""The Lease that lets one operator work and keeps the others waiting, ready to take over.

client-go's rules, which the election in kubernetes.aio breaks: after an error or a call that
hangs, that one leaves its work running without the Lease. Here a holder that cannot renew ends its
process, and no request leaves it after the deadline, even if it was stopped for a while.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NoReturn, Protocol

from chatbot_operator.election import (
    AGAIN_SECONDS,
    CALL_SECONDS,
    LEASES,
    RENEW_SECONDS,
    RETRY_SECONDS,
    Claim,
    Sight,
    lease,
)
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.ports import Object, Resource

log = logging.getLogger(__name__)

NAME = "chatbot-operator"

_OTHERS_CAME_FIRST = (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND)


class Objects(Protocol):
    """The calls that a Lease takes; each raises KubernetesRefusal."""

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """Read one object; None when there is none."""

    async def create(self, resource: Resource, manifest: Object) -> Object:
        """Create an object; a 409 when there is one."""

    async def replace(self, resource: Resource, manifest: Object) -> Object:
        """Replace an object; a 409 when it has another resourceVersion by now, a 404 without it."""


class Term(Protocol):
    """How long the holder may write."""

    def renew(self, until: float) -> None:
        """Write until then, in monotonic seconds."""

    def lose(self) -> object:
        """Write no more, from this moment."""


@dataclass(slots=True)
class Election:
    """One candidate's part. `me` is a name that no other process ever bears.

    `time` gives monotonic seconds, `random` numbers within [0, 1).
    """

    objects: Objects
    term: Term
    namespace: str
    me: str
    time: Callable[[], float]
    random: Callable[[], float]
    _sight: Sight | None = None
    _there: bool = False

    async def win(self) -> None:
        """Wait until the Lease is held, whatever happens to the API server meanwhile."""
        while True:
            wait = RETRY_SECONDS
            try:
                left = await self._look()
                if left == 0 and await self._write(self.me):
                    return
                wait = min(wait, left or wait)
            except (KubernetesRefusal, TimeoutError) as error:
                log.warning("the Lease cannot be had", extra={"fields": {"cause": str(error)}})
            # Two candidates that saw the same renewal do not come at the same moment.
            await asyncio.sleep(wait + self.random() / 10)

    async def keep(self) -> NoReturn:
        """Renew the Lease until cancelled; where that fails, the term runs out."""
        while True:
            renewed = await self._renewed()
            await asyncio.sleep(RETRY_SECONDS if renewed else AGAIN_SECONDS)

    async def give_back(self) -> None:
        """Let another one take over at once; call it when nothing will be written any more."""
        with suppress(KubernetesRefusal, TimeoutError):
            await self._write("")

    async def _renewed(self) -> bool:
        with suppress(KubernetesRefusal, TimeoutError):
            if await self._write(self.me):
                return True
            await self._look()
            if self._there and self._sight and self._sight.claim.holder != self.me:
                self.term.lose()
        return False

    async def _look(self) -> float:
        """Read the Lease; give the seconds until this candidate may take it.

        One that was deleted keeps the others waiting as if it were there: its holder may be.
        """
        body = await _timed(self.objects.get(LEASES, self.namespace, NAME))
        now = self.time()
        self._there = body is not None
        if body is not None:
            claim = Claim.parse(body)
            self._sight = self._sight.then(claim, now) if self._sight else Sight(claim, now)
        return self._sight.free_in(self.me, now) if self._sight else 0.0

    async def _write(self, holder: str) -> bool:
        """Write the Lease as it was last seen; tell whether nobody came first."""
        begun = self.time()
        before = self._sight.claim if self._sight and self._there else None
        at = dt.datetime.now(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        wanted = lease(self.namespace, NAME, holder, at=at, before=before)
        put = self.objects.replace if self._there else self.objects.create
        try:
            written = await _timed(put(LEASES, wanted))
        except KubernetesRefusal as refusal:
            if refusal.status not in _OTHERS_CAME_FIRST:
                raise
            return False
        self._sight, self._there = Sight(Claim.parse(written), begun), True
        if holder:
            # Counted from before the request: no other candidate has seen it earlier.
            self.term.renew(begun + RENEW_SECONDS)
        return True


async def _timed(call: Coroutine[Any, Any, Any]) -> Any:
    async with asyncio.timeout(CALL_SECONDS):
        return await call
