"""The managed identity: made once, known by its tags, never taken from anybody."""

from __future__ import annotations

from collections.abc import Mapping

from chatbot_operator import az, naming
from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot, DeletionPolicy
from chatbot_operator.errors import Refusal, Stuck
from chatbot_operator.naming import Owner
from chatbot_operator.ports import Identity, Installation, World

UID_TAG = f"{naming.TAG_PREFIX}uid"
RETAINED_TAG = f"{naming.TAG_PREFIX}retained"


def owner(chatbot: Chatbot, installation: Installation) -> Owner:
    """Give the owner that everything in Azure made for this chatbot is marked with."""
    return Owner(installation.cluster, chatbot.namespace, chatbot.name, chatbot.uid)


def made_for(identity: Identity) -> Owner | None:
    """Read from its tags whom an identity was made for; None if it is no chatbot's."""
    marks = [tag(identity.tags, f"{naming.TAG_PREFIX}{part}") for part in naming.PARTS]
    return None if None in marks else Owner(*(mark or "" for mark in marks))


def retained(identity: Identity) -> bool:
    """Tell whether an identity is to stay although its chatbot is gone."""
    return bool(tag(identity.tags, RETAINED_TAG))


def owner_of(identity: Identity) -> Owner | None:
    """Read from its tags whom an identity was made for; None if it is no chatbot's, or retained."""
    return None if retained(identity) else made_for(identity)


def place(chatbot: Chatbot, account: Account, installation: Installation) -> str:
    """Give the ARM id that the chatbot's identity would have if it were made now."""
    group = group_name(account, installation)
    if not group:
        raise Stuck(
            "IdentityResourceGroupMissing",
            "Neither the AzureOpenAIAccount (spec.identity.resourceGroup) nor the operator"
            " (IDENTITY_RESOURCE_GROUP) says where managed identities go.",
        )
    name = naming.identity_name(owner(chatbot, installation))
    return naming.identity_id(account.subscription, group, name)


def group_name(account: Account, installation: Installation) -> str:
    """Name the resource group that identities go to; empty if nobody says which."""
    return account.identity_resource_group or installation.identity_resource_group


def group_id(account: Account, installation: Installation) -> str:
    """Give the ARM id of the resource group that identities go to; empty if nobody says which."""
    group = group_name(account, installation)
    return naming.group_id(account.subscription, group) if group else ""


async def find(world: World, chatbot: Chatbot, account: Account) -> tuple[str, Identity | None]:
    """Give the identity and its ARM id: where it was recorded if it is there and ours, else anew.

    What was recorded is believed for finding an identity, never for making one.
    """
    wanted, recorded = place(chatbot, account, world.installation), chatbot.recorded.identity_id
    if recorded and recorded.lower() != wanted.lower():
        live = await recorded_identity(world, chatbot)
        if live is not None and bears(live.tags, owner(chatbot, world.installation).tags):
            return recorded, live
    return wanted, await world.azure.identity(wanted)


async def identity(
    world: World, chatbot: Chatbot, account: Account, *, at: str, live: Identity | None
) -> Identity:
    """Make the identity with ARM id `at`, or see that the one that is there is ours."""
    mine, tags = owner(chatbot, world.installation), _tags(chatbot, account, world.installation)
    location = account.identity_location or world.installation.identity_location
    location = location or account.location
    if not world.installation.manage.identities:
        return _given(live, mine, az.create_identity(at, location=location, tags=tags))
    if live is None:
        made, receipt = await world.azure.put_identity(at, location=location, tags=tags)
        before = chatbot.recorded.principal_id
        if made.principal_id == before:  # it was there, and a read did not see it
            return made
        gone = before and chatbot.recorded.identity_id == at
        message = (
            "Made a managed identity again that was gone." if gone else "Created the identity."
        )
        world.journal.note("IdentityCreated", message, receipt)
        return made
    rebound = _rebinds(world.installation, chatbot, live, mine)
    if not rebound:
        _require_ours(live, mine)
    if as_wanted(live, chatbot, account, world.installation):
        return live
    tagged, receipt = await world.azure.tag_identity(at, with_tags(live, tags))
    if rebound:
        earlier = tag(live.tags, UID_TAG)
        message = f"Took over the identity of an earlier chatbot of this name (uid {earlier})."
        world.journal.note("IdentityRebound", message, receipt)
    else:
        world.journal.note("IdentityTagged", "Put the identity's tags right.", receipt)
    return tagged


def with_tags(live: Identity, tags: Mapping[str, str]) -> dict[str, str]:
    """Give the tags of an identity with these in their place; it is retained no more.

    Azure takes names of tags case-insensitively and refuses the same one twice.
    """
    ours = {key.lower() for key in tags}
    others = {k: v for k, v in live.tags.items() if k.lower() not in {*ours, RETAINED_TAG}}
    return {**others, **tags}


def _given(live: Identity | None, mine: Owner, command: str) -> Identity:
    """See that the identity which the operator may not make is there and is the chatbot's."""
    if live is None:
        raise Stuck(
            "IdentityNotThere",
            "The operator makes no managed identities (AZURE_MANAGE is Nothing). Have this one"
            f" made: `{command}`",
        )
    _require_ours(live, mine)
    return live


def _rebinds(installation: Installation, chatbot: Chatbot, live: Identity, mine: Owner) -> bool:
    """Tell whether an identity is to be taken over from an earlier life.

    In this cluster nobody else bears its namespace and name. An identity that was this chatbot's
    before was taken over itself, by a second cluster of the same owner id: that ends here.
    """
    taken = chatbot.recorded.principal_id == live.principal_id
    return installation.rebind and not taken and of_earlier_life(live, mine)


def as_wanted(
    live: Identity, chatbot: Chatbot, account: Account, installation: Installation
) -> bool:
    """Tell whether an identity is ours, and nothing about it would be written."""
    retained = any(name.lower() == RETAINED_TAG for name in live.tags)
    return not retained and bears(live.tags, _tags(chatbot, account, installation))


def _tags(chatbot: Chatbot, account: Account, installation: Installation) -> dict[str, str]:
    return {**account.identity_tags, **owner(chatbot, installation).tags}


async def recorded_identity(world: World, chatbot: Chatbot) -> Identity | None:
    """Read the identity that an earlier pass recorded; it is gone with its resource group, too."""
    try:
        return await world.azure.identity(chatbot.recorded.identity_id)
    except Refusal as refusal:
        if refusal.code != "ResourceGroupNotFound":
            raise
        return None


async def remove_identity(world: World, chatbot: Chatbot) -> None:
    """Delete the identity, or mark it as retained; one that is not ours stays untouched."""
    at = chatbot.recorded.identity_id
    live = await recorded_identity(world, chatbot) if world.installation.manage.identities else None
    if live is None:
        return
    if not bears(live.tags, owner(chatbot, world.installation).tags):
        if live.principal_id == chatbot.recorded.principal_id and owner_of(live) is None:
            raise Stuck(
                "OwnershipConflict",
                f"Managed identity {live.id} no longer bears this chatbot's tags. Give them back,"
                " or delete it by hand.",
            )
        return
    if chatbot.deletion_policy is DeletionPolicy.DELETE:
        receipt = await world.azure.delete_identity(at)
        world.journal.note("IdentityDeleted", "Deleted the identity.", receipt)
    elif not bears(live.tags, {RETAINED_TAG: "true"}):
        _, receipt = await world.azure.tag_identity(at, {**live.tags, RETAINED_TAG: "true"})
        world.journal.note("IdentityRetained", "Marked the identity as retained.", receipt)


def _require_ours(live: Identity, mine: Owner) -> None:
    if bears(live.tags, mine.tags):
        return
    if of_earlier_life(live, mine):
        raise Stuck(
            "OwnedByEarlierLife",
            f"Managed identity {live.id} belongs to an earlier {mine.namespace}/{mine.name} (uid"
            f" {tag(live.tags, UID_TAG)}). Delete it, or set its tag"
            f" chatbot-operator-uid to {mine.uid} to take it over: `kubectl chatbot rebind"
            f" -n {mine.namespace} {mine.name}` does that.",
        )
    raise Stuck(
        "OwnershipConflict",
        f"Managed identity {live.id} exists and is not this chatbot's. The operator leaves it"
        " alone: delete it if nobody needs it.",
    )


def of_earlier_life(live: Identity, mine: Owner) -> bool:
    """Tell whether an identity was made for this name in this cluster, but for another uid."""
    name = {key: value for key, value in mine.tags.items() if key != UID_TAG}
    return bears(live.tags, name) and not bears(live.tags, mine.tags)


def bears(tags: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Tell whether all of the wanted tags are among these."""
    return all(tag(tags, key) == value for key, value in wanted.items())


def tag(tags: Mapping[str, str], key: str) -> str | None:
    """Read a tag; Azure takes tag names case-insensitively."""
    return next((v for k, v in tags.items() if k.lower() == key.lower()), None)
