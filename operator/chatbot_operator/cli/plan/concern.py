"""Whom a change concerns that does not name them."""

from __future__ import annotations

from collections.abc import Mapping

from chatbot_operator.chatbot import Chatbot
from chatbot_operator.cli.plan.cluster import RehearsedCluster
from chatbot_operator.cli.plan.laying import Laid
from chatbot_operator.cli.plan.writes import Verb
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, CONFIG_MAPS, NAMESPACES, Resource
from chatbot_operator.reconcile import Key


async def concerned(cluster: RehearsedCluster, laid: Mapping[Key, Laid]) -> list[Key]:
    """Find other chatbots whose account, prompt or namespace would change."""
    accounts = {name for _, name in _changed(laid, ACCOUNTS)}
    prompts, namespaces = _changed(laid, CONFIG_MAPS), {n for _, n in _changed(laid, NAMESPACES)}
    where = {""} if accounts else {namespace for namespace, _ in prompts} | namespaces
    found = [
        Chatbot.parse(body)
        for namespace in sorted(where)
        for body in await cluster.select(CHATBOTS, namespace, {})
    ]
    keys = {
        Key(CHATBOTS, each.namespace, each.name)
        for each in found
        if each.account in accounts
        or each.namespace in namespaces
        or (each.namespace, (each.chat.prompt_from or ("",))[0]) in prompts
    }
    return sorted(keys - laid.keys(), key=lambda key: (key.namespace, key.name))


def _changed(laid: Mapping[Key, Laid], resource: Resource) -> set[tuple[str, str]]:
    return {
        (key.namespace, key.name)
        for key, each in laid.items()
        if key.resource == resource and each.verb is not Verb.LEAVE
    }
