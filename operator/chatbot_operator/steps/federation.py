"""The federated credential: lets the chatbot's service account be the identity.

Under an identity of the chatbot's own it is named after its issuer; under one that others made, and
other chatbots may run as, after chatbot and issuer: whatever else is there is left alone.
"""

from __future__ import annotations

from typing import Final

from chatbot_operator import az, naming
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import Stuck
from chatbot_operator.ports import Credential, Identity, Installation, World
from chatbot_operator.steps.identity import owner, recorded_identity
from chatbot_operator.steps.lag import just_written

CREDENTIALS: Final = 20
"""The most federated credentials of an identity
(https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations)."""


def trusted(chatbot: Chatbot, installation: Installation) -> Credential:
    """Give the credential by which the chatbot's service account is to be the identity."""
    return Credential(
        name=_name(chatbot, installation, installation.issuer),
        issuer=installation.issuer,
        subject=naming.subject(chatbot.namespace, chatbot.name),
        audiences=(installation.audience,),
    )


def own(held: Credential, chatbot: Chatbot, installation: Installation) -> bool:
    """Tell whether a credential is the operator's for this chatbot, for whichever issuer."""
    subject = naming.subject(chatbot.namespace, chatbot.name)
    return (held.name, held.subject) == (_name(chatbot, installation, held.issuer), subject)


def trusts_the_same(held: Credential, wanted: Credential) -> bool:
    """Tell whether a credential trusts the tokens of the wanted one.

    Azure takes no two such: `Issuer and subject combination already exists for this Managed
    Identity.`
    """
    return (held.issuer, held.subject) == (wanted.issuer, wanted.subject)


def _name(chatbot: Chatbot, installation: Installation, issuer: str) -> str:
    if chatbot.existing:
        return naming.shared_credential_name(owner(chatbot, installation), issuer)
    return naming.credential_name(issuer)


async def federated(world: World, chatbot: Chatbot, identity: Identity) -> bool:
    """Tell whether the credential is there, byte for byte."""
    wanted = trusted(chatbot, world.installation)
    return await world.azure.credential(identity.id, wanted.name) == wanted


async def retire(
    world: World, chatbot: Chatbot, identity: Identity, held: list[Credential]
) -> list[Credential]:
    """Delete our own credentials for issuers that the cluster had before; give those that stay.

    Under an identity that others made for a chatbot, the name of another cluster's would be the
    same; under one that is shared, names tell clusters apart.
    """
    installation = world.installation
    told_apart = chatbot.existing or identity.name == naming.identity_name(
        owner(chatbot, installation)
    )
    if not installation.manage.identities or not told_apart:
        return held
    former = [
        each
        for each in held
        if own(each, chatbot, installation) and each.issuer != installation.issuer
    ]
    for each in former:
        receipt = await world.azure.delete_credential(identity.id, each.name)
        message = f"Deleted the federated credential for the former issuer {each.issuer}."
        world.journal.note("CredentialRetired", message, receipt)
    return [each for each in held if each not in former]


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
    held: list[Credential] | None = None
    if chatbot.existing:
        held = await world.azure.credentials(identity.id)
        if _by_another_name(held, wanted, identity):
            return False
    if not world.installation.manage.identities:
        raise Stuck(
            "CredentialNotThere",
            "The operator writes no federated credentials (AZURE_MANAGE is Nothing), and this one"
            f" is not there as it should be: `{az.create_credential(identity.id, wanted)}`",
        )
    # An identity may be listed once in four seconds: a new one, which has room, is not.
    if live is None and (held is not None or recorded.credential_since):
        held = held if held is not None else await world.azure.credentials(identity.id)
        _require_room(held, identity)
    receipt = await world.azure.put_credential(identity.id, wanted)
    if live is not None:
        message = "Put right a federated credential that differed."
    elif chatbot.recorded.credential_since:
        message = "Put back a federated credential that was gone."
    else:
        message = "Created the federated credential."
    world.journal.note("CredentialWritten", message, receipt)
    return True


def _by_another_name(held: list[Credential], wanted: Credential, identity: Identity) -> bool:
    """Tell whether somebody else's credential lets the chatbot be the identity already."""
    for each in held:
        if each.name == wanted.name or not trusts_the_same(each, wanted):
            continue
        if each.audiences == wanted.audiences:
            return True
        raise Stuck(
            "OwnershipConflict",
            f"Federated credential {each.name} of managed identity {identity.name} trusts the"
            " chatbot's service account for another audience, and Azure takes no second one. The"
            f" operator leaves it alone. Have its audience set to {wanted.audiences[0]}, or:"
            f" `{az.delete_credential(identity.id, each.name)}`",
        )
    return False


async def let_go(world: World, chatbot: Chatbot) -> list[Credential]:
    """Delete our credentials under an identity that others made, and nothing else.

    Gives those that are not ours to delete and still let the chatbot be the identity.
    """
    identity = await recorded_identity(world, chatbot)
    if identity is None:
        return []
    wanted = trusted(chatbot, world.installation)
    held = await world.azure.credentials(identity.id)
    ours = {c.name for c in held if own(c, chatbot, world.installation)}
    # Somebody may have edited it, and a list may lag behind.
    if wanted.name not in ours and await world.azure.credential(identity.id, wanted.name):
        ours.add(wanted.name)
    if not world.installation.manage.identities:
        ours = set()
    for name in sorted(ours):
        receipt = await world.azure.delete_credential(identity.id, name)
        message = "Deleted the federated credential; the identity and its roles are others'."
        world.journal.note("CredentialDeleted", message, receipt)
    return [each for each in held if trusts_the_same(each, wanted) and each.name not in ours]
