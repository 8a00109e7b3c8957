"""What happened in a pass: what Azure carried out, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Receipt:
    """Azure's answer to a write that it carried out.

    `target` is the ARM id of what was written; `request_id` the x-ms-request-id by which the call
    is found in the activity log and by Microsoft's support, empty if Azure gave none.
    """

    operation: str
    target: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened to a chatbot or an account, as its event tells it.

    `reason` is one word for programs, `message` says what in words, `action` what was being done.
    """

    reason: str
    message: str
    action: str = "Reconcile"
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Journal:
    """What happened in a pass, in order; told as events at its end."""

    notes: list[Note] = field(default_factory=list)

    def note(
        self, reason: str, message: str, receipt: Receipt | None = None, *, warning: bool = False
    ) -> None:
        """Note that something happened; by Azure's hand if there is a receipt for it."""
        if receipt is None:
            self.notes.append(Note(reason, message, warning=warning))
            return
        action = "".join(word.capitalize() for word in receipt.operation.split())
        told = f"{message} {receipt.target} (request {receipt.request_id or 'without an id'})"
        self.notes.append(Note(reason, told, action, warning))
