"""Every command of `kubectl chatbot`, in the order of its help."""

from __future__ import annotations

from typing import Final

from chatbot_operator.cli.command import Command

COMMANDS: Final[tuple[Command, ...]] = ()
