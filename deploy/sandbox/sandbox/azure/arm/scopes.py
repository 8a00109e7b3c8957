"""Scopes that role assignments can be made at."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandbox.azure.errors import Refusal, group_not_found, resource_not_found
from sandbox.azure.settings import SUBSCRIPTION
from sandbox.azure.world import group_id

if TYPE_CHECKING:
    from sandbox.azure.state import Store

_RESOURCE = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/(?P<group>[^/]+)"
    r"(?:/providers/(?P<kind>[^/]+/[^/]+)/(?P<name>[^/]+)(?P<rest>/.*)?)?",
    re.IGNORECASE,
)


def require_scope(store: Store, scope: str) -> None:
    """Refuse a scope that does not exist. Types unknown to the emulator are believed."""
    require_subscription(scope)
    match = _RESOURCE.fullmatch(scope)
    if match is None:
        return
    group, kind, name = match["group"], match["kind"], match["name"]
    if group_id(group).lower() not in store.groups:
        raise group_not_found(group)
    if kind is None or kind.lower() not in _TABLES:
        return
    key = scope.lower().removesuffix((match["rest"] or "").lower())
    if not _TABLES[kind.lower()](store, key):
        raise resource_not_found(kind, name, group)


def require_subscription(path: str) -> None:
    """Refuse a path in a subscription that does not exist."""
    root, asked, *_ = [*path.strip("/").split("/"), "", ""]
    if root.lower() == "subscriptions" and asked.lower() not in {"", SUBSCRIPTION}:
        raise Refusal(
            404,
            "SubscriptionNotFound",
            f"The subscription '{asked}' could not be found.",
            gateway=True,
        )


_TABLES = {
    "microsoft.managedidentity/userassignedidentities": lambda store, key: (
        store.identities.get(key) is not None
    ),
    "microsoft.cognitiveservices/accounts": lambda store, key: key in store.accounts,
    "microsoft.containerservice/managedclusters": lambda store, key: key in store.clusters,
}
