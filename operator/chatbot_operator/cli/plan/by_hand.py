"""What a person has to do in Azure where the operator may not, rehearsed as if they had."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Final

from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.cli.plan.azure import RehearsedAzure
from chatbot_operator.errors import Fault
from chatbot_operator.naming import assignment_name, role_definition_id
from chatbot_operator.ports import Assignment, Identity, Installation
from chatbot_operator.steps.existing import existing_place
from chatbot_operator.steps.federation import trusted
from chatbot_operator.steps.identity import UID_TAG, owner, place

_NO_PRINCIPAL: Final = re.compile(r"'\((?:unknown: )?principal id of [^']*\)'")
_NO_UID: Final = re.compile(rf"'{UID_TAG}=\(uid of [^']*\)'")
_COMMAND: Final = re.compile(r"`((?:az|kubectl) [^`]+)`")


def commands(message: str) -> tuple[str, ...]:
    """Give the commands that a message names."""
    return tuple(_COMMAND.findall(message))


async def follow(
    azure: RehearsedAzure,
    chatbot: Chatbot,
    account: Account,
    installation: Installation,
    fault: Fault,
    *,
    kubectl: Callable[..., str],
) -> bool:
    """Do in the rehearsal what a fault tells somebody to do; tell whether there was anything.

    `kubectl` spells a command for the cluster.
    """
    if fault.reason == "IdentityNotThere" and not chatbot.existing:
        at = await _identity(azure, chatbot, account, installation)
    elif fault.reason == "CredentialNotThere":
        mine = await _mine(azure, chatbot, account, installation)
        at = mine.id
        await azure.put_credential(at, trusted(chatbot, installation))
    elif fault.reason == "RoleNotAssigned":
        mine = await _mine(azure, chatbot, account, installation)
        at = mine.id
        await azure.put_assignment(_assignment(account.account_id, mine))
    else:
        return False
    uid = kubectl("get", "chatbot", "-n", chatbot.namespace, chatbot.name)
    azure.record.by_hand(_runnable(" && ".join(commands(fault.message)), at, uid))
    return True


async def _identity(
    azure: RehearsedAzure, chatbot: Chatbot, account: Account, installation: Installation
) -> str:
    location = account.identity_location or installation.identity_location or account.location
    tags = {**account.identity_tags, **owner(chatbot, installation).tags}
    at = place(chatbot, account, installation)
    await azure.put_identity(at, location=location, tags=tags)
    return at


async def _mine(
    azure: RehearsedAzure, chatbot: Chatbot, account: Account, installation: Installation
) -> Identity:
    """Give the identity as the pass that raised the fault has found it."""
    at = (
        existing_place(chatbot, account, installation)
        if chatbot.existing
        else chatbot.recorded.identity_id
    )
    found = await azure.identity(at)
    if found is None:
        raise LookupError(at)
    return found


def _assignment(scope: str, identity: Identity) -> Assignment:
    return Assignment(
        name=assignment_name(scope, identity.principal_id),
        scope=scope,
        principal_id=identity.principal_id,
        role_definition_id=role_definition_id(scope),
        description="",
    )


def _runnable(command: str, identity_id: str, chatbot: str) -> str:
    """Have the shell look up what nobody knows before chatbot and identity are made.

    `chatbot` is the command that gets the chatbot.
    """
    identity = shlex.join(("az", "identity", "show", "--ids", identity_id))
    command = _NO_UID.sub(
        lambda _: f'{UID_TAG}="$({chatbot} -o jsonpath={{.metadata.uid}})"', command
    )
    return _NO_PRINCIPAL.sub(lambda _: f'"$({identity} --query principalId --output tsv)"', command)
