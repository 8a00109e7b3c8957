"""What is posted to the chatbot: JSON, and not too much of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import ClientDisconnect

from chatbot_app.denials import Denial, DeniedError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from starlette.requests import Request

Given = TypeVar("Given")

BODY_LIMIT = 1024 * 1024
"""Bytes; more is not read."""
ARRIVED_WITHIN = 60.0
"""Seconds for all of a body to arrive: meanwhile whoever sends it has a place."""


async def posted(request: Request) -> object:
    """Read the body.

    Raises:
        DeniedError: it is too large, too slow or no JSON, or says that it is no JSON. A page of
            another site can post such a body without asking.
        ClientDisconnect: whoever posts it left.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise DeniedError(Denial(415, "The request must be JSON."))
    try:
        async with asyncio.timeout(ARRIVED_WITHIN):
            return json.loads(await _body(request))
    except TimeoutError as error:
        raise DeniedError(Denial(408, "The request took too long to arrive.")) from error
    except (ValueError, RecursionError) as error:
        raise DeniedError(Denial(400, "The request is not valid JSON.")) from error


async def _body(request: Request) -> bytearray:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_LIMIT:
            raise DeniedError(
                Denial(413, "The conversation is larger than 1 MiB. Please start a new chat.")
            )
    return body


async def unless_left(request: Request, work: Coroutine[Any, Any, Given]) -> Given:
    """Do the work, and end it the moment whoever asked for it leaves; the body has been read.

    Raises:
        ClientDisconnect: they left.
    """
    gone = asyncio.create_task(_gone(request))
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({gone, task}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        for each in (gone, task):
            each.cancel()
            with contextlib.suppress(asyncio.CancelledError, DeniedError):
                await each


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
