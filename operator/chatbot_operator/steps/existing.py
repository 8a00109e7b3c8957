"""A managed identity that somebody else made: used where those who own it consent, left as it is.

Consent never comes from the chatbot that asks. The account lists the identity, or it lies where the
account's identities go and bears a tag that names the chatbot: whoever can write either could make
an identity with access anyway.
"""

from __future__ import annotations

from typing import Final

from chatbot_operator import az, naming
from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import Denied, Stuck
from chatbot_operator.ports import Identity, Installation, World
from chatbot_operator.steps.identity import RETAINED_TAG, group_name, owner, tag

ALLOW_TAG: Final = f"{naming.TAG_PREFIX}allow"
"""Its value is OWNER/NAMESPACE/NAME of the one chatbot that may run as the identity."""

_MARKS: Final = (*(f"{naming.TAG_PREFIX}{part}" for part in naming.PARTS), RETAINED_TAG)


def existing_place(chatbot: Chatbot, account: Account, installation: Installation) -> str:
    """Give the ARM id of the identity that the chatbot names.

    As the account lists it, else where the account's identities go; empty if nobody says where.
    """
    listed, group = account.existing.get(chatbot.existing, ""), group_name(account, installation)
    if listed or not group:
        return listed
    return naming.identity_id(account.subscription, group, chatbot.existing)


def usable(live: Identity, chatbot: Chatbot, account: Account, installation: Installation) -> bool:
    """Tell whether the chatbot may run as an identity, as that was last read."""
    here = live.id.lower() == existing_place(chatbot, account, installation).lower()
    return here and _consents(live, chatbot, account, installation) and not _of_a_chatbot(live)


async def consented(world: World, chatbot: Chatbot, account: Account) -> Identity | None:
    """Read the identity; None if it is listed and not there. Raises Denied if nobody consents."""
    at = existing_place(chatbot, account, world.installation)
    live = await world.azure.identity(at) if at else None
    if _consents(live, chatbot, account, world.installation):
        return live
    # One that the chatbot runs as is withdrawn, whatever became of it.
    if live is not None and _of_a_chatbot(live) and not chatbot.recorded.identity_id:
        raise _conflict(live)
    raise Denied("IdentityNotAllowed", _both_ways(chatbot, account, world.installation, at))


async def existing(world: World, chatbot: Chatbot, account: Account) -> Identity:
    """Give the identity, if it is there and the chatbot may run as it."""
    live = await consented(world, chatbot, account)
    if live is None:
        at = existing_place(chatbot, account, world.installation)
        raise Stuck(
            "IdentityNotThere",
            f"AzureOpenAIAccount {account.name} lists managed identity {at}, which does not exist."
            f" Have its id corrected there, or the identity made: `{az.create_identity(at)}`",
        )
    if _of_a_chatbot(live):
        raise _conflict(live)
    return live


def _consents(
    live: Identity | None, chatbot: Chatbot, account: Account, installation: Installation
) -> bool:
    if chatbot.existing in account.existing:
        return True
    return live is not None and tag(live.tags, ALLOW_TAG) == owner(chatbot, installation).path


def _of_a_chatbot(live: Identity) -> bool:
    """Tell whether an operator made the identity for some chatbot, be it another installation's."""
    return any(tag(live.tags, mark) is not None for mark in _MARKS)


def _conflict(live: Identity) -> Stuck:
    return Stuck(
        "OwnershipConflict",
        f"Managed identity {live.id} was made for a chatbot, as its tags {naming.TAG_PREFIX}* say;"
        " no other may run as it. Name another identity.",
    )


def _both_ways(chatbot: Chatbot, account: Account, installation: Installation, at: str) -> str:
    """Say how those who own the account, or the identity, consent."""
    said = (
        f"Nobody who may say so lets the chatbot run as managed identity {chatbot.existing}. Have"
        f" it added to spec.identity.existing of AzureOpenAIAccount {account.name}, by name and id"
    )
    if not at:
        return f"{said}."
    command = az.tag_identity(at, ALLOW_TAG, owner(chatbot, installation).path)
    group = group_name(account, installation)
    return f"{said}; or, if it lies in resource group {group}, have it tagged: `{command}`"
