"""Looks what chatbots would take over: the chatbots in the cluster, their identities in Azure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from http import HTTPStatus

from chatbot_operator.account import Account
from chatbot_operator.azure.resource_manager import ResourceManager
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.lives.azure import Questions, each, patiently
from chatbot_operator.cli.lives.claim import Abroad, Case, Claim, abroad, case
from chatbot_operator.cli.lives.home import Home
from chatbot_operator.cli.lives.looking import (
    READ_IDENTITIES,
    assignments_on,
    credentials_of,
    groups,
    identities_of,
    roles_of,
)
from chatbot_operator.errors import Refusal, Service, Stuck
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
    nothing = Claim(Owner("", chatbot.namespace, chatbot.name, chatbot.uid))
    try:
        mine, account, at = _place(home, chatbot)
        live = await _identity(azure, at)
    except UnansweredError as error:
        return replace(nothing, said=str(error))
    except Refusal as refusal:
        if refusal.service is Service.ENTRA or refusal.status != HTTPStatus.FORBIDDEN:
            raise
        said = f"its identity is not known: you may not; have {READ_IDENTITIES} given to you"
        return replace(nothing, case=Case.UNKNOWN, said=said)
    return _judged(Claim(mine, at, live, account_id=account.account_id), chatbot)


def _place(home: Home, chatbot: Chatbot) -> tuple[Owner, Account, str]:
    """Give owner, account and ARM id of a chatbot's identity.

    Raises UnansweredError if it has none that an earlier life could have had.
    """
    installation, account = home.of(chatbot.namespace), home.account(chatbot.account)
    if account is None:
        raise UnansweredError(f"there is no AzureOpenAIAccount {chatbot.account}")
    if chatbot.existing:
        raise UnansweredError(f"it runs as {chatbot.existing}, which others made")
    if chatbot.deleted_at is not None:
        raise UnansweredError("it is being deleted")
    try:
        at = place(chatbot, account, installation)
    except Stuck as fault:
        raise UnansweredError(fault.message) from fault
    return owner(chatbot, installation), account, at


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
