"""Asks Azure for what a person may be refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any, TypeVar

from chatbot_operator.azure.catalogue import Catalogue
from chatbot_operator.cli.pod.in_azure import Subscription
from chatbot_operator.cli.pod.observed import Unseen
from chatbot_operator.cli.reach import Reach
from chatbot_operator.errors import Refusal, Service

T = TypeVar("T")


async def seen(call: Awaitable[T], what: str) -> T | Unseen:
    """Wait for what Azure may refuse the person, `what` in words."""
    try:
        return await call
    except Refusal as refusal:
        return unseen(refusal, what)


def unseen(refusal: Refusal, what: str) -> Unseen:
    """Say why something could not be looked at, and what to do about it."""
    if refusal.service is Service.ENTRA:
        if "not found on path" in refusal.message:
            return Unseen(
                "not known: the Azure CLI is not installed here",
                "Install it (https://aka.ms/azure-cli), then sign in.",
                ("az login",),
            )
        return Unseen(
            "not known: nobody is signed in to Azure here", refusal.message, ("az login",)
        )
    if refusal.status == HTTPStatus.FORBIDDEN:
        return Unseen(f"not known: you may not {what}", "Ask for the role Reader there.")
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        return Unseen("not known: Azure does not accept your sign-in", "", ("az login",))
    if not refusal.status:
        return Unseen(f"not known: Azure was not reached: {refusal.message}")
    return Unseen(f"not known: {refusal.code} {refusal.message}")


async def each_of(
    subscriptions: Iterable[Subscription],
    ask: Callable[[Catalogue, Subscription], Awaitable[list[dict[str, Any]]]],
    reach: Reach,
) -> list[list[dict[str, Any]] | Unseen]:
    """Ask every subscription."""
    catalogue = await reach.catalogue()
    return await asyncio.gather(
        *(seen(ask(catalogue, each), f"read subscription {each.name}") for each in subscriptions)
    )
