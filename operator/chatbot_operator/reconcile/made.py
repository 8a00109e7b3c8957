"""What was made for a chatbot in Azure, even if its status lost it."""

from __future__ import annotations

from dataclasses import replace

from chatbot_operator import ports
from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import Refusal, Stuck
from chatbot_operator.ports import World
from chatbot_operator.steps.identity import place
from chatbot_operator.steps.role import OUT_OF_REACH


async def made(world: World, chatbot: Chatbot) -> Chatbot:
    """Give the chatbot with the ids of what was made for it, even if its status lost them.

    The record is written before anything is made, so without one, what the operator may not even
    look at was not made by it.
    """
    if chatbot.recorded.identity_id and chatbot.recorded.account_id:
        return chatbot
    body = await world.kubernetes.get(ports.ACCOUNTS, "", chatbot.account)
    if body is None:
        return chatbot
    account = Account.parse(body)
    try:
        at = place(chatbot, account, world.installation)
        live = await world.azure.identity(at)
    except Stuck:
        return chatbot
    except Refusal as refusal:
        if refusal.code not in OUT_OF_REACH:
            raise
        return chatbot
    if live is None:
        return chatbot
    recorded = replace(chatbot.recorded, account_id=account.account_id, identity_id=at)
    return replace(chatbot, recorded=recorded)
