"""One call of an SDK: what it is for, what it says when it is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError

from chatbot_operator.azure.budget import PausedError
from chatbot_operator.azure.refusals import REQUEST_ID, refusal_of
from chatbot_operator.azure.transport import OPERATION
from chatbot_operator.errors import Refusal


@asynccontextmanager
async def call(operation: str, *, reading: bool = False) -> AsyncIterator[str]:
    """Give the operation's name; a Refusal stands for whatever goes wrong in the block."""
    meant = OPERATION.set(operation)
    try:
        yield operation
    except PausedError as pause:
        raise Refusal(
            operation,
            status=HTTPStatus.TOO_MANY_REQUESTS,
            code="TooManyRequests",
            message="Azure asked to pause calls of this kind.",
            retry_after=pause.seconds,
            reading=reading,
        ) from pause
    except AzureError as error:
        refusal = refusal_of(operation, error)
        refusal.reading = reading
        raise refusal from error
    finally:
        OPERATION.reset(meant)


def with_request_id(response: Any, body: Any, _headers: Any) -> tuple[Any, str]:
    """Give what was answered together with the id of the request, as an operation's `cls`."""
    return body, response.http_response.headers.get(REQUEST_ID, "")


async def or_none(asked: Any) -> Any:
    """Give what is answered; None where there is no such thing."""
    try:
        return await asked
    except HttpResponseError as error:
        code = error.error.code if error.error else ""
        # A missing resource group or subscription is another matter: somebody must act.
        if code in {"ResourceNotFound", "RoleAssignmentNotFound", "ParentResourceNotFound"}:
            return None
        raise
