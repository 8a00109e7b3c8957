"""Lets a chatbot take over an identity: sets the tags that say so, and has the operator look."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from chatbot_operator.azure.resource_manager import ResourceManager
from chatbot_operator.chatbot import LOOK_AGAIN
from chatbot_operator.cli.lives.azure import patiently
from chatbot_operator.cli.lives.claim import Case, Claim
from chatbot_operator.errors import KubernetesRefusal, Refusal
from chatbot_operator.kube.client import Cluster
from chatbot_operator.ports import CHATBOTS, Clock
from chatbot_operator.status import stamp
from chatbot_operator.steps.identity import bears, with_tags


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a claim: `trouble` empty where the identity is the chatbot's now.

    `heard` tells whether the operator looks at once, which it does when the chatbot is annotated.
    """

    claim: Claim
    trouble: str = ""
    heard: bool = False


@dataclass(frozen=True, slots=True)
class Takeover:
    """The way to take identities over."""

    cluster: Cluster
    azure: ResourceManager
    now: Clock

    async def of(self, claim: Claim) -> Taken:
        """Take over what was shown, if both chatbot and identity are still what they were."""
        try:
            trouble = await self._tag(claim) if claim.case is Case.EARLIER else ""
        except Refusal as refusal:
            barred = refusal.status == HTTPStatus.FORBIDDEN
            trouble = f"you may not tag it: {refusal.message}" if barred else str(refusal)
        except KubernetesRefusal as refusal:
            trouble = f"the chatbot could not be seen: {refusal}"
        return Taken(claim, trouble, heard=not trouble and await self._ring(claim))

    async def _tag(self, claim: Claim) -> str:
        """Set the tags; give why not, if what was shown is not what is there."""
        mine = claim.owner
        body = await self.cluster.get(CHATBOTS, mine.namespace, mine.name)
        meta = body["metadata"] if body else {}
        if meta.get("uid") != mine.uid or "deletionTimestamp" in meta:
            return "the chatbot is another one now, or leaves; look again"
        live = await patiently(lambda: self.azure.identity(claim.at))
        if live is not None and bears(live.tags, mine.tags):
            return ""
        if live is None or live != claim.live:
            return "the identity is not what it was when it was shown; look again"
        tags = with_tags(live, mine.tags)
        await patiently(lambda: self.azure.tag_identity(claim.at, tags))
        return ""

    async def _ring(self, claim: Claim) -> bool:
        """Have the operator look at once; without the right to annotate it looks by itself."""
        mine, now = claim.owner, stamp(self.now())
        try:
            await self.cluster.annotate(
                CHATBOTS, mine.namespace, mine.name, uid=mine.uid, key=LOOK_AGAIN, value=now
            )
        except KubernetesRefusal:
            return False
        return True
