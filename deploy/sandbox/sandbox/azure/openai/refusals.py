"""Refusals of the data plane, worded as Azure OpenAI words them.

The wordings were collected from errors that users of the service have published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAFE = {"filtered": False, "severity": "safe"}


class RefusalError(Exception):
    """A request that is answered with an error: an HTTP status and an `error` object."""

    def __init__(
        self, status: int, error: Mapping[str, object], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(str(error.get("message")))
        self.status = status
        self.error = error
        self.headers = headers or {}


def resource_not_found() -> RefusalError:
    """No such path, or a classic path without an api-version."""
    return RefusalError(404, {"code": "404", "message": "Resource not found"})


def deployment_not_found() -> RefusalError:
    """The account has no deployment of that name."""
    message = (
        "The API deployment for this resource does not exist. If you created the deployment "
        "within the last 5 minutes, please wait a moment and try again."
    )
    return RefusalError(404, {"code": "DeploymentNotFound", "message": message})


def model_not_found(name: str) -> RefusalError:
    """No model of that name; the wording is OpenAI's, Azure's could not be found."""
    return invalid(f"The model '{name}' does not exist", "model", "model_not_found", status=404)


def unreadable_body() -> RefusalError:
    """The body is not one JSON object of valid Unicode and finite numbers."""
    return invalid("We could not parse the JSON body of your request.", None, None)


def missing(name: str) -> RefusalError:
    """A required parameter is absent."""
    return invalid(f"Missing required parameter: '{name}'.", name, "missing_required_parameter")


def wrong_type(name: str, expected: str, value: object) -> RefusalError:
    """A parameter has another JSON type than `expected`, which is written with its article."""
    return invalid(
        f"Invalid type for '{name}': expected {expected}, but got {_kind(value)} instead.",
        name,
        "invalid_type",
    )


def wrong_value(name: str, value: str, supported: tuple[str, ...]) -> RefusalError:
    """A parameter is none of the supported values."""
    listed = ", ".join(f"'{each}'" for each in supported[:-1]) + f", and '{supported[-1]}'"
    return invalid(
        f"Invalid value: '{value}'. Supported values are: {listed}.", name, "invalid_value"
    )


def empty_list(name: str) -> RefusalError:
    """A list that needs an element has none."""
    return invalid(
        f"Invalid '{name}': empty array. Expected an array with minimum length 1, "
        "but got an empty array instead.",
        name,
        "empty_array",
    )


def out_of_bounds(
    name: str, value: float, bound: float, *, above: bool, whole: bool = False
) -> RefusalError:
    """A number beyond a bound, which itself would be allowed."""
    kind = "integer" if whole else "decimal"
    side, sign = ("above maximum", "<=") if above else ("below minimum", ">=")
    return invalid(
        f"Invalid '{name}': {kind} {side} value. Expected a value {sign} {bound}, "
        f"but got {value} instead.",
        name,
        f"{kind}_{'above_max' if above else 'below_min'}_value",
    )


def unsupported_parameter(name: str, use: str | None = None) -> RefusalError:
    """A reasoning model does not know the parameter; `use` is the one it knows instead."""
    hint = f" Use '{use}' instead." if use else ""
    return invalid(
        f"Unsupported parameter: '{name}' is not supported with this model.{hint}",
        name,
        "unsupported_parameter",
    )


def unsupported_value(name: str, value: float) -> RefusalError:
    """A reasoning model knows the parameter, but accepts only 1."""
    return invalid(
        f"Unsupported value: '{name}' does not support {value:g} with this model. "
        "Only the default (1) value is supported.",
        name,
        "unsupported_value",
    )


def context_exceeded(window: int, prompt: int, completion: int | None) -> RefusalError:
    """The prompt (and the completion asked for, if any) does not fit the window, in tokens."""
    if completion is None:
        length, reduce = f"your messages resulted in {prompt} tokens", "messages"
    else:
        length = (
            f"you requested {prompt + completion} tokens "
            f"({prompt} in the messages, {completion} in the completion)"
        )
        reduce = "messages or completion"
    return invalid(
        f"This model's maximum context length is {window} tokens. However, {length}. "
        f"Please reduce the length of the {reduce}.",
        "messages",
        "context_length_exceeded",
    )


def prompt_filtered() -> RefusalError:
    """The content filter stopped the prompt."""
    message = (
        "The response was filtered due to the prompt triggering Azure OpenAI's content management "
        "policy. Please modify your prompt and retry. To learn more about our content filtering "
        "policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766"
    )
    result = {
        "hate": _SAFE,
        "jailbreak": {"filtered": False, "detected": False},
        "self_harm": _SAFE,
        "sexual": _SAFE,
        "violence": {"filtered": True, "severity": "medium"},
    }
    return RefusalError(
        400,
        {
            "message": message,
            "type": None,
            "param": "prompt",
            "code": "content_filter",
            "status": 400,
            "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": result},
        },
    )


def invalid(message: str, param: str | None, code: str | None, status: int = 400) -> RefusalError:
    """An `invalid_request_error` with a message of its own."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return RefusalError(status, error)


_KINDS = (
    (type(None), "null"),
    (bool, "a boolean"),
    (str, "a string"),
    (int, "an integer"),
    (float, "a decimal number"),
    (list, "an array"),
)


def _kind(value: object) -> str:
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "an object")
