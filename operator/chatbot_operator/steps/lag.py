"""What was just written and is not seen is there: reads of Azure lag behind its writes."""

from __future__ import annotations

from typing import Final

from chatbot_operator.chatbot import Chatbot
from chatbot_operator.ports import Identity, World
from chatbot_operator.status import parse

LAG_SECONDS: Final = 60.0


def just_written(world: World, chatbot: Chatbot, identity: Identity, since: str) -> bool:
    """Tell whether what is not to be seen was written for this very identity a moment ago.

    `since` (RFC 3339) is when, as the status records it; empty if it never was.
    """
    if not since or chatbot.recorded.principal_id != identity.principal_id:
        return False
    # A time to come is no moment ago: a status may have been forged.
    return abs((world.now() - parse(since)).total_seconds()) < LAG_SECONDS
