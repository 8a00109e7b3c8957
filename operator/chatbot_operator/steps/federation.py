"""The federated credential: lets the chatbot's service account be the identity."""

from __future__ import annotations

from typing import Final

from chatbot_operator import az, naming
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import Stuck
from chatbot_operator.ports import Credential, Identity, Installation, World
from chatbot_operator.steps.identity import owner
from chatbot_operator.steps.lag import just_written

CREDENTIALS: Final = 20
"""The most federated credentials of an identity
(https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations)."""


def trusted(chatbot: Chatbot, installation: Installation) -> Credential:
    """Give the credential by which the chatbot's service account is to be the identity."""
    return Credential(
        name=naming.credential_name(installation.issuer),
        issuer=installation.issuer,
        subject=naming.subject(chatbot.namespace, chatbot.name),
        audiences=(installation.audience,),
    )


async def federated(world: World, chatbot: Chatbot, identity: Identity) -> bool:
    """Tell whether the credential is there, byte for byte."""
    wanted = trusted(chatbot, world.installation)
    return await world.azure.credential(identity.id, wanted.name) == wanted


async def retire(
    world: World, chatbot: Chatbot, identity: Identity, held: list[Credential]
) -> list[Credential]:
    """Delete our own credentials for issuers that the cluster had before; give those that stay.

    Only under the identity that was made for the chatbot: under one that others gave, the same name
    and subject may be another cluster's.
    """
    mine = owner(chatbot, world.installation)
    made_by_us = world.installation.manage.identities
    if not made_by_us or identity.name != naming.identity_name(mine):
        return held
    wanted = trusted(chatbot, world.installation)
    former = [each for each in held if _is_former(each, wanted)]
    for each in former:
        receipt = await world.azure.delete_credential(identity.id, each.name)
        message = f"Deleted the federated credential for the former issuer {each.issuer}."
        world.journal.note("CredentialRetired", message, receipt)
    return [each for each in held if each not in former]


def _is_former(held: Credential, wanted: Credential) -> bool:
    ours = held.name == naming.credential_name(held.issuer) and held.subject == wanted.subject
    return ours and held.issuer != wanted.issuer


def _require_room(held: list[Credential], identity: Identity) -> None:
    if len(held) >= CREDENTIALS:
        raise Stuck(
            "FederationFull",
            f"Managed identity {identity.name} holds {len(held)} federated credentials, the most"
            " Azure allows. Delete some that nobody needs; they are shown by `az identity"
            " federated-credential list`.",
        )


async def federation(world: World, chatbot: Chatbot, identity: Identity) -> bool:
    """Write the credential if it is missing or differs in a single byte; tell whether it did."""
    wanted = trusted(chatbot, world.installation)
    live = await world.azure.credential(identity.id, wanted.name)
    if live == wanted:
        return False
    recorded, issuer = chatbot.recorded, world.installation.issuer
    lags = live is None and recorded.issuer == issuer
    if lags and just_written(world, chatbot, identity, recorded.credential_since):
        return False
    if not world.installation.manage.identities:
        raise Stuck(
            "CredentialNotThere",
            "The operator writes no federated credentials (AZURE_MANAGE is Nothing), and this one"
            f" is not there as it should be: `{az.create_credential(identity.id, wanted)}`",
        )
    # An identity may be listed once in four seconds: a new one, which has room, is not.
    if live is None and recorded.credential_since:
        _require_room(await world.azure.credentials(identity.id), identity)
    receipt = await world.azure.put_credential(identity.id, wanted)
    if live is not None:
        message = "Put right a federated credential that differed."
    elif chatbot.recorded.credential_since:
        message = "Put back a federated credential that was gone."
    else:
        message = "Created the federated credential."
    world.journal.note("CredentialWritten", message, receipt)
    return True
