"""What this process has seen of Azure. Lost with it, at the price of reading again."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from chatbot_operator.allowances import Allowances
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.ports import Assignment, Identity
from chatbot_operator.reconcile.events import BURST, REFILL_SECONDS
from chatbot_operator.status import Surplus
from chatbot_operator.steps.account import Examination
from chatbot_operator.steps.injection import RESTART_SECONDS, RESTARTS


@dataclass(frozen=True, slots=True)
class Granted:
    """What Azure was last seen to hold for a chatbot, and when.

    `tags`: those that the account asked for then, beside the operator's own.
    """

    account_id: str
    tags: Mapping[str, str]
    identity: Identity
    seen: dt.datetime


@dataclass(frozen=True, slots=True)
class Examined:
    """What Azure last said of an account that can be used, and when."""

    generation: int
    said: Examination
    seen: dt.datetime


@dataclass(frozen=True, slots=True)
class Audit:
    """What goes beyond what a chatbot needs, and when it was looked for.

    `credentials` is how many its identity has.
    """

    surplus: tuple[Surplus, ...]
    seen: dt.datetime
    credentials: int = 0


@dataclass(frozen=True, slots=True)
class Survey:
    """What lists said, and when they were asked for; nothing where they `failed`.

    `where` are the ARM ids of the account and of the resource group; `identities` goes by ARM id in
    lower case.
    """

    where: tuple[str, str]
    seen: dt.datetime
    failed: bool = False
    identities: Mapping[str, Identity] = field(default_factory=dict)
    assignments: tuple[Assignment, ...] = ()


@dataclass(frozen=True, slots=True)
class Census:
    """How many chatbots hold grants, how many of those are denied, and when they were counted.

    `taken` tells since when those are denied that hold none any more.
    """

    holding: int
    denied: int
    taken: tuple[dt.datetime, ...]
    at: dt.datetime


@dataclass(slots=True)
class Memory:
    """By uid: what chatbots hold, what accounts are, how much was told, whose pods were restarted.

    A chatbot of which `granted` says None is to be read, whatever its status says. `surveys` goes
    by the account's uid; `surveying` lets one pass at a time make one.
    `denied` tells when a chatbot was first found so; `closed` are subscriptions whose role
    assignments the operator may not list; `lives` are chatbots that hold something in
    Azure, by namespace and name.
    """

    granted: dict[str, Granted | None] = field(default_factory=dict)
    examined: dict[str, Examined] = field(default_factory=dict)
    surveys: dict[str, Survey] = field(default_factory=dict)
    surveying: defaultdict[str, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )
    lives: dict[tuple[str, str], Chatbot] = field(default_factory=dict)
    audits: dict[str, Audit] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    denied: dict[str, dt.datetime] = field(default_factory=dict)
    census: Census | None = None
    told: Allowances = field(default_factory=lambda: Allowances(BURST, REFILL_SECONDS))
    restarted: Allowances = field(default_factory=lambda: Allowances(RESTARTS, RESTART_SECONDS))

    def forget(self, chatbot: Chatbot) -> None:
        """Forget a chatbot that is gone."""
        self.granted.pop(chatbot.uid, None)
        self.denied.pop(chatbot.uid, None)
        self.audits.pop(chatbot.uid, None)
        self.lives.pop((chatbot.namespace, chatbot.name), None)
