"""Asks what the operator's service account may do in the cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from chatbot_operator.cli.doctor import access, looking
from chatbot_operator.cli.doctor.access import Right
from chatbot_operator.cli.doctor.looking import Dark, Silent
from chatbot_operator.cli.installed import REVIEWS, Installed
from chatbot_operator.cli.unread import Unread
from chatbot_operator.kube.client import Cluster
from chatbot_operator.ports import Object

_REVIEW: Final = f"create {REVIEWS.plural}"


async def held(
    cluster: Cluster, of: Installed, asked: tuple[Right, ...]
) -> dict[Right, bool] | Dark:
    """Ask the API server what the operator may do, or read its roles where that is not allowed."""

    async def ask(one: Right) -> bool | Dark:
        review = access.review(one, of.namespace, of.service_account)
        answer = await looking.cluster(cluster.create(REVIEWS, review), _REVIEW)
        return bool(answer["status"]["allowed"]) if isinstance(answer, dict) else answer

    first = await ask(asked[0])
    if isinstance(first, Unread):
        return await _by_roles(cluster, of, asked)
    answers = await asyncio.gather(*map(ask, asked))
    dark = next((each for each in answers if isinstance(each, Unread | Silent)), None)
    if dark is not None:
        return dark
    return {one: bool(answer) for one, answer in zip(asked, answers, strict=True)}


async def _by_roles(
    cluster: Cluster, of: Installed, asked: tuple[Right, ...]
) -> dict[Right, bool] | Dark:
    found = await looking.cluster(
        _rules(cluster, of, asked), f"{_REVIEW}, or list roles and bindings"
    )
    if not isinstance(found, dict):
        return found
    everywhere = found[""]
    return {one: access.holds([*everywhere, *found.get(one.namespace, ())], one) for one in asked}


async def _rules(
    cluster: Cluster, of: Installed, asked: Iterable[Right]
) -> dict[str, list[Object]]:
    """Gather the rules that are bound to an operator, by namespace; empty: everywhere."""
    who = (of.namespace, of.service_account)
    roles = {
        each["metadata"]["name"]: each.get("rules") or []
        for each in await cluster.every(access.CLUSTER_ROLES)
    }
    rules = {"": _bound(await cluster.every(access.CLUSTER_BINDINGS), who, roles, {})}
    for namespace in {one.namespace for one in asked} - {""}:
        own = {
            each["metadata"]["name"]: each.get("rules") or []
            for each in await cluster.select(access.ROLES, namespace, {})
        }
        bindings = await cluster.select(access.BINDINGS, namespace, {})
        rules[namespace] = _bound(bindings, who, roles, own)
    return rules


def _bound(
    bindings: Iterable[Object],
    who: tuple[str, str],
    cluster_roles: dict[str, list[Object]],
    roles: dict[str, list[Object]],
) -> list[Object]:
    known = {"ClusterRole": cluster_roles, "Role": roles}
    return [
        rule
        for each in bindings
        if access.bound(each, *who)
        for rule in known[each["roleRef"]["kind"]].get(each["roleRef"]["name"], ())
    ]
