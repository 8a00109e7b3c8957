"""What kopf watches: every event puts a key on the queue, and nothing else happens here."""

from __future__ import annotations

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

CHILDREN = (DEPLOYMENTS, SERVICES, SERVICE_ACCOUNTS, CONFIG_MAPS)

Enqueue = Callable[..., Awaitable[None]]

ACCOUNT_DELAY = 2.0
"""Seconds in which chatbots that come or go together make one pass over their account."""


class Users:
    """Which chatbots name which account, and which namespace they live in."""

    def __init__(self) -> None:
        self._account: dict[tuple[str, str], str] = {}
        self._of: dict[str, set[tuple[str, str]]] = {}

    def see(self, namespace: str, name: str, account: str) -> bool:
        """Note that a chatbot is there; tell whether that is news."""
        if self._account.get((namespace, name)) == account:
            return False
        self.forget(namespace, name)
        self._account[namespace, name] = account
        self._of.setdefault(account, set()).add((namespace, name))
        return True

    def forget(self, namespace: str, name: str) -> None:
        """Note that a chatbot is gone."""
        account = self._account.pop((namespace, name), None)
        if account is not None:
            self._of[account].discard((namespace, name))

    def of(self, account: str) -> list[Key]:
        """Give the chatbots that name an account."""
        return [Key(CHATBOTS, *place) for place in sorted(self._of.get(account, ()))]

    def within(self, namespace: str) -> list[Key]:
        """Give the chatbots of a namespace."""
        return [Key(CHATBOTS, *place) for place in sorted(self._account) if place[0] == namespace]


class News:
    """Tells whether what matters about an object differs from what was last seen of it."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], object] = {}

    def see(self, namespace: str, name: str, what: object) -> bool:
        """Note what an object is now; tell whether that is news."""
        known = self._seen.get((namespace, name))
        self._seen[namespace, name] = what
        return known != what

    def forget(self, namespace: str, name: str) -> None:
        """Note that an object is gone."""
        self._seen.pop((namespace, name), None)


def register(registry: kopf.OperatorRegistry, users: Users, enqueue: Enqueue) -> None:
    """Register the watches: chatbots, accounts, what chatbots own, and namespaces."""
    _watch_chatbots(registry, users, enqueue)
    _watch_accounts(registry, users, enqueue)
    _watch_namespaces(registry, users, enqueue)
    for child in CHILDREN:

        @kopf.on.event(child.group, child.version, child.plural, registry=registry, id=child.plural)
        async def owned(namespace: str | None, name: str, **_: Any) -> None:
            await enqueue(Key(CHATBOTS, namespace or "", name))


def _watch_chatbots(registry: kopf.OperatorRegistry, users: Users, enqueue: Enqueue) -> None:
    news = News()

    @kopf.on.event(CHATBOTS.group, CHATBOTS.version, CHATBOTS.plural, registry=registry)
    async def chatbot(
        event: kopf.RawEvent, namespace: str | None, name: str, body: kopf.Body, **_: Any
    ) -> None:
        where = (namespace or "", name)
        account = body.spec.get("openAI", {}).get("account", "")
        if event["type"] == "DELETED":
            news.forget(*where)
            users.forget(*where)
            await enqueue(Key(ACCOUNTS, "", account), after=ACCOUNT_DELAY)
            await enqueue(Key(CHATBOTS, *where), urgent=True)
            return
        if users.see(*where, account):
            await enqueue(Key(ACCOUNTS, "", account), after=ACCOUNT_DELAY)
        # Not the status: the operator writes it, and would follow its own tail.
        finalizers = tuple(body.metadata.get("finalizers", ()))
        meta = body.metadata
        what = (meta["uid"], meta["generation"], meta.get("deletionTimestamp"), finalizers)
        if news.see(*where, what):
            await enqueue(Key(CHATBOTS, *where), urgent=True)


def _watch_accounts(registry: kopf.OperatorRegistry, users: Users, enqueue: Enqueue) -> None:
    asked, answered = News(), News()

    @kopf.on.event(ACCOUNTS.group, ACCOUNTS.version, ACCOUNTS.plural, registry=registry)
    async def account(event: kopf.RawEvent, name: str, body: kopf.Body, **_: Any) -> None:
        if event["type"] == "DELETED":
            asked.forget("", name)
            answered.forget("", name)
        elif asked.see("", name, (body.metadata["uid"], body.metadata["generation"])):
            await enqueue(Key(ACCOUNTS, "", name), urgent=True)
        if event["type"] == "DELETED" or answered.see("", name, _answers(body)):
            for key in users.of(name):
                await enqueue(key, urgent=True)


def _answers(body: kopf.Body) -> object:
    """Give what chatbots read of an account; how many they are is none of it."""
    status = dict(body.status)
    usable = [(c["type"], c["status"]) for c in status.get("conditions", ())]
    facts = [status.get(fact) for fact in ("endpoint", "location", "deployments")]
    return (body.metadata["uid"], body.metadata["generation"], usable, facts)


def _watch_namespaces(registry: kopf.OperatorRegistry, users: Users, enqueue: Enqueue) -> None:
    news = News()

    @kopf.on.event("", "v1", NAMESPACES.plural, registry=registry)
    async def namespace_(event: kopf.RawEvent, name: str, body: kopf.Body, **_: Any) -> None:
        if event["type"] == "DELETED":
            news.forget("", name)
        elif news.see("", name, dict(body.metadata.labels)):
            for key in users.within(name):
                await enqueue(key, urgent=True)


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
    for child in CHILDREN:
        where = (child.group, child.version, child.plural)
        chosen.watching.label_selectors[where] = f"app.kubernetes.io/managed-by={MANAGER}"
    return chosen


class _Backoffs:
    """Waits between retries of a failed request, in seconds, without end."""

    def __iter__(self) -> Any:
        seconds = 0.5
        while True:
            yield seconds
            seconds = min(30.0, seconds * 1.5)
