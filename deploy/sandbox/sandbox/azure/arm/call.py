"""One ARM request as a resource provider sees it, and its answer."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sandbox.azure.access import Caller
from sandbox.azure.state import Store
from sandbox.azure.world import World

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """An authenticated request. `params` are the placeholders of the operation's path."""

    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    caller: Caller
    now: float
    world: World

    @property
    def store(self) -> Store:
        """The emulator's memory."""
        return self.world.store

    @property
    def properties(self) -> Json:
        """The `properties` of the body; empty when there are none."""
        return section(self.body, "properties")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `body` None sends no content."""

    status: int
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Reply]
Guard = Callable[[Call], AbstractContextManager[None]]
Attributes = Mapping[str, str | None]


def _open(_call: Call) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True)
class Operation:
    """A method and a path, the action a caller needs for it, and who handles it.

    `resource` is the provider's name of the type, from which the action follows; without one,
    any authenticated caller may. `kind` chooses latencies and throttles. `guard` is held while
    the operation is under way.
    """

    method: str
    template: str
    handler: Handler
    resource: str | None = None
    kind: str = ""
    guard: Guard = _open
    verb: str | None = None

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path as a regular expression, without case."""
        text = self.template.replace("{scope}", "(?P<scope>.*)")
        return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", text), re.IGNORECASE)

    @property
    def action(self) -> str | None:
        """The action that a role must allow."""
        if self.resource is None:
            return None
        verb = self.verb or _VERBS[self.method]
        return f"{self.resource}/{verb}"

    def scope(self, path: str) -> str:
        """The scope of the action: the resource, or what a list or an action belongs to."""
        named = self.template.endswith("}") and self.method != "POST"
        return path if named else path.rpartition("/")[0]


_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


def section(body: Json, name: str) -> Json:
    """An object inside an object; empty when absent or null."""
    value = body.get(name)
    return value if isinstance(value, Mapping) else {}


def tags_of(body: Json) -> dict[str, str]:
    """The tags of a resource body."""
    return {str(k): str(v) for k, v in section(body, "tags").items()}


def listing(items: Iterable[Json]) -> Reply:
    """A page that is the whole list."""
    return Reply(200, {"value": list(items)})


def instant(seconds: float) -> str:
    """An epoch time in Azure's seven-digit form."""
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0Z"
