"""Asks a chatbot over its own API, as a page would, and hands out what it streams back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx2

Turn = dict[str, str]


class Refused(Exception):  # noqa: N818 - what the chatbot said
    """The chatbot answered with an error, in its own words."""


async def ask(url: str, turns: list[Turn]) -> AsyncIterator[str]:
    """Post the conversation so far to the chatbot at `url`, and give the answer piece by piece.

    Raises:
        Refused: the chatbot said why it has no answer.
        httpx2.HTTPError: nothing answered there.
    """
    timeout = httpx2.Timeout(10, read=120)
    async with (
        httpx2.AsyncClient(timeout=timeout) as client,
        client.stream("POST", f"{url}/api/chat", json={"messages": turns}) as answer,
    ):
        event = ""
        async for line in answer.aiter_lines():
            kind, _, value = line.partition(":")
            if kind == "event":
                event = value.strip()
            elif kind == "data" and event == "delta":
                yield json.loads(value)["text"]
            elif kind == "data" and event == "error":
                raise Refused(json.loads(value)["message"])
        if answer.is_error:
            raise Refused(f"HTTP {answer.status_code}")
