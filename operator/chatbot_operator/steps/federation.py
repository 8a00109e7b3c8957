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
    if await world.azure.credential(identity.id, wanted.name) == wanted:
        return False
    await world.azure.put_credential(identity.id, wanted)
    return True
