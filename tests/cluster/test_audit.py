"""More than a chatbot needs, found in Azure and in its namespace, is told and stays."""

from __future__ import annotations

from uuid import uuid4

import pytest
from azure_bodies import reads
from chatbot_operator.ports import PODS
from cluster_world import ACCOUNT_ID, identity_path, key, path


@pytest.fixture
async def assigned(azure, settled):
    """A role of somebody else's for the identity, on the account."""
    identity = await azure.identity(settled)
    where = f"{ACCOUNT_ID}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
    await azure.done("PUT", where, reads(identity["principal_id"]))
    yield where.rpartition("/")[2]
    await azure.done("DELETE", where)


async def looked_at(operator, hand, clock, namespace):
    """The audit at the next re-read of Azure, and whether a pass after it writes the status."""
    clock.ahead += operator.world.installation.resync + 1
    await operator.look(key(namespace))
    found = await hand.conditions(namespace)
    await operator.look(key(namespace))
    assert await hand.conditions(namespace) == found
    assert found["Ready"]["status"] == "True"
    return tuple(found["LeastPrivilege"][k] for k in ("status", "reason", "message"))


async def test_a_role_beyond_the_one_it_needs(*, operator, hand, azure, clock, settled, assigned):
    mark = await azure.mark()
    status, reason, message = await looked_at(operator, hand, clock, settled)
    assert (status, reason) == ("False", "ExtraAssignment")
    assert assigned in message
    assert not await azure.writes(mark)


async def test_somebody_elses_credential_on_the_identity(*, operator, hand, azure, clock, settled):
    at = identity_path(operator.world.installation, settled)
    properties = {"issuer": "https://theirs", "subject": "repo:x", "audiences": ["a"]}
    await azure.done("PUT", f"{at}/federatedIdentityCredentials/theirs", {"properties": properties})
    mark = await azure.mark()
    status, reason, message = await looked_at(operator, hand, clock, settled)
    assert (status, reason) == ("False", "ExtraCredential")
    assert "repo:x of https://theirs" in message
    assert not await azure.writes(mark)


async def test_another_pod_with_the_chatbots_service_account(*, operator, hand, clock, settled):
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "debug", "namespace": settled},
        "spec": {
            "serviceAccountName": "support",
            "containers": [{"name": "debug", "image": "debug"}],
        },
    }
    await hand.create(pod)
    status, reason, message = await looked_at(operator, hand, clock, settled)
    assert (status, reason) == ("False", "SharedServiceAccount")
    assert "pod debug" in message
    assert await hand.api.get(path(PODS, settled, "debug"))


async def fill(azure, at, number):
    for each in range(number):
        properties = {"issuer": "https://theirs", "subject": f"repo:{each}", "audiences": ["a"]}
        where = f"{at}/federatedIdentityCredentials/theirs-{each}"
        await azure.done("PUT", where, {"properties": properties})


async def test_the_limit_of_credentials_is_told_before_azure_refuses(
    *, operator, hand, azure, clock, settled
):
    at = identity_path(operator.world.installation, settled)
    (ours,) = (await azure.identity(settled))["credentials"]
    await fill(azure, at, 18)
    await looked_at(operator, hand, clock, settled)
    assert (await hand.conditions(settled))["Degraded"]["reason"] == "FederationNearlyFull"
    await azure.done("DELETE", f"{at}/federatedIdentityCredentials/{ours['name']}")
    await fill(azure, at, 20)
    mark = await azure.mark()
    clock.ahead += operator.world.installation.resync + 1
    assert (await operator.refused(key(settled))).reason == "FederationFull"
    assert not await azure.writes(mark)
