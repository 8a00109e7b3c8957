"""Accounts that were deleted and not purged (Microsoft.CognitiveServices).

Paths after azure-mgmt-cognitiveservices 14.1.0 (DeletedAccountsOperations).
"""

from __future__ import annotations

from sandbox.azure.arm.accounts import KIND as ACCOUNT
from sandbox.azure.arm.call import Call, Json, Operation, Reply
from sandbox.azure.errors import resource_not_found
from sandbox.azure.state import Account
from sandbox.azure.world import SUBSCRIPTION_ID, resource_id

KIND = "Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts"


def _deleted(call: Call) -> Account | None:
    group, name = call.params["group"], call.params["name"]
    found = call.store.deleted_accounts.get(resource_id(group, ACCOUNT, name).lower())
    return found if found and found.location == call.params["location"].lower() else None


def _get(call: Call) -> Reply:
    account = _deleted(call)
    if account is None:
        raise resource_not_found(KIND, call.params["name"], call.params["group"])
    return Reply(200, _document(account))


def _document(account: Account) -> Json:
    where = f"{SUBSCRIPTION_ID}/providers/Microsoft.CognitiveServices/locations/{account.location}"
    return {
        "id": f"{where}/resourceGroups/{account.group}/deletedAccounts/{account.name}",
        "name": account.name,
        "type": KIND,
        "kind": account.kind,
        "location": account.location,
        "properties": {"provisioningState": account.provisioning_state},
    }


def _purge(call: Call) -> Reply:
    account = _deleted(call)
    if account is None:
        return Reply(204)
    call.store.deleted_accounts.pop(account.id.lower())
    return Reply(200)


_ONE = (
    "/subscriptions/{subscription}/providers/Microsoft.CognitiveServices/locations/{location}"
    "/resourceGroups/{group}/deletedAccounts/{name}"
)

OPERATIONS = (
    Operation("GET", _ONE, _get, resource=KIND, kind="account"),
    Operation("DELETE", _ONE, _purge, resource=KIND, kind="account"),
)
