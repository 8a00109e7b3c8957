"""The federated credential: lets the chatbot's service account be the identity."""

from __future__ import annotations

from chatbot_operator import naming
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.ports import Credential, Identity, World


async def federation(world: World, chatbot: Chatbot, identity: Identity) -> bool:
    """Write the credential if it is missing or differs in a single byte; tell whether it did."""
    installation = world.installation
    wanted = Credential(
        name=naming.credential_name(installation.issuer),
        issuer=installation.issuer,
        subject=naming.subject(chatbot.namespace, chatbot.name),
        audiences=(installation.audience,),
    )
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
