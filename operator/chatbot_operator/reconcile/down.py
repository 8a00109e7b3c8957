"""The pass over a chatbot that is being deleted."""

from __future__ import annotations

from dataclasses import replace

from chatbot_operator import az
from chatbot_operator.chatbot import FINALIZER, LEAVE_AZURE, Chatbot
from chatbot_operator.errors import Blind, Fault, Pending, Stuck
from chatbot_operator.naming import assignment_name
from chatbot_operator.ports import World
from chatbot_operator.reconcile.made import made
from chatbot_operator.reconcile.memory import Granted, Memory
from chatbot_operator.reconcile.outcome import (
    Again,
    publish,
    remembered,
    set_finalizers,
    watched,
)
from chatbot_operator.status import Condition, because
from chatbot_operator.steps import workload
from chatbot_operator.steps.federation import let_go, trusted
from chatbot_operator.steps.identity import owner, remove_identity
from chatbot_operator.steps.role import withdraw


async def _release(world: World, chatbot: Chatbot, known: Granted | None) -> bool:
    """Take away what there is in Azure; tell whether that was done.

    What cannot be taken may be left, if somebody says so, and a fault says how. Not what can be:
    else whoever is about to lose access could keep it.
    """
    try:
        async with watched(world, "AzureCleared"):
            for holder in await made(world, chatbot, known):
                if holder.existing:
                    await let_go(world, holder)
                    continue
                await withdraw(world, holder)
                await remove_identity(world, holder)
    except Fault as fault:
        if chatbot.leaves_azure:
            return False
        fault.message += (
            " To let the chatbot go and leave what it has in Azure:"
            f" `kubectl annotate chatbot -n {chatbot.namespace} {chatbot.name} {LEAVE_AZURE}=true`."
        )
        raise
    return True


async def bury(world: World, chatbot: Chatbot, memory: Memory) -> None:
    """Take away what a chatbot had in Azure that went without leave: its finalizer was taken off.

    Its objects in the cluster are collected by the cluster.
    """
    await _release(world, chatbot, memory.granted.get(chatbot.uid))
    memory.forget(chatbot)


def _note_left(world: World, chatbot: Chatbot) -> None:
    """Tell what is left for somebody to delete, as far as the status knows."""
    recorded = chatbot.recorded
    if chatbot.existing:
        name = trusted(chatbot, world.installation).name
        where = recorded.identity_id or chatbot.existing
        left = f"federated credential {name} of managed identity {where}"
        world.journal.note("LeftInAzure", f"Left in Azure: {left}.", warning=True)
        return
    if not recorded.identity_id:
        tags = owner(chatbot, world.installation).tags
        said = ", ".join(f"{key}={value}" for key, value in tags.items())
        world.journal.note("LeftInAzure", f"Left in Azure: what bears {said}.", warning=True)
        return
    left = f"managed identity {recorded.identity_id} with its federated credential"
    if recorded.principal_id:
        name = assignment_name(recorded.account_id, recorded.principal_id)
        left += f", and role assignment {name} on {recorded.account_id}"
    world.journal.note("LeftInAzure", f"Left in Azure: {left}.", warning=True)


def _note_others(world: World, chatbot: Chatbot) -> None:
    """Tell what somebody else made for the chatbot, which is theirs to delete."""
    commands = _commands(chatbot, world)
    if commands:
        said = f"What the operator did not make stays in Azure. To delete it: {'; '.join(commands)}"
        world.journal.note("LeftInAzure", said, warning=True)


def _commands(chatbot: Chatbot, world: World) -> list[str]:
    recorded, manage = chatbot.recorded, world.installation.manage
    at = "" if manage.identities else recorded.identity_id
    if chatbot.existing:
        name = trusted(chatbot, world.installation).name
        return [az.delete_credential(at, name)] if at else []
    commands = []
    if recorded.principal_id and not manage.roles:
        commands.append(az.delete_assignments(recorded.principal_id, recorded.account_id))
    if at:
        commands.append(az.delete_identity(at))
    return commands


async def down(world: World, chatbot: Chatbot, memory: Memory) -> Again:
    """Take everything away, in the order in which nothing that still works is left without use.

    Pods, role, identity with its credential, what the pods were given, finalizer. Nothing waits
    for ever: pods and objects for their grace, Azure until somebody says to leave what is there.

    Without the finalizer, too: it may have been taken off by hand while another one holds the
    chatbot, and then nobody would ever ask for permission again.
    """
    released = True
    try:
        async with watched(world, "PodsGone"):
            await workload.stop(world, chatbot)
        released = await _release(world, chatbot, memory.granted.get(chatbot.uid))
        async with watched(world, "ObjectsGone"):
            await workload.clear(world, chatbot)
    except Fault as fault:
        await publish(world, chatbot, _waiting(fault), remembered(chatbot))
        failed = not isinstance(fault, Pending)
        return Again(seconds=fault.retry_after, failed=failed, fault=fault)
    memory.forget(chatbot)
    if FINALIZER not in chatbot.finalizers:
        return Again()
    await set_finalizers(world, chatbot, [f for f in chatbot.finalizers if f != FINALIZER])
    if not released:
        _note_left(world, chatbot)
    _note_others(world, chatbot)
    return Again()


def _waiting(fault: Fault) -> list[Condition]:
    """Say what the deletion waits for, and whether somebody has to act."""
    ready = because("Ready", "False", fault)
    ready = replace(ready, message=f"Being deleted. {fault.message}")
    if not isinstance(fault, Stuck | Blind):
        return [ready]
    return [ready, replace(ready, type="Stalled", status="True")]
