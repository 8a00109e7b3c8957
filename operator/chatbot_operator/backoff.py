"""How long to wait before trying again."""

from __future__ import annotations

FIRST_SECONDS = 2.0
LIMIT_SECONDS = 600.0
DOUBLINGS = 16


def delay(attempt: int, *, at_least: float = 0.0, random: float) -> float:
    """Give the seconds to wait after failed attempt number `attempt` (1 is the first).

    Doubles from two seconds to ten minutes. `random`, within [0, 1), spreads the wait over its
    upper half, so that a thousand chatbots refused together do not come back together. `at_least`
    is what the other side asked for (Retry-After); the spread comes on top of it.
    """
    ceiling = min(LIMIT_SECONDS, FIRST_SECONDS * 2.0 ** min(attempt - 1, DOUBLINGS))
    if at_least >= ceiling:
        return at_least * (1 + random / 10)
    return max(at_least, ceiling * (0.5 + random / 2))


def phase(uid: str, period: float) -> float:
    """Give the seconds until the next look at a chatbot at rest: `period`, +-10 % fixed by its uid.

    The spread is stable, so that a fleet made at once does not come round at once for ever.
    """
    return period * (0.9 + share(uid) / 5)


def share(uid: str) -> float:
    """Give a number within [0, 1) that is always the same for a uid, and spread over all."""
    return (sum(uid.encode()) * 2654435761 % 1000) / 1000
