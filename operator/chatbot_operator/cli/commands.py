"""Every command of `kubectl chatbot`, in the order of its help."""

from __future__ import annotations

from typing import Final

from chatbot_operator.cli.command import Command
from chatbot_operator.cli.doctor import DOCTOR
from chatbot_operator.cli.lives.orphans import ORPHANS
from chatbot_operator.cli.lives.rebind import REBIND
from chatbot_operator.cli.plan import PLAN
from chatbot_operator.cli.talk.asking import ASK
from chatbot_operator.cli.talk.opening import OPEN
from chatbot_operator.cli.talk.reading import LOGS
from chatbot_operator.cli.why import WHY

COMMANDS: Final[tuple[Command, ...]] = (WHY, DOCTOR, PLAN, ASK, LOGS, OPEN, ORPHANS, REBIND)
