"""Wire format of chat completions: the body, and the frames of the stream, as Azure sends them.

Azure's stream differs from OpenAI's: the first frame carries the verdict on the prompt and has no
choices, and every choice carries verdicts of the content filter.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.azure.openai.answers import Answer

FINGERPRINT = "fp_sandbox"
_SAFE = {"filtered": False, "severity": "safe"}
_VERDICT = {"hate": _SAFE, "self_harm": _SAFE, "sexual": _SAFE, "violence": _SAFE}
_FILTERED = {**_VERDICT, "violence": {"filtered": True, "severity": "medium"}}
_PROMPT_VERDICT = {**_VERDICT, "jailbreak": {"detected": False, "filtered": False}}
_PROMPT_RESULTS = [{"prompt_index": 0, "content_filter_results": _PROMPT_VERDICT}]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What marks an answer: its id, its time (seconds since 1970) and the model's full name."""

    id: str
    created: int
    model: str


@dataclass(frozen=True, slots=True)
class Frame:
    """One server-sent event; `token` tells whether a model would have had to think for it."""

    data: bytes
    token: bool = False


def completion(answer: Answer, stamp: Stamp) -> dict[str, object]:
    """The body of an answer that is not streamed."""
    choice = {
        "content_filter_results": _verdict(answer),
        "finish_reason": answer.finish,
        "index": 0,
        "logprobs": None,
        "message": {
            "annotations": [],
            "content": answer.text,
            "refusal": None,
            "role": "assistant",
        },
    }
    return {
        "choices": [choice],
        **_head(stamp, "chat.completion"),
        "prompt_filter_results": _PROMPT_RESULTS,
        "usage": _usage(answer),
    }


def chunks(answer: Answer, stamp: Stamp, *, include_usage: bool) -> Iterator[Frame]:
    """The frames of a streamed answer; usage comes last and only when it was asked for."""
    head = _head(stamp, "chat.completion.chunk")
    rest: Mapping[str, object] = {**head, "usage": None} if include_usage else head
    nothing = {"created": 0, "id": "", "model": "", "object": ""}
    yield event({"choices": [], **nothing, "prompt_filter_results": _PROMPT_RESULTS})
    role = {"content": "", "refusal": None, "role": "assistant"}
    yield event({"choices": [_choice(role, {})], **rest})
    for piece in answer.pieces:
        choice = _choice({"content": piece}, _VERDICT)
        yield event({"choices": [choice], **rest}, token=True)
    filtered = _FILTERED if answer.finish == "content_filter" else {}
    yield event({"choices": [_choice({}, filtered, answer.finish)], **rest})
    if include_usage:
        yield event({"choices": [], **head, "usage": _usage(answer)})
    yield Frame(b"data: [DONE]\n\n")


def event(data: Mapping[str, object], *, name: str | None = None, token: bool = False) -> Frame:
    """Write one server-sent event of JSON."""
    line = f"event: {name}\n" if name else ""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Frame(f"{line}data: {body}\n\n".encode(), token)


def _head(stamp: Stamp, kind: str) -> dict[str, object]:
    return {
        "created": stamp.created,
        "id": f"chatcmpl-{stamp.id}",
        "model": stamp.model,
        "object": kind,
        "system_fingerprint": FINGERPRINT,
    }


def _choice(
    delta: Mapping[str, object], verdict: Mapping[str, object], finish: str | None = None
) -> dict[str, object]:
    return {
        "content_filter_results": verdict,
        "delta": delta,
        "finish_reason": finish,
        "index": 0,
        "logprobs": None,
    }


def _verdict(answer: Answer) -> Mapping[str, object]:
    return _FILTERED if answer.finish == "content_filter" else _VERDICT


def _usage(answer: Answer) -> dict[str, object]:
    return {
        "completion_tokens": answer.completion_tokens,
        "completion_tokens_details": {
            "accepted_prediction_tokens": 0,
            "audio_tokens": 0,
            "reasoning_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
        "prompt_tokens": answer.prompt_tokens,
        "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 0},
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }
