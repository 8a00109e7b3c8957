"""What kopf watches: every event puts a key on the queue, and nothing else happens here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kopf

from chatbot_operator.manifests import MANAGER, WATCH
from chatbot_operator.ports import (
    ACCOUNTS,
    CHATBOTS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    NAMESPACES,
    SERVICE_ACCOUNTS,
    SERVICES,
    Resource,
)
from chatbot_operator.reconcile import Key
from chatbot_operator.steps.children import OPTIONAL
from chatbot_operator.told import Enqueue, News, Told

CHILDREN = (DEPLOYMENTS, SERVICES, SERVICE_ACCOUNTS, CONFIG_MAPS, *OPTIONAL)
"""A kind that the cluster does not know, kopf leaves alone until the process begins anew."""


def register(
    registry: kopf.OperatorRegistry, told: Told, enqueue: Enqueue, *, heard: Callable[[], None]
) -> None:
    """Register the watches: chatbots, accounts, what chatbots own, and namespaces.

    `heard` is called at every event.
    """
    _watch_chatbots(registry, told, heard)
    _watch_accounts(registry, told, heard)
    _watch_namespaces(registry, told, heard)
    for child in CHILDREN:
        _watch_children(registry, child, told, enqueue, heard)


def _watch_children(
    registry: kopf.OperatorRegistry,
    child: Resource,
    told: Told,
    enqueue: Enqueue,
    heard: Callable[[], None],
) -> None:
    """Watch what chatbots own, and the prompts that teams keep in ConfigMaps of their own.

    Of what only some chatbots have, the status says nothing to the operator.
    """
    news = News()

    @kopf.on.event(child.group, child.version, child.plural, registry=registry, id=child.plural)
    async def owned(
        event: kopf.RawEvent, namespace: str | None, name: str, body: kopf.Body, **_: Any
    ) -> None:
        heard()
        where = (namespace or "", name)
        if child == CONFIG_MAPS:
            await told.prompt(*where)
        if event["type"] == "DELETED":
            news.forget(*where)
        elif child in OPTIONAL:
            metadata = dict(body.metadata)
            marks = [metadata.get(k) for k in ("uid", "labels", "annotations", "ownerReferences")]
            if not news.see(*where, (marks, dict(body.spec))):
                return
        await enqueue(Key(CHATBOTS, *where))


def _watch_chatbots(registry: kopf.OperatorRegistry, told: Told, heard: Callable[[], None]) -> None:
    @kopf.on.event(CHATBOTS.group, CHATBOTS.version, CHATBOTS.plural, registry=registry)
    async def chatbot(
        event: kopf.RawEvent, namespace: str | None, name: str, body: kopf.Body, **_: Any
    ) -> None:
        heard()
        if event["type"] == "DELETED":
            await told.no_chatbot(namespace or "", name)
        else:
            await told.chatbot(body)


def _watch_accounts(registry: kopf.OperatorRegistry, told: Told, heard: Callable[[], None]) -> None:
    @kopf.on.event(ACCOUNTS.group, ACCOUNTS.version, ACCOUNTS.plural, registry=registry)
    async def account(event: kopf.RawEvent, name: str, body: kopf.Body, **_: Any) -> None:
        heard()
        if event["type"] == "DELETED":
            await told.no_account(name)
        else:
            await told.account(body)


def _watch_namespaces(
    registry: kopf.OperatorRegistry, told: Told, heard: Callable[[], None]
) -> None:
    @kopf.on.event("", "v1", NAMESPACES.plural, registry=registry)
    async def namespace_(event: kopf.RawEvent, name: str, body: kopf.Body, **_: Any) -> None:
        heard()
        if event["type"] == "DELETED":
            told.no_namespace(name)
        else:
            await told.namespace(body)


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
        selector = WATCH if child == CONFIG_MAPS else f"app.kubernetes.io/managed-by={MANAGER}"
        chosen.watching.label_selectors[where] = selector
    return chosen


class _Backoffs:
    """Waits between retries of a failed request, in seconds, without end."""

    def __iter__(self) -> Any:
        seconds = 0.5
        while True:
            yield seconds
            seconds = min(30.0, seconds * 1.5)
