"""Which of several operators may write: the decisions behind the Lease, without clock or I/O.

A Lease says who holds it and for how long. Nobody's time of day counts: a candidate measures on
its own monotonic clock how long the Lease has not changed, as client-go does
(tools/leaderelection), so that clocks of nodes may differ by hours.

    last renewal sent        renew deadline          the others may take it
    |------------------------|-----------------------|
    0 s     holder writes    10 s   holder is gone   15 s after they saw the renewal
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from chatbot_operator.ports import Object, Resource

LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")

LEASE_SECONDS = 15
"""How long a Lease that does not change keeps the others waiting."""
RENEW_SECONDS = 10.0
"""How long after it sent its last renewal a holder may write; the rest is for what is under way."""
RETRY_SECONDS = 2.0
"""Between two looks at the Lease, of the holder as of the others."""
AGAIN_SECONDS = 0.2
"""After a renewal that failed."""
CALL_SECONDS = 3.0
"""For one call: three fit before the deadline."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a Lease says; `holder` is empty when it was given back."""

    version: str
    holder: str
    seconds: float
    transitions: int

    @classmethod
    def parse(cls, body: Object) -> Self:
        """Read the Lease as the API server returned it; every field of its spec is optional."""
        spec = body.get("spec", {})
        return cls(
            version=body["metadata"]["resourceVersion"],
            holder=spec.get("holderIdentity") or "",
            seconds=float(spec.get("leaseDurationSeconds") or LEASE_SECONDS),
            transitions=spec.get("leaseTransitions") or 0,
        )


@dataclass(frozen=True, slots=True)
class Sight:
    """A claim, and since when it has been seen unchanged, in monotonic seconds."""

    claim: Claim
    since: float

    def then(self, claim: Claim, now: float) -> Sight:
        """Give what is known after another look."""
        return Sight(claim, now) if claim != self.claim else self

    def free_in(self, me: str, now: float) -> float:
        """Tell in how many seconds candidate `me` may take the Lease; 0 is now."""
        if self.claim.holder in ("", me):
            return 0.0
        return max(0.0, self.since + self.claim.seconds - now)


def lease(namespace: str, name: str, holder: str, *, at: str, before: Claim | None) -> Object:
    """Give the Lease as `holder` writes it; empty gives it back.

    `at` is the time of day (RFC 3339 with microseconds), for people only. `before` is what it
    said: the write holds only as long as it still says so.
    """
    transitions = before.transitions if before else 0
    if before and holder and before.holder != holder:
        transitions += 1
    version = {"resourceVersion": before.version} if before else {}
    return {
        "apiVersion": LEASES.api_version,
        "kind": LEASES.kind,
        "metadata": {"namespace": namespace, "name": name, **version},
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": LEASE_SECONDS if holder else 1,
            "renewTime": at,
            "leaseTransitions": transitions,
        },
    }
