"""The life of one container: start, probes, end, back-off, start again."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sandbox.cluster.node.launching import Launch, UnlaunchableError
from sandbox.cluster.node.probes import check, outcomes
from sandbox.cluster.node.status import ContainerStatus, stamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.cluster.api import Object
    from sandbox.processes import Process, Processes

_RETRY = 2.0
_LONGEST_DELAY = 300.0
_FORGIVEN_AFTER = 600.0  # seconds of running, as the kubelet
_START_ERROR = 128


class Container:
    """A container of a pod.

    `launch` tells what to start; `pod` is the pod's name as the kubelet writes it in messages;
    `delay` the first back-off in seconds; `changed` is called when `status` has changed;
    `waiting` is the reason why it does not run yet.
    """

    def __init__(
        self,
        spec: Object,
        *,
        pod: str,
        address: str,
        restart: str,
        waiting: str,
        grace: float,
        delay: float,
        launch: Callable[[Object], Launch],
        processes: Processes,
        logs: Path,
        changed: Callable[[], None],
    ) -> None:
        self.spec = spec
        self.status = ContainerStatus(spec["name"], spec["image"], {"waiting": {"reason": waiting}})
        self._pod = pod
        self._address = address
        self._restart = restart
        self._grace = grace
        self._delay = delay
        self._launch = launch
        self._processes = processes
        self._logs = logs
        self._changed = changed
        self._process: Process | None = None
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    def log(self, *, previous: bool = False) -> Path:
        """The log file of its present or previous process; it may not exist."""
        return self._logs / f"{self.status.restarts - previous}.log"

    def hold(self, message: str) -> None:
        """Say why it is not started yet."""
        if waiting := self.status.state.get("waiting"):
            self._set(state={"waiting": {**waiting, "message": message}})

    async def run(self) -> int:
        """Run it until it is not to be restarted; its exit code."""
        delay, code = 0.0, 0
        while not self._stopping:
            started = asyncio.get_running_loop().time()
            code = await self._once(await self._launchable())
            if self._restart == "Never" or (self._restart == "OnFailure" and not code):
                break
            if asyncio.get_running_loop().time() - started > _FORGIVEN_AFTER:
                delay = 0.0
            if not self._stopping:
                await self._back_off(delay)
            delay = min(delay * 2 or self._delay, _LONGEST_DELAY)
        return code

    async def stop(self, grace: float) -> None:
        """End its process: the preStop hook, SIGTERM, after `grace` seconds SIGKILL."""
        self._stopping = True
        if process := self._process:
            deadline = asyncio.get_running_loop().time() + grace
            hook = (self.spec.get("lifecycle") or {}).get("preStop")
            if hook and grace:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(grace):
                        await self._before_stop(process, hook)
            await process.stop(grace=max(deadline - asyncio.get_running_loop().time(), 0))
        await self._idle.wait()

    async def _launchable(self) -> Launch:
        failed = ""
        while True:
            try:
                return self._launch(self.spec)
            except UnlaunchableError as problem:
                reason, message = problem.reason, str(problem)
            if failed == reason == "ErrImagePull":
                image = self.spec["image"]
                reason = "ImagePullBackOff"
                message = f'Back-off pulling image "{image}": ErrImagePull: {message}'
            failed = failed or reason
            self._set(state={"waiting": {"reason": reason, "message": message}})
            await asyncio.sleep(_RETRY)

    async def _once(self, launch: Launch) -> int:
        began = _now()
        self._idle.clear()
        try:
            process = self._process = await self._start(launch)
            if self._stopping:
                await process.stop()
            code = await self._supervise(process, launch, began)
        except OSError as error:
            code = _START_ERROR
            self._terminated("StartError", code, began, message=str(error))
        else:
            self._terminated("Error" if code else "Completed", code, began)
        finally:
            if self._process:
                await self._process.stop()
            self._process = None
            self._idle.set()
        return code

    async def _start(self, launch: Launch) -> Process:
        return await self._processes.start(
            f"{self._pod}/{self.spec['name']}",
            launch.argv,
            log=self.log(),
            env=launch.environment,
            cwd=launch.directory,
        )

    async def _supervise(self, process: Process, launch: Launch, began: str) -> int:
        """Probe a process until it ends; its exit code, 128 + n for signal n."""
        started = "startupProbe" not in self.spec
        ready = started and "readinessProbe" not in self.spec
        self._set(state={"running": {"startedAt": began}}, started=started, ready=ready)
        probing = asyncio.create_task(self._probe(process, launch))
        try:
            code = await process.wait()
        finally:
            probing.cancel()
            await asyncio.gather(probing, return_exceptions=True)
        return 128 - code if code < 0 else code

    def _terminated(self, reason: str, code: int, began: str, **more: str) -> None:
        times = {"startedAt": began, "finishedAt": _now()}
        ended = {"exitCode": code, "reason": reason, **times, **more}
        self._set(state={"terminated": ended}, ready=False, started=False)

    async def _back_off(self, delay: float) -> None:
        last = self.status.state
        if delay:
            message = (
                f"back-off {_go_duration(delay)} restarting failed"
                f" container={self.spec['name']} pod={self._pod}"
            )
            waiting = {"reason": "CrashLoopBackOff", "message": message}
            self._set(state={"waiting": waiting}, last=last)
            await asyncio.sleep(delay)
        self._set(last=last, restarts=self.status.restarts + 1)

    async def _probe(self, process: Process, launch: Launch) -> None:
        if probe := self.spec.get("startupProbe"):
            async for passed in outcomes(probe, lambda: self._check(probe, launch)):
                if not passed:
                    await process.stop(grace=self._grace_of(probe))
                    return
                break
        self._set(started=True, ready="readinessProbe" not in self.spec)
        await asyncio.gather(self._readiness(launch), self._liveness(process, launch))

    async def _readiness(self, launch: Launch) -> None:
        if probe := self.spec.get("readinessProbe"):
            async for passed in outcomes(probe, lambda: self._check(probe, launch)):
                self._set(ready=passed)

    async def _liveness(self, process: Process, launch: Launch) -> None:
        if probe := self.spec.get("livenessProbe"):
            async for passed in outcomes(probe, lambda: self._check(probe, launch)):
                if not passed:
                    await process.stop(grace=self._grace_of(probe))

    def _grace_of(self, probe: Object) -> float:
        return float(probe.get("terminationGracePeriodSeconds", self._grace))

    async def _check(self, probe: Object, launch: Launch) -> bool:
        if "exec" in probe:
            return await self._execute(probe["exec"]["command"], launch) == 0
        return await check(probe, container=self.spec, address=self._address)

    async def _execute(self, command: list[str], launch: Launch) -> int:
        process = await self._processes.start(
            f"{self._pod}/{self.spec['name']} {command[0]}",
            launch.command(command),
            log=self._logs / "exec.log",
            env=launch.environment,
            cwd=launch.directory,
        )
        try:
            return await process.wait()
        finally:
            await process.stop()

    async def _before_stop(self, process: Process, hook: Object) -> None:
        if "sleep" in hook:
            ended = asyncio.create_task(process.wait())
            await asyncio.wait([ended], timeout=hook["sleep"]["seconds"])
            ended.cancel()
        elif "exec" in hook:
            await self._execute(hook["exec"]["command"], self._launch(self.spec))

    def _set(self, **fields: Any) -> None:
        fresh = replace(self.status, **fields)
        if fresh != self.status:
            self.status = fresh
            self._changed()


def _now() -> str:
    return stamp(dt.datetime.now(dt.UTC))


def _go_duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
