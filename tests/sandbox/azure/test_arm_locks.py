"""Management locks: what they bar, and where they are seen."""

from __future__ import annotations

import pytest
from azure_bodies import reads
from sandbox.azure import settings as fixed

SUBSCRIPTION = f"/subscriptions/{fixed.SUBSCRIPTION}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/{fixed.ACCOUNT_GROUP}"
ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/{fixed.ACCOUNT}"
LOCKS = "providers/Microsoft.Authorization/locks"
ROLE = f"{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments"
NAME = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def lock(azure):
    async def put(scope, level, name="keep"):
        return await azure.arm("PUT", f"{scope}/{LOCKS}/{name}", {"properties": {"level": level}})

    return put


async def test_a_lock_is_made_read_changed_and_taken_off(azure, lock):
    made = await lock(GROUP, "CanNotDelete")
    changed = await lock(GROUP, "ReadOnly")
    read = await azure.arm("GET", f"{GROUP}/{LOCKS}/KEEP")
    gone = [(await azure.arm("DELETE", f"{GROUP}/{LOCKS}/keep")).status_code for _ in "12"]

    assert (made.status_code, changed.status_code, gone) == (201, 200, [200, 204])
    assert read.json() == {
        "id": f"{GROUP}/{LOCKS}/keep",
        "name": "keep",
        "type": "Microsoft.Authorization/locks",
        "properties": {"level": "ReadOnly"},
    }
    assert (await azure.arm("GET", f"{GROUP}/{LOCKS}/keep")).status_code == 404


async def test_an_unknown_level_is_refused(lock):
    assert (await lock(GROUP, "Whatever")).status_code == 400


async def test_the_subscription_lists_all_and_a_resource_those_above_it(azure, lock):
    await lock(GROUP, "CanNotDelete")
    await lock(ACCOUNT, "ReadOnly", "own")

    async def names(scope):
        return {
            each["name"] for each in (await azure.arm("GET", f"{scope}/{LOCKS}")).json()["value"]
        }

    assert await names(SUBSCRIPTION) == await names(ACCOUNT) == {"keep", "own"}
    assert await names(f"{SUBSCRIPTION}/resourceGroups/{fixed.IDENTITY_GROUP}") == set()


async def test_what_may_not_be_deleted_may_be_changed(azure, lock):
    principal = (await azure.identity()).principal_id
    await lock(GROUP, "CanNotDelete")

    assert (await azure.arm("PUT", f"{ROLE}/{NAME}", reads(principal))).status_code == 201
    answer = await azure.arm("DELETE", f"{ROLE}/{NAME}")

    assert answer.status_code == 409
    assert answer.json()["error"] == {
        "code": "ScopeLocked",
        "message": f"The scope '{ROLE}/{NAME}' cannot perform delete operation because following "
        f"scope(s) are locked: '{GROUP}'. Please remove the lock and try again.",
    }
    assert (await azure.arm("GET", ACCOUNT)).status_code == 200


async def test_read_only_bars_new_roles_and_the_group_of_a_locked_resource_stays(azure, lock):
    principal = (await azure.identity()).principal_id
    await lock(ACCOUNT, "ReadOnly")

    put = await azure.arm("PUT", f"{ROLE}/{NAME}", reads(principal))

    assert put.json()["error"]["code"] == "ScopeLocked"
    assert "cannot perform write operation" in put.json()["error"]["message"]
    assert (await azure.arm("DELETE", GROUP)).status_code == 409
