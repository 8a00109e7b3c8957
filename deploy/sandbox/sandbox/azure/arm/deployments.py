"""Deployments of models in an account (Microsoft.CognitiveServices)."""

from __future__ import annotations

from sandbox.azure.arm.accounts import KIND as ACCOUNT
from sandbox.azure.arm.accounts import account_in, find_account
from sandbox.azure.arm.call import Call, Json, Operation, Reply, instant, listing, section
from sandbox.azure.errors import Refusal, bad_request, resource_not_found
from sandbox.azure.state import Account, ModelDeployment

KIND = f"{ACCOUNT}/deployments"


def _document(deployment: ModelDeployment) -> Json:
    return {
        "id": deployment.id,
        "type": KIND,
        "name": deployment.name,
        "sku": {"name": deployment.sku, "capacity": deployment.capacity},
        "properties": {
            "model": dict(deployment.model),
            "versionUpgradeOption": deployment.upgrade,
            "currentCapacity": deployment.capacity,
            "capabilities": _capabilities(deployment.model.get("name", "")),
            "provisioningState": deployment.provisioning_state,
            "rateLimits": [
                {"key": "request", "renewalPeriod": 10, "count": deployment.capacity},
                {"key": "token", "renewalPeriod": 60, "count": deployment.capacity * 1000},
            ],
        },
        "systemData": {"createdAt": instant(deployment.created_on)},
        "etag": f'"{deployment.created_on:.0f}"',
    }


def _capabilities(model: str) -> Json:
    if "embedding" in model:
        return {"embeddings": "true"}
    return {"chatCompletion": "true", "responses": "true"}


def _id(account: Account, name: str) -> str:
    return f"{account.id}/deployments/{name}"


def _put(call: Call) -> Reply:
    account, name = find_account(call), call.params["deployment"]
    if account.provisioning_state != "Succeeded":
        raise Refusal(
            409,
            "AccountIsNotSucceeded",
            f"Call failed as account provisioning state is '{account.provisioning_state}'.",
        )
    table = call.store.deployments.setdefault(account.id.lower(), {})
    existing = table.get(_id(account, name).lower())
    deployment = ModelDeployment(
        id=existing.id if existing else _id(account, name),
        name=existing.name if existing else name,
        sku=str(section(call.body, "sku").get("name", "Standard")),
        capacity=_capacity(call.body),
        model=_model(call.properties),
        upgrade=str(
            call.properties.get("versionUpgradeOption") or "OnceNewDefaultVersionAvailable"
        ),
        provisioning_state="Succeeded",
        created_on=existing.created_on if existing else call.now,
    )
    table[deployment.id.lower()] = deployment
    return Reply(200 if existing else 201, _document(deployment))


def _capacity(body: Json) -> int:
    """`az` sends the capacity as a string."""
    capacity = section(body, "sku").get("capacity") or 1
    try:
        return int(capacity)
    except (TypeError, ValueError):
        raise bad_request(f"The capacity '{capacity}' is not a number.") from None


def _model(properties: Json) -> dict[str, str]:
    model = section(properties, "model")
    if not model.get("name"):
        raise bad_request("A deployment needs a model.")
    return {
        "publisher": "OpenAI",
        "format": str(model.get("format") or "OpenAI"),
        "name": str(model["name"]),
        "version": str(model.get("version") or "1"),
    }


def _get(call: Call) -> Reply:
    account, name = find_account(call), call.params["deployment"]
    table = call.store.deployments.get(account.id.lower(), {})
    deployment = table.get(_id(account, name).lower())
    if deployment is None:
        raise resource_not_found(ACCOUNT, f"{account.name}/deployments/{name}", account.group)
    return Reply(200, _document(deployment))


def _delete(call: Call) -> Reply:
    account = account_in(call)
    if account is None:
        return Reply(204)
    key = _id(account, call.params["deployment"]).lower()
    table = call.store.deployments.get(account.id.lower(), {})
    return Reply(204 if table.pop(key, None) is None else 200)


def _list(call: Call) -> Reply:
    table = call.store.deployments.get(find_account(call).id.lower(), {})
    return listing(_document(deployment) for deployment in table.values())


_ALL = (
    f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{ACCOUNT}"
    "/{name}/deployments"
)
_ONE = f"{_ALL}/{{deployment}}"

OPERATIONS = (
    Operation("PUT", _ONE, _put, resource=KIND, kind="deployment"),
    Operation("GET", _ONE, _get, resource=KIND, kind="deployment"),
    Operation("DELETE", _ONE, _delete, resource=KIND, kind="deployment"),
    Operation("GET", _ALL, _list, resource=KIND, kind="deployment"),
)
