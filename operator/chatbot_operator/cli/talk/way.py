"""The way from here to a chatbot's pods: one that is ready, and when it goes, another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import Final, NoReturn

from chatbot_operator.cli.reach import Reach
from chatbot_operator.cli.talk.chatbots import Meant, choose, pods_of
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.kube.pod_streams import Connection
from chatbot_operator.manifests import PAGE_PORT

LOOK_SECONDS: Final = 1.0
"""Between two looks whether the pod is still there."""


class Way:
    """The way to one chatbot.

    `pod` is where it leads now, empty while no pod is ready; `moved` hears of the pod before and
    of this one. A connection waits `patience` seconds for a pod to be ready.
    """

    def __init__(
        self,
        reach: Reach,
        chatbot: Meant,
        moved: Callable[[str, str], None] = lambda _before, _now: None,
        *,
        patience: float = 0.0,
    ) -> None:
        self.pod = ""
        self._reach = reach
        self._chatbot = chatbot
        self._moved = moved
        self._patience = patience
        self._unfit: set[str] = set()

    async def look(self) -> str:
        """Find the pod to go to as pods are now, and name it; raises KubernetesRefusal."""
        pods = await pods_of(self._reach, self._chatbot)
        self._unfit &= {pod["metadata"]["name"] for pod in pods}
        before, self.pod = self.pod, choose(pods, self.pod, self._unfit)
        if self.pod != before:
            self._moved(before, self.pod)
        return self.pod

    async def keep(self) -> NoReturn:
        """Look again and again, through whatever happens to the API server."""
        while True:
            try:
                await self.look()
                self._unfit.clear()
            except KubernetesRefusal:
                pass  # whoever connects is told
            await asyncio.sleep(LOOK_SECONDS)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Connection]:
        """Connect to the page's port of a pod that is ready; raises UnansweredError where none is.

        One that cannot be reached is passed over for the next; raises KubernetesRefusal where that
        is the last.
        """
        async with AsyncExitStack() as open_:
            connection = await self._connect(open_)
            yield connection

    async def _connect(self, open_: AsyncExitStack) -> Connection:
        streams = await self._reach.pods()
        time = asyncio.get_running_loop().time
        deadline, refused = time() + self._patience, None
        while True:
            if pod := await self.look():
                to = streams.connected(self._chatbot.namespace, pod, PAGE_PORT)
                try:
                    return await open_.enter_async_context(to)
                except KubernetesRefusal as refusal:
                    if refusal.status == HTTPStatus.FORBIDDEN:
                        raise
                    refused = refusal
                    self._unfit.add(pod)
            elif time() > deadline:
                raise refused or self._chatbot.without_pods()
            else:
                await asyncio.sleep(LOOK_SECONDS)
