"""The proof that this chatbot reaches its model with its own identity: the loop and its effects.

What an attempt means and when the next one is due is decided in `standing`; here it is done.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatbot_app import standing as s
from chatbot_app.claims import Presented, presented
from chatbot_app.reasons import Reason, Refusal, RefusedError
from chatbot_app.words import for_readiness

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from chatbot_app.completions import Completions
    from chatbot_app.credential import Credential

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """What counts as a proof; delays in seconds."""

    principal_id: str
    since_file: Path | None
    token_file: Path | None
    delay: float
    recheck: float


class Proof:
    """Proves the chatbot at start and again and again; keeps its standing."""

    def __init__(
        self,
        terms: Terms,
        credential: Credential,
        completions: Completions,
        *,
        now: Callable[[], dt.datetime],
        sleep: Callable[[float], Awaitable[None]],
        random: Callable[[], float],
    ) -> None:
        self._terms = terms
        self._credential = credential
        self._completions = completions
        self._now = now
        self._sleep = sleep
        self._random = random
        self._started = now()
        self.standing = s.Standing()

    def chat_ended(self, refusal: Refusal | None) -> None:
        """Learn from a chat: None is an answer that came."""
        self._become(s.after_chat(self.standing, refusal))

    async def run(self) -> None:
        """Attempt for as long as the process lives."""
        await self._wait_for_credential()
        self._credential.open()
        while True:
            refusal = await self._attempt()
            self._become(s.after_attempt(self.standing, refusal, now=self._now()))
            pause = s.pause_after(self.standing, recheck=self._terms.recheck, random=self._random)
            await self._sleep(pause)

    async def _wait_for_credential(self) -> None:
        since = self._credential_since() if self._terms.since_file else None
        if isinstance(since, dt.datetime):
            wait = s.first_wait(since=since, delay=self._terms.delay, now=self._now())
            if wait > 0:
                self._become(s.waiting(self.standing))
                await self._sleep(wait)

    def _credential_since(self) -> dt.datetime | Refusal:
        """Read when the credential was written; without a time in the file it is when we started.

        That is never too early, because the operator writes the credential before the pod.
        """
        path = self._terms.since_file
        try:
            text = path.read_text(encoding="ascii").strip() if path else ""
        except FileNotFoundError:
            text = ""
        except (OSError, UnicodeDecodeError) as error:
            return Refusal(Reason.MISCONFIGURED, f"CREDENTIAL_SINCE_FILE cannot be read: {error}")
        if not text:
            return self._started
        try:
            since = dt.datetime.fromisoformat(text)
        except ValueError:
            since = None
        if since is None or since.tzinfo is None:
            detail = f"CREDENTIAL_SINCE_FILE holds {text[:40]!r}, not an RFC 3339 time."
            return Refusal(Reason.MISCONFIGURED, detail)
        return since

    async def _attempt(self) -> Refusal | None:
        since = self._credential_since()
        if isinstance(since, Refusal):
            return since
        self.standing = s.presenting(self.standing, self._presented())
        try:
            token = await self._credential.renew()
            wrong = s.wrong_principal(token.value, expected=self._terms.principal_id)
            if wrong is None:
                await self._completions.prove(token.value)
        except RefusedError as error:
            return error.refusal
        return wrong

    def _presented(self) -> Presented | None:
        """Read what the pod's own token claims; what cannot be read, the exchange will tell."""
        path = self._terms.token_file
        try:
            return presented(path.read_text(encoding="ascii")) if path else None
        except (OSError, UnicodeDecodeError):
            return None

    def _become(self, standing: s.Standing) -> None:
        before, self.standing = self.standing.latest, standing
        if before.reason is not standing.latest.reason:
            extra = {"reason": standing.latest.reason, "detail": for_readiness(standing.latest)}
            log.info("standing changed", extra=extra)
