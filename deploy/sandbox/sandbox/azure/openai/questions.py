"""What clients send: bodies of chat completions and of responses, parsed once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from sandbox.azure.openai import refusals
from sandbox.azure.openai.model import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

CHAT_ROLES = ("system", "assistant", "user", "function", "tool", "developer")
RESPONSE_ROLES = ("assistant", "system", "developer", "user")
MIN_OUTPUT_TOKENS = 16
"""The least `max_output_tokens` that the Responses API accepts."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request for an answer, the same for both APIs.

    `limit` is the most tokens the answer may have, under the parameter named `limited_by`;
    None means not set, for `temperature` and `top_p` too.
    """

    messages: tuple[Message, ...]
    limit: int | None
    limited_by: str
    temperature: float | None
    top_p: float | None
    stream: bool
    include_usage: bool


def read_body(raw: bytes) -> Mapping[str, object]:
    """Parse a JSON object.

    Raises:
        RefusalError: it is none, or it holds what JSON or Unicode does not (NaN, half surrogates).
    """
    try:
        body = json.loads(raw, parse_constant=_refuse_constant)
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise refusals.unreadable_body() from error
    if not isinstance(body, dict):
        raise refusals.unreadable_body()
    return body


def read_model(body: Mapping[str, object]) -> str:
    """Read the deployment that a v1 body names as its model.

    Raises:
        RefusalError: it names none.
    """
    name = body.get("model")
    if name is None:
        raise refusals.missing("model")
    return _text(name, "model")


def read_chat(body: Mapping[str, object]) -> Question:
    """Read a body of chat completions.

    Raises:
        RefusalError: a parameter is missing, of a wrong type or out of its bounds.
    """
    given = body.get("messages")
    if given is None:
        raise refusals.missing("messages")
    newer = _limit(body, "max_completion_tokens", 1)
    older = _limit(body, "max_tokens", 1)
    stream = _flag(body, "stream")
    options = body.get("stream_options")
    if options is not None and not stream:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise refusals.invalid(message, "stream_options", None)
    return Question(
        messages=_messages(given, "messages", CHAT_ROLES),
        limit=newer if newer is not None else older,
        limited_by="max_tokens" if older is not None else "max_completion_tokens",
        temperature=_number(body, "temperature", 2),
        top_p=_number(body, "top_p", 1),
        stream=stream,
        include_usage=_flag(options, "include_usage") if isinstance(options, dict) else False,
    )


def read_response(body: Mapping[str, object]) -> Question:
    """Read a body of the Responses API; earlier responses are not stored, so none can be continued.

    Raises:
        RefusalError: a parameter is missing, of a wrong type or out of its bounds.
    """
    given = body.get("input")
    if given is None:
        raise refusals.missing("input")
    previous = body.get("previous_response_id")
    if previous is not None:
        message = f"Previous response with id '{previous}' not found."
        raise refusals.invalid(message, "previous_response_id", "previous_response_not_found")
    said = (
        (Message("user", given),)
        if isinstance(given, str)
        else _messages(given, "input", RESPONSE_ROLES)
    )
    instructions = body.get("instructions")
    told = () if instructions is None else (Message("system", _text(instructions, "instructions")),)
    return Question(
        messages=told + said,
        limit=_limit(body, "max_output_tokens", MIN_OUTPUT_TOKENS),
        limited_by="max_output_tokens",
        temperature=_number(body, "temperature", 2),
        top_p=_number(body, "top_p", 1),
        stream=_flag(body, "stream"),
        include_usage=True,
    )


def _messages(given: object, name: str, roles: tuple[str, ...]) -> tuple[Message, ...]:
    if not isinstance(given, list):
        raise refusals.wrong_type(name, "an array of objects", given)
    if not given:
        raise refusals.empty_list(name)
    return tuple(_message(each, f"{name}[{n}]", roles) for n, each in enumerate(given))


def _message(given: object, name: str, roles: tuple[str, ...]) -> Message:
    if not isinstance(given, dict):
        raise refusals.wrong_type(name, "an object", given)
    if given.get("role") is None:
        raise refusals.missing(f"{name}.role")
    role = _text(given["role"], f"{name}.role")
    if role not in roles:
        raise refusals.wrong_value(f"{name}.role", role, roles)
    return Message(role, _content(given.get("content"), f"{name}.content", role))


def _content(given: object, name: str, role: str) -> str:
    if isinstance(given, str):
        return given
    if isinstance(given, list):
        return "\n".join(_part(part, f"{name}[{n}]") for n, part in enumerate(given))
    # An assistant's turn that only called tools has no content.
    if given is None and role == "assistant":
        return ""
    raise refusals.wrong_type(name, "a string or an array of objects", given)


def _part(given: object, name: str) -> str:
    if not isinstance(given, dict):
        raise refusals.wrong_type(name, "an object", given)
    kind = _text(given.get("type"), f"{name}.type")
    if "text" not in given:
        return f"[{kind}]"
    return _text(given["text"], f"{name}.text")


def _text(given: object, name: str) -> str:
    if not isinstance(given, str):
        raise refusals.wrong_type(name, "a string", given)
    return given


def _flag(body: Mapping[str, object], name: str) -> bool:
    value = body.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise refusals.wrong_type(name, "a boolean", value)


def _limit(body: Mapping[str, object], name: str, least: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise refusals.wrong_type(name, "an integer", value)
    if value < least:
        raise refusals.out_of_bounds(name, value, least, above=False, whole=True)
    return value


def _number(body: Mapping[str, object], name: str, most: int) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise refusals.wrong_type(name, "a decimal", value)
    if value < 0 or value > most:
        raise refusals.out_of_bounds(name, value, most if value > most else 0, above=value > most)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
