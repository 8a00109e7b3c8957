"""Deletes what was listed, one by one, each looked at again right before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus

from chatbot_operator.azure.resource_manager import ResourceManager
from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.lives.azure import patiently
from chatbot_operator.cli.lives.home import Home
from chatbot_operator.cli.lives.judging import Seen
from chatbot_operator.cli.lives.leftover import Leftover, Why
from chatbot_operator.cli.lives.looking import life
from chatbot_operator.errors import KubernetesRefusal, Refusal
from chatbot_operator.kube.client import Cluster
from chatbot_operator.ports import Assignment, Credential, Identity
from chatbot_operator.steps.identity import made_for


@dataclass(frozen=True, slots=True)
class Removed:
    """What became of something that was to be deleted; `trouble` empty: it is gone."""

    one: Leftover
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """The way to delete what is left over."""

    home: Home
    cluster: Cluster
    azure: ResourceManager
    seen: Seen

    async def every(
        self, found: Iterable[Leftover], tell: Callable[[Removed], None]
    ) -> list[Removed]:
        """Delete each, in order; what fails is told and stops nothing."""
        done = []
        for one in found:
            done.append(Removed(one, await self._trouble(one)))
            tell(done[-1])
        return done

    async def _trouble(self, one: Leftover) -> str:
        try:
            return await self._remove(one)
        except Refusal as refusal:
            if refusal.status == HTTPStatus.FORBIDDEN:
                return f"you may not delete it: {refusal.message}"
            return str(refusal)
        except (KubernetesRefusal, UnansweredError) as refusal:
            return f"whether its chatbot is gone could not be seen: {refusal}"

    async def _remove(self, one: Leftover) -> str:
        """Delete one; give why not, if what it is or whose it is has changed since."""
        now = await patiently(lambda: self._read(one))
        if now is None:
            return ""
        if now != one.of:
            return "it has changed since it was listed; look again"
        if not await self._is_left(one):
            return "its chatbot is there now; look again"
        await patiently(lambda: self._delete(one))
        return ""

    async def _read(self, one: Leftover) -> Identity | Credential | Assignment | None:
        if isinstance(one.of, Identity):
            return await self.azure.identity(one.at)
        if isinstance(one.of, Credential):
            return await self.azure.credential(one.at, one.of.name)
        return await self.azure.assignment(one.at, one.of.name)

    async def _delete(self, one: Leftover) -> None:
        if isinstance(one.of, Identity):
            await self.azure.delete_identity(one.at)
        elif isinstance(one.of, Credential):
            await self.azure.delete_credential(one.at, one.of.name)
        else:
            await self.azure.delete_assignment(one.at, one.of.name)

    async def _is_left(self, one: Leftover) -> bool:
        """Ask the cluster again whether nobody runs by it."""
        now = await life(self.home, self.cluster, one.owner.namespace, one.owner.name)
        if isinstance(one.of, Credential):
            return one.why is Why.OTHER_OWNER or one.at.lower() not in now.uses
        if one.why is Why.ANOTHER_IDENTITY and isinstance(one.of, Assignment):
            return await self._runs_as_another(one, one.of)
        return now.uid != one.owner.uid

    async def _runs_as_another(self, one: Leftover, assignment: Assignment) -> bool:
        """Tell whether the identity that bears the chatbot's tags is not the assignment's."""
        held = [each for each in self.seen.identities.values() if made_for(each) == one.owner]
        now = [await self.azure.identity(each.id) for each in held]
        return any(
            each and made_for(each) == one.owner and each.principal_id != assignment.principal_id
            for each in now
        )
