"""Every command of `kubectl chatbot`, in the order of its help."""

from __future__ import annotations

from typing import Final

from chatbot_operator.cli.command import Command
from chatbot_operator.cli.why import WHY

COMMANDS: Final[tuple[Command, ...]] = (WHY,)
