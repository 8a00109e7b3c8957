"""From a question to an answer of the built-in model: what a model refuses, says and counts.

Tokens are estimated as UTF-8 bytes divided by four, rounded up, which is near what OpenAI's own
tokenizers give for English prose.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.azure.openai import model, refusals

if TYPE_CHECKING:
    from sandbox.azure.access import Deployment
    from sandbox.azure.openai.questions import Question

FILTERED_PROMPT = "trigger the content filter"
"""A prompt that contains this phrase is refused with 400 `content_filter`."""

FILTERED_ANSWER = "filter the answer"
"""An answer to a prompt that contains this phrase ends early: finish reason `content_filter`."""

BYTES_PER_TOKEN = 4
MESSAGE_OVERHEAD = 4
"""Tokens that each message costs beside its text."""

# The prefix that comes first wins; sizes in tokens, from the model tables of Azure OpenAI.
_WINDOWS = (
    ("gpt-35", 16_385),
    ("gpt-4-32k", 32_768),
    ("gpt-4-turbo", 128_000),
    ("gpt-4o", 128_000),
    ("gpt-4.", 128_000),
    ("gpt-4", 8_192),
    ("gpt-5", 272_000),
    ("o1", 200_000),
    ("o3", 200_000),
    ("o4", 200_000),
)
_OTHER_WINDOW = 128_000
_FIXED_TEMPERATURE = "gpt-5"
_REASONING = ("o1", "o3", "o4", _FIXED_TEMPERATURE)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in the pieces it is streamed in.

    `finish` is `stop`, `length` or `content_filter`; counts are in tokens.
    """

    pieces: tuple[str, ...]
    finish: str
    prompt_tokens: int
    completion_tokens: int

    @property
    def text(self) -> str:
        """All pieces in one."""
        return "".join(self.pieces)


def compose(question: Question, deployment: Deployment) -> Answer:
    """Answer with the built-in model.

    Raises:
        RefusalError: the model does not take a parameter, the prompt is too long or filtered.
    """
    _check_parameters(question, deployment.model.lower())
    prompt = sum(count(m.text.encode()) + MESSAGE_OVERHEAD for m in question.messages)
    _check_window(question, prompt, deployment.model.lower())
    said = "\n".join(m.text for m in question.messages).lower()
    if FILTERED_PROMPT in said:
        raise refusals.prompt_filtered()
    text, finish = model.answer(question.messages, deployment.model), "stop"
    if FILTERED_ANSWER in said:
        text, finish = text[: len(text) // 2], "content_filter"
    if question.limit is not None and count(text.encode()) > question.limit:
        text, finish = _cut(text, question.limit), "length"
    return Answer(_pieces(text), finish, prompt, count(text.encode()))


def count(text: bytes) -> int:
    """Estimate the number of tokens of a text in UTF-8."""
    return -(-len(text) // BYTES_PER_TOKEN)


def _cut(text: str, tokens: int) -> str:
    return text.encode()[: tokens * BYTES_PER_TOKEN].decode(errors="ignore")


def _pieces(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\s*\S+|\s+$", text))


def _check_parameters(question: Question, name: str) -> None:
    if not name.startswith(_REASONING):
        return
    if question.limited_by == "max_tokens":
        raise refusals.unsupported_parameter("max_tokens", use="max_completion_tokens")
    for parameter, value in (("temperature", question.temperature), ("top_p", question.top_p)):
        if value is None:
            continue
        if not name.startswith(_FIXED_TEMPERATURE):
            raise refusals.unsupported_parameter(parameter)
        if value != 1:
            raise refusals.unsupported_value(parameter, value)


def _check_window(question: Question, prompt: int, name: str) -> None:
    window = next((size for prefix, size in _WINDOWS if name.startswith(prefix)), _OTHER_WINDOW)
    if prompt + (question.limit or 0) > window:
        raise refusals.context_exceeded(window, prompt, question.limit)
