"""What the operator was told of its resources, by watches and by lists, and what is news of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chatbot_operator.chatbot import CONFIRM, LEAVE_AZURE, LOOK_AGAIN
from chatbot_operator.ports import ACCOUNTS, CHATBOTS
from chatbot_operator.reconcile import Key
from chatbot_operator.tally import OF_ACCOUNTS, SUMMARIES, Tally

Enqueue = Callable[..., Awaitable[None]]
Place = tuple[str, str]
"""Namespace and name."""
Body = Mapping[str, Any]

ACCOUNT_DELAY = 2.0
"""Seconds in which chatbots that come or go together make one pass over their account."""


class Users:
    """Which chatbots name which thing, such as an account, and which namespace they live in."""

    def __init__(self) -> None:
        self._named: dict[Place, str] = {}
        self._of: dict[str, set[Place]] = {}

    def see(self, namespace: str, name: str, thing: str) -> bool:
        """Note that a chatbot is there; tell whether that is news."""
        if self._named.get((namespace, name)) == thing:
            return False
        self.forget(namespace, name)
        self._named[namespace, name] = thing
        self._of.setdefault(thing, set()).add((namespace, name))
        return True

    def forget(self, namespace: str, name: str) -> str:
        """Note that a chatbot is gone; give what it named, if it was known."""
        thing = self._named.pop((namespace, name), "")
        if thing:
            self._of[thing].discard((namespace, name))
        return thing

    def of(self, thing: str) -> list[Key]:
        """Give the chatbots that name a thing."""
        return [Key(CHATBOTS, *place) for place in sorted(self._of.get(thing, ()))]

    def within(self, namespace: str) -> list[Key]:
        """Give the chatbots of a namespace."""
        return [Key(CHATBOTS, *place) for place in sorted(self._named) if place[0] == namespace]


class News:
    """Tells whether what matters about an object differs from what was last seen of it."""

    def __init__(self) -> None:
        self._seen: dict[Place, object] = {}

    @property
    def places(self) -> frozenset[Place]:
        """The objects that are known, as they are at this moment."""
        return frozenset(self._seen)

    def see(self, namespace: str, name: str, what: object) -> bool:
        """Note what an object is now; tell whether that is news."""
        known = self._seen.get((namespace, name))
        self._seen[namespace, name] = what
        return known != what

    def forget(self, namespace: str, name: str) -> None:
        """Note that an object is gone."""
        self._seen.pop((namespace, name), None)


class Told:
    """All that was told; what is news of it puts keys on the queue.

    `proven` hears of each chatbot that was proven for the first time how many seconds that took.
    """

    def __init__(
        self, enqueue: Enqueue, *, proven: Callable[[float], None] = lambda _: None
    ) -> None:
        self.users, self._readers = Users(), Users()
        self.chatbots, self.accounts = News(), News()
        self._answers, self._namespaces = News(), News()
        self.standing, self.usable = Tally(*SUMMARIES), Tally(*OF_ACCOUNTS)
        self._enqueue, self._proven = enqueue, proven

    async def chatbot(self, body: Body) -> None:
        """There is this chatbot."""
        meta = body["metadata"]
        where = (meta["namespace"], meta["name"])
        if (seconds := self.standing.see(*where, body)) is not None:
            self._proven(seconds)
        account = body.get("spec", {}).get("openAI", {}).get("account", "")
        if self.users.see(*where, account):
            await self._enqueue(Key(ACCOUNTS, "", account), after=ACCOUNT_DELAY)
        self._readers.see(*where, f"{meta['namespace']}/{_prompt(body)}")
        # Not the status: the operator writes it, and would follow its own tail.
        finalizers = tuple(meta.get("finalizers", ()))
        told = meta.get("annotations", {})
        words = [told.get(word) for word in (LEAVE_AZURE, CONFIRM, LOOK_AGAIN)]
        gone = meta.get("deletionTimestamp")
        what = (meta["uid"], meta["generation"], finalizers, gone, *words)
        if self.chatbots.see(*where, what):
            await self._enqueue(Key(CHATBOTS, *where), urgent=True)

    async def no_chatbot(self, namespace: str, name: str) -> None:
        """There is no such chatbot any more."""
        self.chatbots.forget(namespace, name)
        self.standing.forget(namespace, name)
        self._readers.forget(namespace, name)
        account = self.users.forget(namespace, name)
        if account:
            await self._enqueue(Key(ACCOUNTS, "", account), after=ACCOUNT_DELAY)
        await self._enqueue(Key(CHATBOTS, namespace, name), urgent=True)

    async def account(self, body: Body) -> None:
        """There is this account."""
        meta = body["metadata"]
        self.usable.see("", meta["name"], body)
        if self.accounts.see("", meta["name"], (meta["uid"], meta["generation"])):
            await self._enqueue(Key(ACCOUNTS, "", meta["name"]), urgent=True)
        if self._answers.see("", meta["name"], _answers(body)):
            await self._ring(self.users.of(meta["name"]))

    async def no_account(self, name: str) -> None:
        """There is no such account any more."""
        self.accounts.forget("", name)
        self.usable.forget("", name)
        self._answers.forget("", name)
        await self._ring(self.users.of(name))

    async def prompt(self, namespace: str, name: str) -> None:
        """This ConfigMap, which may hold a prompt, came, changed or went."""
        await self._ring(self._readers.of(f"{namespace}/{name}"))

    async def namespace(self, body: Body) -> None:
        """There is this namespace; its labels decide what accounts allow."""
        meta = body["metadata"]
        if self._namespaces.see("", meta["name"], dict(meta.get("labels", {}))):
            await self._ring(self.users.within(meta["name"]))

    def no_namespace(self, name: str) -> None:
        """There is no such namespace any more."""
        self._namespaces.forget("", name)

    async def _ring(self, keys: list[Key]) -> None:
        for key in keys:
            await self._enqueue(key, urgent=True)


def _prompt(body: Body) -> str:
    """Name the ConfigMap that holds a chatbot's prompt; empty if none does."""
    chat = body.get("spec", {}).get("chat", {})
    reference = chat.get("systemPromptFrom", {}).get("configMapKeyRef", {})
    return str(reference.get("name", ""))


def _answers(body: Body) -> object:
    """Give what chatbots read of an account; how many they are is none of it."""
    status = dict(body.get("status", {}))
    conditions = status.get("conditions", ())
    usable = [c["status"] for c in conditions if c["type"] == "Usable"]
    facts = [status.get(fact) for fact in ("endpoint", "location", "deployments")]
    return (body["metadata"]["uid"], body["metadata"]["generation"], usable, facts)


def compared(
    before: frozenset[Place], listed: frozenset[Place], now: frozenset[Place]
) -> tuple[frozenset[Place], frozenset[Place]]:
    """Tell what a list says against what was known before it was asked for, and is known now.

    Gives what is gone, and what is there. What came to be known while the list was under way may
    be missing from it; what went meanwhile may still be on it. Neither is taken from the list.
    """
    return before - listed, listed - (before - now)
