"""What kopf watches: every event puts a key on the queue, and nothing else happens here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

import kopf

from chatbot_operator.manifests import MANAGER
from chatbot_operator.ports import (
    ACCOUNTS,
    CHATBOTS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    NAMESPACES,
    SERVICE_ACCOUNTS,
    SERVICES,
)
from chatbot_operator.reconcile import Key

Enqueue = Callable[..., Awaitable[None]]

ACCOUNT_DELAY = 2.0
"""Seconds in which chatbots that come or go together make one pass over their account."""


class Users:
    """Which chatbots name which account, and which namespace they live in."""

    def __init__(self) -> None:
        self._account: dict[tuple[str, str], str] = {}
        self._of: dict[str, set[tuple[str, str]]] = defaultdict(set)

    def see(self, namespace: str, name: str, account: str) -> bool:
        """Note that a chatbot is there; tell whether that is news."""
        if self._account.get((namespace, name)) == account:
            return False
        self.forget(namespace, name)
        self._account[namespace, name] = account
        self._of[account].add((namespace, name))
        return True

    def forget(self, namespace: str, name: str) -> None:
        """Note that a chatbot is gone."""
        account = self._account.pop((namespace, name), None)
        if account is not None:
            self._of[account].discard((namespace, name))

    def of(self, account: str) -> list[Key]:
        """Give the chatbots that name an account."""
        return [Key(CHATBOTS, *place) for place in sorted(self._of[account])]

    def within(self, namespace: str) -> list[Key]:
        """Give the chatbots of a namespace."""
        return [Key(CHATBOTS, *place) for place in sorted(self._account) if place[0] == namespace]


def register(registry: kopf.OperatorRegistry, users: Users, enqueue: Enqueue) -> None:
    """Register the watches: chatbots, accounts, what chatbots own, and namespaces."""
    ours = {"app.kubernetes.io/managed-by": MANAGER}

    @kopf.on.event(CHATBOTS.group, CHATBOTS.version, CHATBOTS.plural, registry=registry)
    async def chatbot(
        event: kopf.RawEvent, namespace: str | None, name: str, spec: kopf.Spec, **_: Any
    ) -> None:
        namespace = namespace or ""
        account = spec.get("openAI", {}).get("account", "")
        gone = event["type"] == "DELETED"
        news = users.see(namespace, name, account) if not gone else True
        if gone:
            users.forget(namespace, name)
        if news:
            await enqueue(Key(ACCOUNTS, "", account), after=ACCOUNT_DELAY)
        await enqueue(Key(CHATBOTS, namespace, name))

    @kopf.on.event(ACCOUNTS.group, ACCOUNTS.version, ACCOUNTS.plural, registry=registry)
    async def account(name: str, **_: Any) -> None:
        await enqueue(Key(ACCOUNTS, "", name))
        for key in users.of(name):
            await enqueue(key)

    @kopf.on.event("", "v1", NAMESPACES.plural, registry=registry)
    async def namespace_(name: str, **_: Any) -> None:
        for key in users.within(name):
            await enqueue(key)

    for child in (DEPLOYMENTS, SERVICES, SERVICE_ACCOUNTS, CONFIG_MAPS):

        @kopf.on.event(
            child.group,
            child.version,
            child.plural,
            labels=ours,
            registry=registry,
            id=child.plural,
        )
        async def owned(namespace: str | None, name: str, **_: Any) -> None:
            await enqueue(Key(CHATBOTS, namespace or "", name))


def settings() -> kopf.OperatorSettings:
    """Give kopf's settings: it watches and nothing more, and never gives up on the API server."""
    chosen = kopf.OperatorSettings()
    chosen.scanning.disabled = True
    chosen.peering.standalone = True
    chosen.posting.enabled = False
    chosen.networking.request_timeout = 30
    chosen.networking.connect_timeout = 5
    chosen.networking.error_backoffs = _Backoffs()
    chosen.watching.server_timeout = 300
    return chosen


class _Backoffs:
    """Waits between retries of a failed request, in seconds, without end."""

    def __iter__(self) -> Any:
        seconds = 0.5
        while True:
            yield seconds
            seconds = min(30.0, seconds * 1.5)
