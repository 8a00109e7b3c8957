"""Azure OpenAI accounts (Microsoft.CognitiveServices)."""

from __future__ import annotations

from dataclasses import replace

from sandbox.azure.arm.call import Call, Json, Operation, Reply, instant, listing, section, tags_of
from sandbox.azure.arm.groups import find_group, location_of, same_location
from sandbox.azure.errors import bad_request, resource_not_found
from sandbox.azure.state import Account
from sandbox.azure.world import SUBSCRIPTION_ID, resource_id

KIND = "Microsoft.CognitiveServices/accounts"
_OPEN: Json = {"defaultAction": "Allow", "virtualNetworkRules": [], "ipRules": []}
_APIS = (
    "OpenAI Language Model Instance API",
    "OpenAI Dall-E API",
    "OpenAI Sora API",
    "OpenAI Moderations API",
    "OpenAI Whisper API",
    "OpenAI Model Scaleset API",
    "OpenAI Realtime API",
    "Token Service API",
)


def account_in(call: Call) -> Account | None:
    """The account that the path names, if it exists."""
    key = resource_id(call.params["group"], KIND, call.params["name"]).lower()
    return call.store.accounts.get(key)


def find_account(call: Call) -> Account:
    """The account that the path names, or the refusal."""
    account = account_in(call)
    if account is None:
        find_group(call)
        raise resource_not_found(KIND, call.params["name"], call.params["group"])
    return account


def endpoint(account: Account, base_url: str) -> str:
    """Where the account answers; without a custom subdomain that is Azure's regional host."""
    if account.subdomain is None:
        return f"https://{account.location}.api.cognitive.microsoft.com/"
    return f"{base_url}/{account.subdomain}/"


def _document(account: Account, base_url: str) -> Json:
    url = endpoint(account, base_url)
    subdomain = {"customSubDomainName": account.subdomain} if account.subdomain else {}
    return {
        "id": account.id,
        "name": account.name,
        "type": KIND,
        "kind": account.kind,
        "sku": {"name": account.sku},
        "location": account.location,
        "etag": f'"{account.created_on:.0f}"',
        "tags": dict(account.tags),
        "systemData": {"createdAt": instant(account.created_on)},
        "properties": {
            "endpoint": url,
            **subdomain,
            "provisioningState": account.provisioning_state,
            "endpoints": dict.fromkeys(_APIS, url),
            "disableLocalAuth": not account.local_auth,
            "publicNetworkAccess": "Enabled" if account.public_access else "Disabled",
            "networkAcls": dict(account.network_acls),
            "privateEndpointConnections": [
                _connection(account, *each) for each in account.private_endpoints
            ],
            "capabilities": [],
            "callRateLimit": {"rules": []},
            "internalId": account.name,
            "dateCreated": instant(account.created_on),
        },
    }


def _connection(account: Account, name: str, state: str) -> Json:
    return {
        "id": f"{account.id}/privateEndpointConnections/{name}",
        "name": name,
        "type": f"{KIND}/privateEndpointConnections",
        "properties": {"privateLinkServiceConnectionState": {"status": state}},
    }


def _put(call: Call) -> Reply:
    group = find_group(call)
    name, location = call.params["name"], location_of(call.body)
    kind = call.body.get("kind")
    if kind not in {"OpenAI", "AIServices"}:
        raise bad_request(f"The kind '{kind}' is not one that the emulator knows.")
    existing = account_in(call)
    if existing is not None:
        same_location(existing.name, existing.group, existing.location, location)
    blank = Account(
        id=existing.id if existing else resource_id(group.name, KIND, name),
        name=existing.name if existing else name,
        group=group.name,
        location=location,
        kind=str(kind),
        sku=str(section(call.body, "sku").get("name", "S0")),
        tags={},
        subdomain=None,
        local_auth=True,
        public_access=True,
        network_acls=_OPEN,
        provisioning_state="Succeeded",
        created_on=existing.created_on if existing else call.now,
    )
    account = _changed(blank, call.body)
    call.store.accounts[account.id.lower()] = account
    call.store.deleted_accounts.pop(account.id.lower(), None)
    if existing:
        return Reply(200, _document(account, call.world.base_url))
    accepted = replace(account, provisioning_state="Accepted")
    operation = (
        f"{call.world.base_url}{SUBSCRIPTION_ID}/providers/Microsoft.CognitiveServices/locations/"
        f"{location}/operationResults/{call.world.new_guid()}?api-version=2017-04-18"
    )
    return Reply(201, _document(accepted, call.world.base_url), {"azure-asyncoperation": operation})


def _changed(account: Account, body: Json) -> Account:
    given = section(body, "properties")
    subdomain = given.get("customSubDomainName", account.subdomain)
    public = given.get("publicNetworkAccess")
    return replace(
        account,
        tags=tags_of(body) if "tags" in body else account.tags,
        subdomain=str(subdomain).lower() if subdomain else None,
        local_auth=not given.get("disableLocalAuth", not account.local_auth),
        public_access=account.public_access if public is None else public == "Enabled",
        network_acls={**account.network_acls, **section(given, "networkAcls")},
    )


def _patch(call: Call) -> Reply:
    account = _changed(find_account(call), call.body)
    call.store.accounts[account.id.lower()] = account
    return Reply(200, _document(account, call.world.base_url))


def _get(call: Call) -> Reply:
    return Reply(200, _document(find_account(call), call.world.base_url))


def _delete(call: Call) -> Reply:
    account = account_in(call)
    if account is None:
        return Reply(204)
    call.store.drop_account(account, call.now)
    return Reply(200)


def _list_group(call: Call) -> Reply:
    group, url = find_group(call).name.lower(), call.world.base_url
    return listing(
        _document(a, url) for a in call.store.accounts.values() if a.group.lower() == group
    )


def _list_all(call: Call) -> Reply:
    return listing(_document(a, call.world.base_url) for a in call.store.accounts.values())


def _operation_result(call: Call) -> Reply:
    return Reply(200, {"id": call.path, "name": call.params["operation"], "status": "Succeeded"})


_IN_SUBSCRIPTION = "/subscriptions/{subscription}/providers/Microsoft.CognitiveServices"
_IN_GROUP = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{KIND}"
_ONE = f"{_IN_GROUP}/{{name}}"

OPERATIONS = (
    Operation("PUT", _ONE, _put, resource=KIND, kind="account"),
    Operation("PATCH", _ONE, _patch, resource=KIND, kind="account"),
    Operation("GET", _ONE, _get, resource=KIND, kind="account"),
    Operation("DELETE", _ONE, _delete, resource=KIND, kind="account"),
    Operation("GET", _IN_GROUP, _list_group, resource=KIND, kind="account"),
    Operation("GET", f"{_IN_SUBSCRIPTION}/accounts", _list_all, resource=KIND, kind="account"),
    Operation(
        "GET",
        f"{_IN_SUBSCRIPTION}/locations/{{location}}/operationResults/{{operation}}",
        _operation_result,
    ),
)
