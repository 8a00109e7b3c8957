"""What a client of OpenAI asks for, read strictly: whatever would not be done is refused.

Nothing is dropped in silence that would change the answer. What says who asks or where the answer
is kept changes none, and is of no interest here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from chatbot_app import conversation
from chatbot_app.characters import whole
from chatbot_app.completions import Sampling
from chatbot_app.denials import Denial, DeniedError

if TYPE_CHECKING:
    from collections.abc import Collection

_DONE = frozenset(
    {"model", "messages", "stream", "stream_options", "temperature", "top_p", "stop"}
    | {"max_completion_tokens", "max_tokens"}
)
_NO_MATTER = frozenset(
    {"user", "metadata", "store", "service_tier", "safety_identifier"}
    | {"prompt_cache_key", "prompt_cache_retention"}
)
_AS_IT_IS: dict[str, tuple[object, ...]] = {
    "n": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logprobs": (False,),
    "logit_bias": ({},),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "parallel_tool_calls": (True, False),
    "modalities": (["text"],),
    "response_format": ({"type": "text"},),
}
"""Parameters that are taken only at the value that they have anyway."""
_MOST_STOPS = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """A conversation, what is wanted of the answer, and the form it is sent in."""

    messages: tuple[conversation.Message, ...]
    sampling: Sampling
    stream: bool
    with_usage: bool


def parse(body: object, *, models: Collection[str]) -> Asked:
    """Read the body of a chat completion for one of `models`.

    Raises:
        DeniedError: something in it is malformed or would not be done; it names the parameter.
    """
    if not isinstance(body, dict):
        _refuse("The request must be a JSON object.", None)
    given = {name: value for name, value in body.items() if value is not None}
    _look_for_more(given)
    _check_model(given.get("model"), models)
    stream = _flag(given, "stream")
    options = given.get("stream_options", {})
    if not isinstance(options, dict) or not (stream or "stream_options" not in given):
        _refuse("“stream_options” is an object, and goes with “stream”.", "stream_options")
    return Asked(
        messages=_messages(given.get("messages")),
        sampling=Sampling(
            temperature=_number(given, "temperature", 2),
            top_p=_number(given, "top_p", 1),
            max_output_tokens=_tokens(given, "max_completion_tokens")
            or _tokens(given, "max_tokens"),
            stop=_stops(given.get("stop", [])),
        ),
        stream=stream,
        with_usage=_flag(options, "include_usage"),
    )


def _look_for_more(given: dict[str, Any]) -> None:
    for name, value in given.items():
        if name in _DONE or name in _NO_MATTER or value in _AS_IT_IS.get(name, ()):
            continue
        param = whole(name[:60])
        _refuse(f"This chatbot does not take “{param}”.", param, code="unsupported_parameter")


def _check_model(model: object, models: Collection[str]) -> None:
    if model not in models:
        known = " or ".join(f"“{name}”" for name in models)
        words = f"There is no such model here: “model” is {known}."
        raise DeniedError(Denial(404, words, param="model", code="model_not_found"))


def _messages(given: object) -> tuple[conversation.Message, ...]:
    """Read the conversation. Instructions are the chatbot's own, and nobody else gives any."""
    if not isinstance(given, list):
        _refuse("“messages” is a list of messages.", "messages")
    for index, message in enumerate(given):
        if isinstance(message, dict):
            _look_for_more_in(message, f"messages[{index}]")
    plain = [m | {"content": _text(m.get("content"))} if isinstance(m, dict) else m for m in given]
    try:
        return conversation.parse({"messages": plain})
    except conversation.UnacceptableError as error:
        _refuse(str(error), "messages")


def _look_for_more_in(message: dict[str, Any], name: str) -> None:
    if message.get("role") in ("system", "developer"):
        words = (
            "This chatbot has instructions of its own and takes no others: "
            "say it in a message of the user."
        )
        _refuse(words, f"{name}.role", code="unsupported_value")
    if message.get("tool_calls"):
        words = "This chatbot calls no tools."
        _refuse(words, f"{name}.tool_calls", code="unsupported_value")
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    if any(isinstance(part, dict) and part.get("type", "text") != "text" for part in parts):
        words = "This chatbot reads text, and no pictures, sounds or files."
        _refuse(words, f"{name}.content", code="unsupported_value")


def _text(content: object) -> object:
    """Join what is given in parts of text; what is no text stays, to be refused."""
    if not isinstance(content, list):
        return content
    texts = [part.get("text") for part in content if isinstance(part, dict)]
    whole = len(texts) == len(content) and all(isinstance(text, str) for text in texts)
    return "".join(map(str, texts)) if whole else content


def _flag(given: dict[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        _refuse(f"“{name}” is true or false.", name)
    return value


def _number(given: dict[str, Any], name: str, most: int) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        _refuse(f"“{name}” is a number from 0 to {most}.", name)
    return value


def _tokens(given: dict[str, Any], name: str) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        _refuse(f"“{name}” is a whole number from 1.", name)
    return value


def _stops(given: object) -> tuple[str, ...]:
    stops = given if isinstance(given, list) else [given]
    if len(stops) > _MOST_STOPS or not all(isinstance(stop, str) and stop for stop in stops):
        _refuse(f"“stop” is a text, or a list of at most {_MOST_STOPS}.", "stop")
    return tuple(stops)


def _refuse(words: str, param: str | None, *, code: str = "invalid_value") -> NoReturn:
    raise DeniedError(Denial(400, words, param=param, code=code))
