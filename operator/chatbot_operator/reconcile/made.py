"""What was made for a chatbot in Azure, whatever its status says of it."""

from __future__ import annotations

from dataclasses import replace

from chatbot_operator import ports
from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import Refusal, Stuck
from chatbot_operator.ports import World
from chatbot_operator.reconcile.memory import Granted
from chatbot_operator.steps.existing import existing_place
from chatbot_operator.steps.federation import trusted
from chatbot_operator.steps.identity import place
from chatbot_operator.steps.role import OUT_OF_REACH


async def made(world: World, chatbot: Chatbot, known: Granted | None) -> list[Chatbot]:
    """Give the chatbot with the ids of each place where something may have been made for it.

    Where it would be made now, where this process has seen it, and where the status says: a status
    may have been lost, or forged to hide what there is. What is found must bear the owner's marks.
    """
    found: dict[tuple[str, str], Chatbot] = {}
    for each in (await _placed(world, chatbot), _seen(chatbot, known), chatbot):
        if each and each.recorded.identity_id and each.recorded.account_id:
            recorded = each.recorded
            found.setdefault((recorded.account_id.lower(), recorded.identity_id.lower()), each)
    return list(found.values())


def _seen(chatbot: Chatbot, known: Granted | None) -> Chatbot | None:
    if known is None:
        return None
    return _recording(chatbot, known.account_id, known.identity.id, known.identity.principal_id)


async def _placed(world: World, chatbot: Chatbot) -> Chatbot | None:
    """Give the chatbot with the ids of the identity that bears its name, if there is one.

    Of one that others made, with those of the identity that holds a credential of the operator's.

    The record is written before anything is made, so what the operator may not even look at was
    not made by it.
    """
    body = await world.kubernetes.get(ports.ACCOUNTS, "", chatbot.account)
    if body is None:
        return None
    account = Account.parse(body)
    try:
        at = _place(chatbot, account, world)
        if chatbot.recorded.identity_id.lower() == at.lower():
            return _recording(chatbot, account.account_id, at, chatbot.recorded.principal_id)
        if chatbot.existing:
            found = at and await world.azure.credential(
                at, trusted(chatbot, world.installation).name
            )
            return _recording(chatbot, account.account_id, at, "") if found else None
        live = await world.azure.identity(at)
    except Stuck:
        return None
    except Refusal as refusal:
        if refusal.code not in OUT_OF_REACH:
            raise
        return None
    return _recording(chatbot, account.account_id, at, live.principal_id) if live else None


def _place(chatbot: Chatbot, account: Account, world: World) -> str:
    if chatbot.existing:
        return existing_place(chatbot, account, world.installation)
    return place(chatbot, account, world.installation)


def _recording(chatbot: Chatbot, account_id: str, identity_id: str, principal_id: str) -> Chatbot:
    recorded = replace(
        chatbot.recorded,
        account_id=account_id,
        identity_id=identity_id,
        principal_id=principal_id,
    )
    return replace(chatbot, recorded=recorded)
