"""Where the operator may not write in Azure it verifies, and prints what a person has to run."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

import azure_cli
import pytest
from chatbot_operator.ports import CHATBOTS, DEPLOYMENTS, EVENTS, Manage
from cluster_world import Operator, chatbot, key, path


@pytest.fixture(scope="session")
def environment(emulator, authority, tmp_path_factory):
    return azure_cli.logged_in(emulator.url, authority.bundle, tmp_path_factory.mktemp("az"))


def managing(operator, manage):
    """The same operator, with another AZURE_MANAGE."""
    installation = replace(operator.world.installation, manage=manage)
    return Operator(replace(operator.world, installation=installation), operator.hand)


async def follow(environment, message):
    """Run the command that a message prints, as it stands there."""
    (command,) = re.findall(r"`az ([^`]*)`", message)
    await azure_cli.run(environment, *shlex.split(command))


MISSING = {
    Manage.NOTHING: ["IdentityNotThere", "RoleNotAssigned", "CredentialNotThere"],
    Manage.FEDERATION_ONLY: ["RoleNotAssigned"],
}


@pytest.mark.parametrize("manage", MISSING)
async def test_the_commands_that_it_prints_make_the_chatbot_ready(
    *, operator, hand, azure, namespace, environment, manage
):
    operator = managing(operator, manage)
    await hand.create(chatbot(namespace))
    for reason in MISSING[manage]:
        mark = await azure.mark()
        fault = await operator.refused(key(namespace))
        assert fault.reason == reason
        assert (await hand.conditions(namespace))["Stalled"]["reason"] == reason
        writes = [e["path"] for e in await azure.writes(mark) if "roleAssignments" in e["path"]]
        assert writes == []
        if manage is Manage.NOTHING:
            assert await azure.writes(mark) == []
        await follow(environment, fault.message)
    mark = await azure.mark()
    await operator.settle(key(namespace))
    assert await azure.writes(mark) == []
    assert (await hand.conditions(namespace))["Ready"]["status"] == "True"
    rest = {"namespace": namespace, "environment": environment, "manage": manage}
    await left(operator=operator, hand=hand, azure=azure, **rest)


async def left(*, operator, hand, azure, namespace, environment, manage):
    """Delete the chatbot: what it did not make stays, and is told with the commands."""
    principal = (await azure.identity(namespace))["principal_id"]
    mark = await azure.mark()
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert await hand.get(CHATBOTS, namespace) is None
    assert len(await azure.assignments(principal)) == 1
    if manage is Manage.NOTHING:
        assert await azure.writes(mark) == []
    else:
        assert await azure.identities(namespace) == []
    events = (await hand.api.get(path(EVENTS, namespace)))["items"]
    (told,) = [e["note"] for e in events if e["reason"] == "LeftInAzure"]
    for command in told.partition("To delete it: ")[2].split("; "):
        await azure_cli.run(environment, *shlex.split(command)[1:])
    assert await azure.assignments(principal) == []
    assert await azure.identities(namespace) == []


async def test_what_it_may_not_read_is_left_to_the_proof(*, operator, hand, azure, namespace):
    operator = managing(operator, Manage.FEDERATION_ONLY)
    await azure.fault(
        action="respond",
        status=403,
        code="AuthorizationFailed",
        method="GET",
        path="roleAssignments",
        message="No.",
    )
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    conditions = await hand.conditions(namespace)
    assert (conditions["RoleAssigned"]["status"], conditions["RoleAssigned"]["reason"]) == (
        "True",
        "NotVerified",
    )
    assert conditions["Ready"]["status"] == "True"


async def test_a_withdrawal_scales_to_zero_and_says_what_remains(
    *, operator, hand, azure, namespace, clock, settled
):
    operator = managing(operator, Manage.FEDERATION_ONLY)
    live = await hand.get(CHATBOTS, settled)
    name = live["spec"]["openAI"]["account"]
    assert name
    mark = await azure.mark()
    denied = replace(operator.world.installation, withdrawal_grace=0)
    operator.world = replace(operator.world, installation=denied)
    await hand.edit(CHATBOTS, settled, {"spec": {"image": "evil.example.com/theirs:1"}})
    for _ in range(2):
        await operator.look(key(settled))
    assert (await hand.get(DEPLOYMENTS, settled))["spec"]["replicas"] == 0
    assert (await hand.conditions(settled))["RoleAssigned"]["reason"] == "AccessRemains"
    assert await azure.writes(mark) == []
