"""How a chatbot stands with Azure: the pure half of the proof.

    Starting ─▶ WaitingForCredential ─▶ attempt ─▶ attempt ─▶ Proven ─▶ attempt …
                                          20 s, 60 s, 120 s …          every recheck

The first proof latches: after it `proven_at` never goes back, whatever the later attempts say.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from chatbot_app.claims import Presented, claim
from chatbot_app.reasons import Reason, Refusal
from chatbot_app.words import for_readiness

if TYPE_CHECKING:
    from collections.abc import Callable

_STARTING = Refusal(Reason.STARTING)
_SCHEDULE = (20.0, 60.0, 120.0)
_JITTER = 0.2
_SPEAKS_OF_ACCESS = frozenset({Reason.PERMISSION_DENIED, Reason.DEPLOYMENT_NOT_FOUND})


@dataclass(frozen=True, slots=True)
class Standing:
    """The latest outcome of the proof and of the chats; `attempts` counts finished ones.

    `presented` is what the pod's own token claimed at the last attempt.
    """

    attempts: int = 0
    proven_at: dt.datetime | None = None
    proof: Refusal = _STARTING
    chat: Refusal | None = None
    presented: Presented | None = None

    @property
    def latest(self) -> Refusal:
        """What is reported: a failed proof, else what the last chat said about access."""
        if self.proof.reason is Reason.PROVEN and self.chat is not None:
            return self.chat
        return self.proof


def waiting(standing: Standing) -> Standing:
    """Wait for the federated credential to be old enough."""
    return replace(standing, proof=Refusal(Reason.WAITING_FOR_CREDENTIAL))


def after_attempt(standing: Standing, refusal: Refusal | None, *, now: dt.datetime) -> Standing:
    """Take in an attempt; None is a proof.

    A proof ends a chat's `PermissionDenied`, which it contradicts. It does not end
    `DeploymentNotFound`: it reads the list of models, which knows nothing of deployments.
    """
    attempts = standing.attempts + 1
    if refusal is not None:
        return replace(standing, attempts=attempts, proof=refusal)
    denied = standing.chat is not None and standing.chat.reason is Reason.PERMISSION_DENIED
    return replace(
        standing,
        attempts=attempts,
        proven_at=standing.proven_at or now,
        proof=Refusal(Reason.PROVEN),
        chat=None if denied else standing.chat,
    )


def after_chat(standing: Standing, refusal: Refusal | None) -> Standing:
    """Take in how a chat ended; only a success, no role and no deployment speak of access."""
    if refusal is None:
        return replace(standing, chat=None)
    return replace(standing, chat=refusal) if refusal.reason in _SPEAKS_OF_ACCESS else standing


def presenting(standing: Standing, presented: Presented | None) -> Standing:
    """Take in what is about to be presented to Entra."""
    return replace(standing, presented=presented)


def pause_after(standing: Standing, *, recheck: float, random: Callable[[], float]) -> float:
    """Seconds until the next attempt, ±20 % so that replicas do not move in step."""
    if standing.proven_at is not None:
        base = recheck
    else:
        base = _SCHEDULE[min(max(standing.attempts, 1), len(_SCHEDULE)) - 1]
    return base * (1 - _JITTER + 2 * _JITTER * random())


def first_wait(*, since: dt.datetime, delay: float, now: dt.datetime) -> float:
    """Seconds until the credential is `delay` old; a clock that runs behind cannot make it more."""
    return max(0.0, min(delay, delay - (now - since).total_seconds()))


def document(standing: Standing) -> dict[str, Any]:
    """Build the readiness document of `docs/contract.md`."""
    proven_at, presented = standing.proven_at, standing.presented
    return {
        "reason": str(standing.latest.reason),
        "message": for_readiness(standing.latest),
        "provenAt": None if proven_at is None else f"{proven_at:%Y-%m-%dT%H:%M:%SZ}",
        "presented": None if presented is None else asdict(presented),
        "trace": standing.latest.trace or None,
    }


def wrong_principal(token: str, *, expected: str) -> Refusal | None:
    """Compare the token's `oid` with the identity's."""
    found = claim(token, "oid")
    if not expected or found.lower() == expected.lower():
        return None
    return Refusal(Reason.WRONG_PRINCIPAL, f"Its oid is {found or 'missing'}, not {expected}.")
