"""Stops the operator at one of its writes, or loses the answer to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

from chatbot_operator.errors import KubernetesRefusal, Refusal
from chatbot_operator.ports import Resource, World

WRITES = frozenset(
    {
        *("apply", "patch", "replace_status", "delete", "set_finalizers"),
        *("put_identity", "tag_identity", "delete_identity"),
        *("put_credential", "delete_credential", "put_assignment", "delete_assignment"),
    }
)


@dataclass
class Fuse:
    """Counts the writes of a world, and at one of them stops it or loses the answer.

    Stopped: the write has been applied, and that call and every later one hang for ever, as those
    of a process that is no more. Lost: the write has been applied, and its caller hears of a broken
    connection. Writes go one after the other, so that the k-th means that k-1 are done.
    """

    at: int = 0
    lost: bool = False
    writes: list[str] = field(default_factory=list)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def call(self, what: str, broken: Exception, work: Any) -> Any:
        name = what.partition(" ")[0]
        if self.stopped.is_set():
            await asyncio.Event().wait()
        if name not in WRITES:
            return await work()
        async with self._one:
            if self.stopped.is_set():
                await asyncio.Event().wait()
            result = await work()
            self.writes.append(what)
            if len(self.writes) == self.at:
                if self.lost:
                    raise broken
                self.stopped.set()
                await asyncio.Event().wait()
            return result


@dataclass(frozen=True)
class Fused:
    """A port through a fuse."""

    port: Any
    fuse: Fuse
    broken: Exception

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.port, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            about = next((a.kind for a in args if isinstance(a, Resource)), "")
            part = " status" if kwargs.get("status") else ""
            return await self.fuse.call(
                f"{name} {about}{part}".strip(), self.broken, lambda: method(*args, **kwargs)
            )

        return call


def fused(world: World, fuse: Fuse) -> World:
    """The same world through a fuse."""
    kube = Fused(world.kubernetes, fuse, KubernetesRefusal("call", 0, "ServerDisconnected", ""))
    gone = Refusal("call", status=0, code="", message="Server disconnected")
    return replace(world, kubernetes=kube, azure=Fused(world.azure, fuse, gone))
