"""A name that is not there: what may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from chatbot_operator.cli.doctor import shipped
from chatbot_operator.cli.reach import Reach
from chatbot_operator.cli.unread import Unread, allowed
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, Object


async def chatbot(reach: Reach, namespace: str, name: str) -> str:
    """Say in words that there is no such chatbot; raises KubernetesRefusal."""
    cluster = await reach.cluster()
    if not await cluster.serves(CHATBOTS):
        return (
            f"The cluster knows no {CHATBOTS.kind}: its CRDs are not installed. Install them:"
            f" {reach.kubectl('apply', '--server-side', '-f', str(shipped.CRDS))}"
        )
    everywhere = await allowed(cluster.every(CHATBOTS), "list azureopenaichatbots everywhere")
    if isinstance(everywhere, Unread):
        right = f"list azureopenaichatbots in namespace {namespace}"
        here = await allowed(cluster.select(CHATBOTS, namespace, {}), right)
        return words(namespace, name, here, elsewhere=everywhere)
    mine = [each for each in everywhere if each["metadata"]["namespace"] == namespace]
    return words(namespace, name, mine, elsewhere=everywhere)


def words(
    namespace: str, name: str, here: list[Object] | Unread, *, elsewhere: list[Object] | Unread
) -> str:
    """Name those of a like name in the namespace, and of the same name in others. Pure."""
    said = [f"There is no chatbot {name} in namespace {namespace}."]
    if isinstance(here, Unread):
        said.append(f"Which there are is {here}.")
    elif not here:
        said.append("There is none at all there.")
    else:
        said.append(_like(name, (each["metadata"]["name"] for each in here)))
    if isinstance(elsewhere, Unread):
        said.append(f"Whether it is in another namespace is {elsewhere}.")
    else:
        others = [e["metadata"]["namespace"] for e in elsewhere if e["metadata"]["name"] == name]
        if others:
            said.append(f"One of that name is in: -n {', -n '.join(sorted(others))}.")
    return " ".join(filter(None, said))


async def account(reach: Reach, name: str) -> str:
    """Say in words that there is no such account; raises KubernetesRefusal."""
    cluster = await reach.cluster()
    found = await cluster.every(ACCOUNTS) if await cluster.serves(ACCOUNTS) else []
    said = f"There is no AzureOpenAIAccount {name}."
    return f"{said} {_like(name, (each['metadata']['name'] for each in found))}".rstrip()


def _like(name: str, names: Iterable[str]) -> str:
    there = sorted(names)
    alike = difflib.get_close_matches(name, there, n=3, cutoff=0.5)
    if alike:
        return f"Like it: {', '.join(alike)}."
    return f"There are: {', '.join(there[:10])}{' …' if len(there) > 10 else ''}." if there else ""  # noqa: PLR2004
