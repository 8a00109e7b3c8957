"""Wire format of the Responses API: the response object and the events of its stream.

Names and order of events follow the types of the openai package; there is no `[DONE]`.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from sandbox.azure.openai.frames import event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.azure.openai.answers import Answer
    from sandbox.azure.openai.frames import Frame, Stamp
    from sandbox.azure.openai.questions import Question

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


def response(question: Question, answer: Answer, stamp: Stamp) -> dict[str, object]:
    """The finished response object: `completed`, or `incomplete` with its reason."""
    reason = _INCOMPLETE.get(answer.finish)
    return {
        **_started(question, stamp),
        "status": _status(answer),
        "incomplete_details": {"reason": reason} if reason else None,
        "output": [_item(answer, stamp)],
        "usage": {
            "input_tokens": answer.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": answer.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": answer.prompt_tokens + answer.completion_tokens,
        },
    }


def events(question: Question, answer: Answer, stamp: Stamp) -> Iterator[Frame]:
    """The events of a streamed response, numbered from 0."""
    numbers = count()

    def say(name: str, fields: Mapping[str, object], *, token: bool = False) -> Frame:
        data = {"type": name, "sequence_number": next(numbers), **fields}
        return event(data, name=name, token=token)

    started = {"response": _started(question, stamp)}
    yield say("response.created", started)
    yield say("response.in_progress", started)
    item = {**_item(answer, stamp), "status": "in_progress", "content": []}
    yield say("response.output_item.added", {"output_index": 0, "item": item})
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    yield say("response.content_part.added", {**place, "part": _part("")})
    for piece in answer.pieces:
        delta = {**place, "delta": piece, "logprobs": []}
        yield say("response.output_text.delta", delta, token=True)
    yield say("response.output_text.done", {**place, "text": answer.text, "logprobs": []})
    yield say("response.content_part.done", {**place, "part": _part(answer.text)})
    yield say("response.output_item.done", {"output_index": 0, "item": _item(answer, stamp)})
    yield say(f"response.{_status(answer)}", {"response": response(question, answer, stamp)})


def _started(question: Question, stamp: Stamp) -> dict[str, object]:
    return {
        "id": f"resp_{stamp.id}",
        "object": "response",
        "created_at": stamp.created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": question.limit,
        "metadata": {},
        "model": stamp.model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "temperature": 1.0 if question.temperature is None else question.temperature,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0 if question.top_p is None else question.top_p,
        "truncation": "disabled",
        "usage": None,
        "user": None,
    }


def _item(answer: Answer, stamp: Stamp) -> dict[str, object]:
    return {
        "id": f"msg_{stamp.id}",
        "type": "message",
        "status": _status(answer),
        "content": [_part(answer.text)],
        "role": "assistant",
    }


def _part(text: str) -> dict[str, object]:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _status(answer: Answer) -> str:
    return "incomplete" if answer.finish in _INCOMPLETE else "completed"
