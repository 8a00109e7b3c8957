"""Looks what chatbots would take over: the chatbots in the cluster, their identities in Azure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from chatbot_operator.azure.resource_manager import ResourceManager
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.lives.azure import Questions, each, patiently
from chatbot_operator.cli.lives.claim import Abroad, Case, Claim, abroad, case
from chatbot_operator.cli.lives.home import Home
from chatbot_operator.cli.lives.looking import (
    assignments_on,
    credentials_of,
    groups,
    identities_of,
    roles_of,
)
from chatbot_operator.errors import Refusal, Stuck
from chatbot_operator.naming import Owner
from chatbot_operator.ports import Assignment, Identity
from chatbot_operator.status import by_type
from chatbot_operator.steps.identity import owner, place


async def claims_of(
    home: Home, chatbots: Iterable[Chatbot], azure: ResourceManager, asking: Questions
) -> list[Claim]:
    """Give what each chatbot would take over, with what is known of the identity."""
    found = await each(chatbots, partial(_claim, home, azure))
    scopes = {one.account_id.lower(): one.account_id for one in found if one.case is Case.EARLIER}
    listed = await each(scopes.values(), partial(assignments_on, azure, asking))
    known = [role for some in listed for role in some]
    return await each(found, partial(_detailed, azure, asking, known))


async def _claim(home: Home, azure: ResourceManager, chatbot: Chatbot) -> Claim:
    barred = Claim(Owner("", chatbot.namespace, chatbot.name, chatbot.uid))
    try:
        installation = home.of(chatbot.namespace)
        mine, account = owner(chatbot, installation), home.account(chatbot.account)
        if account is None:
            return replace(barred, said=f"there is no AzureOpenAIAccount {chatbot.account}")
        if chatbot.existing:
            said = f"it runs as {chatbot.existing}, which others made and no chatbot owns"
            return replace(barred, owner=mine, said=said)
        if chatbot.deleted_at is not None:
            return replace(barred, owner=mine, said="it is being deleted")
        at = place(chatbot, account, installation)
        live = await _identity(azure, at)
    except UnansweredError as error:
        return replace(barred, said=str(error))
    except Stuck as fault:
        return replace(barred, said=fault.message)
    return _judged(Claim(mine, at, live, account_id=account.account_id), chatbot)


async def _identity(azure: ResourceManager, at: str) -> Identity | None:
    try:
        return await patiently(lambda: azure.identity(at))
    except Refusal as refusal:
        if refusal.code != "ResourceGroupNotFound":
            raise
        return None


def _judged(claim: Claim, chatbot: Chatbot) -> Claim:
    live, ready = claim.live, by_type(chatbot.status).get("Ready")
    return replace(
        claim,
        case=case(live, claim.owner),
        recorded=bool(live and chatbot.recorded.principal_id == live.principal_id),
        waiting=bool(ready and ready.reason == "OwnedByEarlierLife"),
        suspended=chatbot.suspended,
    )


async def _detailed(
    azure: ResourceManager, asking: Questions, known: list[Assignment], claim: Claim
) -> Claim:
    if claim.case is not Case.EARLIER or claim.live is None:
        return claim
    return replace(
        claim,
        roles=await roles_of(azure, claim.live, known),
        credentials=await credentials_of(azure, asking, claim.at),
    )


async def foreseen(home: Home, azure: ResourceManager, asking: Questions, earlier: str) -> Abroad:
    """Give what the chatbots of this cluster would find under another owner id."""
    found = await each(groups(home), partial(identities_of, azure, asking))
    names = [(body["metadata"]["namespace"], body["metadata"]["name"]) for body in home.chatbots]
    identities = [one for some in found for one in some]
    return abroad(earlier, home.installations, identities, names)
