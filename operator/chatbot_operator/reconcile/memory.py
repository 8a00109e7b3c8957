"""What this process has seen of Azure. Lost with it, at the price of reading again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from chatbot_operator.ports import Identity
from chatbot_operator.reconcile.events import Allowances
from chatbot_operator.steps.account import Examination


@dataclass(frozen=True, slots=True)
class Granted:
    """What Azure was last seen to hold for a chatbot, and when."""

    account_id: str
    identity: Identity
    seen: dt.datetime


@dataclass(frozen=True, slots=True)
class Examined:
    """What Azure last said of an account that can be used, and when."""

    generation: int
    said: Examination
    seen: dt.datetime


@dataclass(slots=True)
class Memory:
    """By uid: what chatbots hold, what accounts are, and how much was told of either."""

    granted: dict[str, Granted] = field(default_factory=dict)
    examined: dict[str, Examined] = field(default_factory=dict)
    told: Allowances = field(default_factory=Allowances)
