"""What is said to a client of OpenAI: completions, their chunks, and the list of models.

Members and their order are those of https://platform.openai.com/docs/api-reference/chat; `memory`
is ours: how many older messages were left out, and how many were sent.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chatbot_app.reasons import ChatReason

if TYPE_CHECKING:
    from chatbot_app.answering import End
    from chatbot_app.completions import Usage

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Head:
    """What every part of one answer repeats; `created` in seconds since 1970."""

    id: str
    created: int
    model: str

    def _with(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }

    def completion(self, text: str, usage: Usage | None, end: End) -> dict[str, Any]:
        """Render a whole answer."""
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = _choice(finish=finish(end)) | {"message": message}
        said = self._with("chat.completion", [choice]) | {"memory": _memory(end)}
        return said if usage is None else said | {"usage": _usage(usage)}

    def chunk(self, delta: dict[str, str]) -> dict[str, Any]:
        """Render the next piece of an answer."""
        return self._with("chat.completion.chunk", [_choice() | {"delta": delta}])

    def last_chunk(self, end: End) -> dict[str, Any]:
        """Render the end of an answer."""
        choice = _choice(finish=finish(end)) | {"delta": {}}
        return self._with("chat.completion.chunk", [choice]) | {"memory": _memory(end)}

    def usage_chunk(self, usage: Usage) -> dict[str, Any]:
        """Render what an answer took."""
        return self._with("chat.completion.chunk", []) | {"usage": _usage(usage)}


def models(names: list[str]) -> dict[str, Any]:
    """Render the list of models."""
    return {"object": "list", "data": [model(name) for name in names]}


def model(name: str) -> dict[str, Any]:
    """Render one model; nobody knows when it was made."""
    return {"id": name, "object": "model", "created": 0, "owned_by": "chatbot"}


def data(said: dict[str, Any]) -> bytes:
    """Render a server-sent event."""
    return f"data: {json.dumps(said, ensure_ascii=False)}\n\n".encode()


def finish(end: End) -> str:
    """Name the end in OpenAI's words."""
    return "content_filter" if filtered(end) else end.finish


def filtered(end: End) -> bool:
    """Tell whether the content filter cut the answer off, which is an end, as with Azure."""
    return end.refusal is not None and end.refusal.reason is ChatReason.CONTENT_FILTERED


def _choice(finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "logprobs": None, "finish_reason": finish}


def _usage(usage: Usage) -> dict[str, int]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def _memory(end: End) -> dict[str, int]:
    return {"left_out": end.left_out, "sent": end.sent}
