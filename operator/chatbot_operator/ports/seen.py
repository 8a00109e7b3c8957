"""What can be seen of a pass from outside: its steps, and the requests that it makes of Azure."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from http import HTTPStatus

READING = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Request:
    """A request of Azure Resource Manager that has ended; nothing of what it carried.

    `operation` is one of the port's, in words; `status` the HTTP status, 0 where no answer came;
    `seconds` from when it left, without the wait for its turn; `request_id` the x-ms-request-id.
    """

    operation: str
    method: str
    status: int
    seconds: float
    request_id: str = ""

    @property
    def wrote(self) -> bool:
        """Tell whether it changed something."""
        return wrote(self.method, self.status)


def wrote(method: str, status: int) -> bool:
    """Tell whether an HTTP request that was so answered changed something."""
    done = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
    return method not in READING and done


Tell = Callable[[str, bool], None]
"""Takes the outcome of a pass or a step, and whether something is wrong."""

Step = Callable[[str], AbstractContextManager[None]]
"""Watches a step of a pass, by its name, while the block runs; a Fault that leaves it passes on."""


def unseen(_: str) -> AbstractContextManager[None]:
    """Watch nothing."""
    return nullcontext()
