"""Following the logs of pods that come and go."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, NoReturn

from chatbot_operator.cli.talk.lines import Line, parse, short
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.kube.pod_streams import PodStreams
from chatbot_operator.ports import Clock, Object

LOOK_SECONDS: Final = 1.0
"""Between two looks which pods there are."""
RESUMED_AFTER: Final = 3.0
"""Seconds after the end of a log whose container runs on: it was cut off, and not the container."""

Run = tuple[str, int]
"""A run of a container: the pod's uid, and how often it was restarted before."""


@dataclass(slots=True)
class _Reading:
    task: asyncio.Task[None]
    ended: dt.datetime | None = None


@dataclass(slots=True)
class Following:
    """The logs of one container in whichever pods there are.

    `pods` lists them; `asked` is asked of the logs of those that are there at the beginning;
    `take` is given each line, `say` what becomes of pods.
    """

    streams: PodStreams
    container: str
    pods: Callable[[], Awaitable[list[Object]]]
    asked: Mapping[str, str]
    take: Callable[[Line], object]
    say: Callable[[str], None]
    now: Clock
    _readings: dict[Run, _Reading] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _barred: KubernetesRefusal | None = None

    async def run(self) -> NoReturn:
        """Follow until cancelled; raises KubernetesRefusal where nothing may be read."""
        try:
            self._look(await self.pods(), first=True)
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                if self._barred:
                    raise self._barred
                try:
                    pods = await self.pods()
                except KubernetesRefusal:
                    continue  # the API server may be away for a while
                self._look(pods, first=False)
        finally:
            tasks = [each.task for each in self._readings.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _look(self, pods: list[Object], *, first: bool) -> None:
        names = {pod["metadata"]["uid"]: pod["metadata"]["name"] for pod in pods}
        for uid in names.keys() - self._names.keys():
            if not first:
                self.say(f"{short(names[uid])} is new: pod {names[uid]}")
        for uid in self._names.keys() - names.keys():
            self.say(f"{short(self._names[uid])} is gone")
        self._names = names
        for pod in pods:
            self._join(pod, self.asked if first else {})

    def _join(self, pod: Object, asked: Mapping[str, str]) -> None:
        status = container_status(pod, self.container)
        if status is None or not (status.get("state", {}).keys() - {"waiting"}):
            return
        run = (pod["metadata"]["uid"], status.get("restartCount", 0))
        reading = self._readings.get(run)
        if reading is not None:
            running = "running" in status["state"]
            since = reading.ended
            if since is None or not running or (self.now() - since).seconds < RESUMED_AFTER:
                return
            asked = {"sinceTime": since.strftime("%Y-%m-%dT%H:%M:%SZ")}
        self._readings[run] = _Reading(asyncio.create_task(self._read(run, pod, asked)))

    async def _read(self, run: Run, pod: Object, asked: Mapping[str, str]) -> None:
        meta = pod["metadata"]
        options = {"container": self.container, "follow": "true", **asked}
        try:
            async for raw in self.streams.log(meta["namespace"], meta["name"], options):
                self.take(parse(meta["name"], raw))
        except KubernetesRefusal as refusal:
            if refusal.status == HTTPStatus.FORBIDDEN:
                self._barred = refusal
        finally:
            self._readings[run].ended = self.now()


def container_status(pod: Object, container: str) -> Object | None:
    """Give the status of a container of a pod; None before it has one."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return next((each for each in statuses if each["name"] == container), None)
