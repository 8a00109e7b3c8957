"""Rate limits of deployments: tokens and requests per minute, as their capacity allows.

One unit of capacity is 1,000 tokens and 6 requests per minute (the `rateLimits` of a deployment in
a recording of the service); Azure's sliding windows are simplified to whole minutes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.azure.openai.refusals import RefusalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.azure.access import Deployment

TOKENS_PER_UNIT = 1_000
REQUESTS_PER_UNIT = 6
WINDOW = 60.0


@dataclass(slots=True)
class _Window:
    ends: float
    tokens: int
    requests: int


@dataclass(slots=True)
class Quota:
    """What every deployment has left of its minute."""

    region: str
    _windows: dict[tuple[str, str], _Window] = field(default_factory=dict)

    def take(
        self, account: str, deployment: Deployment, tokens: int, *, operation: str, now: float
    ) -> Mapping[str, str]:
        """Take one request and its tokens; returns the headers that tell what is left.

        `operation` names the request in the refusal, `now` is in seconds.

        Raises:
            RefusalError: 429 with Retry-After, because a limit is exhausted.
        """
        window = self._window(account, deployment, now)
        exhausted = "token" if tokens > window.tokens else "call" if window.requests < 1 else None
        if exhausted:
            wait = math.ceil(window.ends - now)
            raise self._refusal(deployment, exhausted, operation, wait)
        window.tokens -= tokens
        window.requests -= 1
        return {
            "x-ratelimit-limit-requests": str(deployment.capacity * REQUESTS_PER_UNIT),
            "x-ratelimit-limit-tokens": str(deployment.capacity * TOKENS_PER_UNIT),
            "x-ratelimit-remaining-requests": str(window.requests),
            "x-ratelimit-remaining-tokens": str(window.tokens),
        }

    def _window(self, account: str, deployment: Deployment, now: float) -> _Window:
        key = (account.lower(), deployment.name.lower())
        window = self._windows.get(key)
        if window is None or now >= window.ends:
            units = deployment.capacity
            window = _Window(now + WINDOW, units * TOKENS_PER_UNIT, units * REQUESTS_PER_UNIT)
            self._windows[key] = window
        return window

    def _refusal(
        self, deployment: Deployment, exhausted: str, operation: str, wait: int
    ) -> RefusalError:
        message = (
            f"Your requests to {deployment.name} for {deployment.model} in {self.region} have "
            f"exceeded the {exhausted} rate limit for your current OpenAI S0 pricing tier. "
            f"This request was for {operation}. Please retry after {wait} seconds."
        )
        headers = {
            "Retry-After": str(wait),
            "x-ratelimit-remaining-tokens": "0",
            "x-ratelimit-reset-tokens": str(wait),
            "policy-id": f"DeploymentRatelimit-{exhausted.capitalize()}",
        }
        return RefusalError(429, {"code": "429", "message": message}, headers)
