"""The federated credential: lets the chatbot's service account be the identity."""

from __future__ import annotations

from chatbot_operator import naming
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.ports import Credential, Identity, Installation, World


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


async def federation(world: World, chatbot: Chatbot, identity: Identity) -> bool:
    """Write the credential if it is missing or differs in a single byte; tell whether it did."""
    wanted = trusted(chatbot, world.installation)
    live = await world.azure.credential(identity.id, wanted.name)
    if live == wanted:
        return False
    receipt = await world.azure.put_credential(identity.id, wanted)
    if live is not None:
        message = "Put right a federated credential that differed."
    elif chatbot.recorded.credential_since:
        message = "Put back a federated credential that was gone."
    else:
        message = "Created the federated credential."
    world.journal.note("CredentialWritten", message, receipt)
    return True
