"""The token for the model: fetched ahead of time, so that no visitor ever waits for one.

`Credential` holds one token and replaces it in the background at its half-life for as long as the
process lives. Where tokens come from is a function: `workload_identity` in a cluster, `person` on a
laptop. Each fetch is a process of its own, see `exchange`: what Azure's libraries weigh is there
only while they work, and nothing that they cache (tokens, and the projected token file for 600 s)
is there for the next: a renewal has to be a real one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chatbot_app.reasons import ChatReason, Reason, Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from chatbot_app.settings import WorkloadIdentity

    Fetch = Callable[[], Awaitable["Token"]]

log = logging.getLogger(__name__)

RENEWED = "Renewed"
SHORTEST_PAUSE = 10.0
SHORTEST_RETRY = 2.0
LONGEST_RETRY = 60.0
LONGEST_FETCH = 90.0
"""Seconds; the Azure CLI alone may take 30, and a name that resolves to nothing has no bound."""
_REASONS: Mapping[str, Reason | ChatReason] = {str(r): r for r in (*Reason, *ChatReason)}


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and when it ends, in seconds since the epoch."""

    value: str = field(repr=False)
    expires_at: float


class Credential:
    """One token that renews itself.

    At most one fetch is in flight; whoever needs its result joins it. Nobody fetches before
    `open()`: a federated credential that is too young must not be tried, because Entra remembers
    the failure for minutes. `exchanges` counts fetches by how they ended: RENEWED, or a reason.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        random: Callable[[], float],
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._token: Token | None = None
        self._flight: asyncio.Task[Token] | None = None
        self.exchanges: Counter[str] = Counter()
        self._opened = asyncio.Event()
        self._held = asyncio.Event()

    @property
    def expires_at(self) -> float | None:
        """When the token in use ends, in seconds since the epoch; None without one."""
        return None if self._token is None else self._token.expires_at

    def open(self) -> None:
        """Allow fetches from now on."""
        self._opened.set()

    async def token(self) -> str:
        """Return a valid token, at once unless there has never been one or it was lost.

        Raises:
            RefusedError: there is none, and fetching one failed.
        """
        if self._token is not None and self._token.expires_at > self._clock():
            return self._token.value
        return (await self.renew()).value

    async def renew(self) -> Token:
        """Fetch a new token, or join the fetch in flight; a cancelled caller does not end it.

        Raises:
            RefusedError: the fetch failed; an older token stays in use.
        """
        if self._flight is None:
            self._flight = asyncio.create_task(self._fetched())
            self._flight.add_done_callback(self._landed)
        return await asyncio.shield(self._flight)

    async def _fetched(self) -> Token:
        await self._opened.wait()
        try:
            self._token = await self._fetch()
        except RefusedError as error:
            self.exchanges[error.refusal.reason] += 1
            raise
        self.exchanges[RENEWED] += 1
        self._held.set()
        return self._token

    def _landed(self, flight: asyncio.Task[Token]) -> None:
        self._flight = None
        if not flight.cancelled():
            flight.exception()  # a failure nobody waited for is the keeper's to repeat

    async def keep(self) -> None:
        """Renew the token at half of what is left of it, for ever; begins with the first token."""
        await self._held.wait()
        failures = 0
        while True:
            token = self._token
            await self._sleep(self._pause(failures))
            if failures == 0 and self._token is not token:
                continue
            try:
                await self.renew()
                failures = 0
            except RefusedError as error:
                failures += 1
                log.warning("token not renewed", extra={"reason": error.refusal.reason})

    def _pause(self, failures: int) -> float:
        left = (self._token.expires_at if self._token else 0.0) - self._clock()
        if not failures:
            return max(SHORTEST_PAUSE, left / 2)
        longest = min(LONGEST_RETRY, 5.0 * 2.0 ** min(failures, 10))
        if left > 0:  # try again while there is a token, so that nobody waits for the next one
            longest = min(longest, max(SHORTEST_RETRY, left / 2))
        return longest * (0.5 + 0.5 * self._random())

    async def close(self) -> None:
        """End a fetch that is still in flight."""
        if self._flight is not None:
            self._flight.cancel()
            with contextlib.suppress(asyncio.CancelledError, RefusedError):
                await self._flight


def workload_identity(
    identity: WorkloadIdentity, *, scope: str, ca_file: str, extra_ca_file: str = ""
) -> Fetch:
    """Exchange the pod's projected token; one POST to Entra, never answered from a cache."""
    asked = {
        "tenant_id": identity.tenant_id,
        "client_id": identity.client_id,
        "token_file": str(identity.token_file),
        "authority_host": identity.authority_host,
        "scope": scope,
        "ca_file": ca_file,
        "extra_ca_file": extra_ca_file,
    }

    async def fetch() -> Token:
        missing = _not_injected(identity)
        if missing:
            raise RefusedError(Refusal(Reason.NOT_INJECTED, missing))
        return await _exchanged(asked)

    return fetch


def _not_injected(identity: WorkloadIdentity) -> str:
    injected = {"AZURE_CLIENT_ID": identity.client_id, "AZURE_TENANT_ID": identity.tenant_id}
    missing = [name for name, value in injected.items() if not value]
    return f"It left out {' and '.join(missing)}." if missing else ""


async def nobody() -> Token:
    """Refuse: a pod without its own identity must not borrow the node's."""
    raise RefusedError(Refusal(Reason.NOT_INJECTED))


def person(*, scope: str) -> Fetch:
    """Use whoever is signed in on this machine, usually by `az login`."""

    async def fetch() -> Token:
        return await _exchanged({"scope": scope})

    return fetch


async def _exchanged(asked: Mapping[str, str]) -> Token:
    try:
        said = await _said(asked)
    except (OSError, TimeoutError, ValueError) as error:  # the last: what is said is no JSON
        raise _no_answer(type(error).__name__) from error
    if "token" in said:
        return Token(said["token"], said["expires_at"])
    reason = _REASONS[said["reason"]]
    raise RefusedError(Refusal(reason, said["detail"], trace=said["trace"]))


async def _said(asked: Mapping[str, str]) -> dict[str, Any]:
    """Ask a process of its own, which does not outlive the question.

    Its modules are never those of the directory that somebody happens to be in:
    https://docs.python.org/3/using/cmdline.html#cmdoption-P
    """
    command = (sys.executable, "-P", "-m", "chatbot_app.exchange")
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        async with asyncio.timeout(LONGEST_FETCH):
            answer, _ = await process.communicate(json.dumps(asked).encode())
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        raise _no_answer(f"ended with {process.returncode}")
    return dict(json.loads(answer))


def _no_answer(why: str) -> RefusedError:
    return RefusedError(Refusal(Reason.AUTHORITY_UNREACHABLE, f"({why})"))
