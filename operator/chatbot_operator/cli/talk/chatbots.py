"""The chatbot that is meant, and which of its pods will do."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.reach import Reach
from chatbot_operator.cli.why import absent
from chatbot_operator.manifests.objects import selector
from chatbot_operator.ports import CHATBOTS, PODS, Object
from chatbot_operator.words import plain

_PAGE: Final = re.compile(r"https?://([-.\w\[\]:]+)(?:/[!-~]*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Meant:
    """A chatbot as it is; `why` is the command that says why it is not Ready."""

    namespace: str
    name: str
    body: Object
    why: str

    @property
    def url(self) -> str:
        """Where its visitors go; empty where it has no address that leads here from outside.

        A Service's own name means something in its cluster alone. Who can write a status can write
        anything there, and a browser opens files, too.
        """
        url = str((self.body.get("status") or {}).get("url", ""))
        found = _PAGE.fullmatch(url)
        return "" if found is None or found[1].endswith(f".{self.namespace}.svc") else url

    @property
    def access(self) -> dict[str, Any]:
        """Who may chat, as spec.access says it; empty: everybody."""
        return self.body["spec"].get("access") or {}

    def standing(self) -> str:
        """Say in a line how it stands: reason and message of Ready."""
        conditions = (self.body.get("status") or {}).get("conditions", ())
        ready = next((each for each in conditions if each["type"] == "Ready"), None)
        if ready is None:
            return "the operator has not said anything of it yet."
        return plain(f"{ready['reason']}: {ready['message']}")

    def without_pods(self) -> UnansweredError:
        """Say that no pod of it is ready, and what says why."""
        return UnansweredError(
            f"no pod of {self.namespace}/{self.name} is ready: {self.standing()}\n"
            f"What to do says: {self.why}"
        )


async def find(reach: Reach, name: str) -> Meant:
    """Read a chatbot; raises UnansweredError where there is none, and KubernetesRefusal."""
    if not name:
        raise UnansweredError("The chatbot's name is empty.")
    cluster, namespace = await reach.cluster(), await reach.namespace()
    body = await cluster.get(CHATBOTS, namespace, name)
    if body is None:
        raise UnansweredError(await absent.chatbot(reach, namespace, name))
    why = reach.kubectl("chatbot", "why", name, "--namespace", namespace)
    return Meant(namespace, name, body, why)


async def pods_of(reach: Reach, chatbot: Meant) -> list[Object]:
    """List a chatbot's pods; raises KubernetesRefusal."""
    cluster = await reach.cluster()
    return await cluster.select(PODS, chatbot.namespace, selector(chatbot.name))


def ready(pod: Object) -> bool:
    """Tell whether a pod serves visitors: ready, and not on its way out."""
    conditions = (pod.get("status") or {}).get("conditions", ())
    return "deletionTimestamp" not in pod["metadata"] and any(
        each["type"] == "Ready" and each["status"] == "True" for each in conditions
    )


def choose(pods: Iterable[Object], current: str, unfit: Collection[str] = ()) -> str:
    """Name the pod to go to: the current one as long as it will do, else the newest; or none.

    The newest outlives a rollout. `unfit` are those that could not be reached.
    """
    fit = {
        pod["metadata"]["name"]: pod["metadata"].get("creationTimestamp", "")
        for pod in pods
        if ready(pod) and pod["metadata"]["name"] not in unfit
    }
    if current in fit:
        return current
    return max(fit, key=lambda name: (fit[name], name), default="")
