"""What can go wrong, each with the reason that the status shows and what happens next.

    Fault
    |-- Pending    something on its way: look again soon, nobody has to act
    |-- Transient  a call failed that may succeed later: back off
    |-- Blind      the operator lacks a right or a token: says nothing about what works already
    `-- Stuck      somebody has to act; looked at again, slowly
        `-- Denied     the account's owners do not consent (any more): what was given is withdrawn

A fault's `reason` is a condition's reason; its `message` says cause and fix in words.
"""

from __future__ import annotations

from enum import StrEnum


class Service(StrEnum):
    """Who answered."""

    ARM = "Azure Resource Manager"
    ENTRA = "Microsoft Entra ID"
    KUBERNETES = "Kubernetes"
    POD = "the chatbot's pod"


class Fault(Exception):  # noqa: N818 - not every fault is an error
    """A step cannot be finished now.

    `retry_after` is the least number of seconds before the next look; `trace` the id of the request
    whose answer it was, another with every try. `unseen`: a read failed, so nothing was learnt
    about what is; otherwise something is known to be missing.
    """

    unseen = False

    def __init__(
        self, reason: str, message: str, *, retry_after: float = 0.0, trace: str = ""
    ) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.retry_after = retry_after
        self.trace = trace


class Pending(Fault):
    """Something is on its way; look again after `retry_after` seconds, without backing off."""


class Transient(Fault):
    """A call failed in a way that passes: throttled, unavailable, cut off, in conflict."""


class Blind(Fault):
    """The operator itself is refused. Somebody has to act, but what works goes on working."""


class Stuck(Fault):
    """Nothing will change before somebody acts."""


class Denied(Stuck):
    """Those who own the account do not consent to what a chatbot asks; one of DENIALS says why."""


class Refusal(Exception):  # noqa: N818 - what Azure said, before it is judged
    """An Azure Resource Manager call that did not succeed.

    `service` is ENTRA when no token was to be had for it. `status` is the HTTP status, 0 when no
    answer came; `code` Resource Manager's `error.code` or Entra's AADSTS number, never the text;
    `request_id` the x-ms-request-id by which Microsoft's support finds the call; `retry_after` in
    seconds; `reading` tells that nothing was to be changed.
    """

    def __init__(
        self,
        operation: str,
        *,
        status: int,
        code: str,
        message: str,
        request_id: str = "",
        retry_after: float = 0.0,
        reading: bool = False,
        service: Service = Service.ARM,
    ) -> None:
        super().__init__(f"{operation}: {status} {code}: {message}")
        self.operation = operation
        self.status = status
        self.code = code
        self.message = message
        self.request_id = request_id
        self.retry_after = retry_after
        self.reading = reading
        self.service = service


class KubernetesRefusal(Exception):  # noqa: N818 - what the API server said, before it is judged
    """A Kubernetes call that did not succeed; `status` is 0 when no answer came."""

    def __init__(self, operation: str, status: int, reason: str, message: str) -> None:
        super().__init__(f"{operation}: {status} {reason}: {message}")
        self.operation = operation
        self.status = status
        self.reason = reason
        self.message = message
