"""The role assignment: OpenAI User, on the one account, for the one identity."""

from __future__ import annotations

from collections.abc import Iterable

from chatbot_operator import az, naming
from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot, DeletionPolicy
from chatbot_operator.errors import Refusal, Stuck
from chatbot_operator.ports import Assignment, Identity, Installation, World
from chatbot_operator.steps.identity import owner, recorded_identity
from chatbot_operator.steps.lag import just_written

OUT_OF_REACH = ("AuthorizationFailed", "ResourceGroupNotFound", "SubscriptionNotFound")
"""What Azure says of something that is gone with what contains it, or with our right to it."""


async def role(world: World, chatbot: Chatbot, account: Account, identity: Identity) -> bool:
    """Assign the role unless the identity holds it already, by our assignment or an equal one.

    Tells whether it was assigned now.
    """
    scope = account.account_id
    if chatbot.existing:
        await _require_held(world, chatbot, scope, identity)
        return False
    await _forget_lost_principal(world, chatbot, scope, identity)
    wanted = _wanted(chatbot, scope, identity, world.installation)
    live = await world.azure.assignment(scope, wanted.name)
    if live is not None:
        _require_equal(live, wanted)
        if _of_earlier_life(live, wanted) and world.installation.manage.roles:
            receipt = await world.azure.put_assignment(wanted)
            message = "Took over the role assignment of an earlier life."
            world.journal.note("RoleAssigned", message, receipt)
        return False
    held = await world.azure.assignments(scope, identity.principal_id)
    if any(_grants(each, wanted) for each in held):
        return False
    same = chatbot.recorded.account_id.lower() == scope.lower()
    if same and just_written(world, chatbot, identity, chatbot.recorded.role_since):
        return False
    if not world.installation.manage.roles:
        raise Stuck(
            "RoleNotAssigned",
            f"The operator assigns no roles (AZURE_MANAGE is {world.installation.manage}). Have"
            f" this one assigned: `{az.create_assignment(wanted)}`",
        )
    receipt = await world.azure.put_assignment(wanted)
    before = chatbot.recorded.role_since and chatbot.recorded.principal_id == identity.principal_id
    message = "Put back a role assignment that was gone." if before else "Assigned the role."
    world.journal.note("RoleAssigned", message, receipt)
    return True


async def _require_held(world: World, chatbot: Chatbot, scope: str, identity: Identity) -> None:
    """See that an identity that others made holds the role; who gives it one is not for us."""
    wanted = _wanted(chatbot, scope, identity, world.installation)
    held = await world.azure.assignments(scope, identity.principal_id)
    if not any(_grants(each, wanted) for each in held):
        raise Stuck(
            "RoleNotAssigned",
            f"Managed identity {identity.name} is not the operator's, and does not hold the role on"
            " the account. Have those who own the account assign it:"
            f" `{az.create_assignment(wanted)}`",
        )


def held(
    found: Iterable[Assignment],
    chatbot: Chatbot,
    account: Account,
    identity: Identity,
    installation: Installation,
) -> bool:
    """Tell whether the identity holds the role by one of these, and nothing would be written."""
    wanted = _wanted(chatbot, account.account_id, identity, installation)
    grants = [each for each in found if _grants(each, wanted)]
    return bool(grants) and not any(
        each.name == wanted.name and _of_earlier_life(each, wanted) for each in grants
    )


async def leave(world: World, chatbot: Chatbot, account: Account) -> None:
    """Withdraw the role on the account that the name stood for before, if it was another one."""
    before = chatbot.recorded.account_id
    if before and before.lower() != account.account_id.lower():
        await withdraw(world, chatbot)


async def take(world: World, chatbot: Chatbot) -> list[Assignment]:
    """Delete our assignment; give those of others by which the identity still has the role."""
    scope = chatbot.recorded.account_id
    live = await recorded_identity(world, chatbot)
    await _delete_all(world, chatbot, live)
    if live is None:
        return []
    gone = _wanted(chatbot, scope, live, world.installation)
    held = await world.azure.assignments(scope, live.principal_id)
    # Without our own, where that was deleted: a list may lag behind.
    taken = world.installation.manage.roles
    return [a for a in held if _grants(a, gone) and not (taken and _same(a, gone))]


async def withdraw(world: World, chatbot: Chatbot) -> None:
    """Delete our assignment of an identity that goes next; an equal one that is not ours stays."""
    try:
        await _delete_all(world, chatbot, await recorded_identity(world, chatbot))
    except Refusal as refusal:
        # A deleted account takes the operator's own role on it along. The identity goes next, and
        # an assignment without one lets nobody in; a retained identity must lose it first.
        retained = chatbot.deletion_policy is DeletionPolicy.RETAIN
        if retained or refusal.code not in OUT_OF_REACH:
            raise


async def _delete_all(world: World, chatbot: Chatbot, live: Identity | None) -> None:
    principals = {chatbot.recorded.principal_id, live.principal_id if live else ""} - {""}
    for principal_id in sorted(principals):
        await _delete(world, chatbot, chatbot.recorded.account_id, principal_id)


async def _forget_lost_principal(
    world: World, chatbot: Chatbot, scope: str, identity: Identity
) -> None:
    """Remove the assignment of an identity that was deleted by hand; Azure leaves it behind."""
    before = chatbot.recorded.principal_id
    if before and before != identity.principal_id:
        await _delete(world, chatbot, scope, before)


async def _delete(world: World, chatbot: Chatbot, scope: str, principal_id: str) -> None:
    if not world.installation.manage.roles:
        return
    name = naming.assignment_name(scope, principal_id)
    live = await world.azure.assignment(scope, name)
    if live and live.description == owner(chatbot, world.installation).description:
        receipt = await world.azure.delete_assignment(scope, name)
        world.journal.note("RoleWithdrawn", "Deleted the role assignment.", receipt)


def _wanted(
    chatbot: Chatbot, scope: str, identity: Identity, installation: Installation
) -> Assignment:
    return Assignment(
        name=naming.assignment_name(scope, identity.principal_id),
        scope=scope,
        principal_id=identity.principal_id,
        role_definition_id=naming.role_definition_id(scope),
        description=owner(chatbot, installation).description,
    )


def _same(one: Assignment, other: Assignment) -> bool:
    return (one.name, one.description) == (other.name, other.description)


def _of_earlier_life(live: Assignment, wanted: Assignment) -> bool:
    """Tell whether our assignment still names a chatbot whose identity this one took over."""
    mine, _, uid = wanted.description.rpartition("/")
    return live.description.startswith(f"{mine}/") and not live.description.endswith(f"/{uid}")


def _require_equal(live: Assignment, wanted: Assignment) -> None:
    if not _grants(live, wanted):
        raise Stuck(
            "OwnershipConflict",
            f"Role assignment {live.name} on {live.scope} exists and grants something else. Delete"
            " it if nobody needs it.",
        )


def _grants(held: Assignment, wanted: Assignment) -> bool:
    """Tell whether `held` is the wanted role, on the account or on something that contains it."""
    same_role = held.role_definition_id.lower().endswith(f"/{naming.OPENAI_USER_ROLE}")
    same_principal = held.principal_id.lower() == wanted.principal_id.lower()
    scope = held.scope.lower().rstrip("/")
    covers = f"{wanted.scope.lower()}/".startswith(f"{scope}/")
    return same_role and same_principal and covers
