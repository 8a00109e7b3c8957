"""Models that an account may deploy, with the dates on which they end.

Fields after azure-mgmt-cognitiveservices 14.1.0 (AccountModel, ModelDeprecationInfo).
"""

from __future__ import annotations

from sandbox.azure.arm.accounts import KIND as ACCOUNT
from sandbox.azure.arm.accounts import find_account
from sandbox.azure.arm.call import Call, Json, Operation, Reply, listing

KIND = f"{ACCOUNT}/models"


def _list(call: Call) -> Reply:
    """The models of the account's own deployments: the emulator knows no catalogue."""
    account = find_account(call)
    deployed = call.store.deployments.get(account.id.lower(), {}).values()
    models = {(d.model.get("name", ""), d.model.get("version", "")) for d in deployed}
    return listing(_document(call, *model) for model in sorted(models))


def _document(call: Call, name: str, version: str) -> Json:
    end = call.store.retirements.get((name, version))
    return {
        "format": "OpenAI",
        "name": name,
        "version": version,
        "skus": [],
        "capabilities": {"chatCompletion": "true"},
        "lifecycleStatus": "Stable",
        **({"deprecation": {"inference": end}} if end else {}),
    }


OPERATIONS = (
    Operation(
        "GET",
        f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{ACCOUNT}"
        "/{name}/models",
        _list,
        resource=KIND,
        kind="model",
    ),
)
