"""What tests ask of Resource Manager as an owner."""

from __future__ import annotations

from uuid import uuid4

from cluster_world import SUBSCRIPTION_ID
from sandbox import bootstrap


def reads(principal):
    """The body of an assignment of Reader."""
    reading = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    properties = {
        "roleDefinitionId": (
            f"{SUBSCRIPTION_ID}/providers/Microsoft.Authorization/roleDefinitions/{reading}"
        ),
        "principalId": principal,
        "principalType": "ServicePrincipal",
    }
    return {"properties": properties}


async def deploy(azure, at):
    body = {
        "sku": {"name": "GlobalStandard", "capacity": 1},
        "properties": {"model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-08-06"}},
    }
    await azure.done("PUT", f"{at}/deployments/gpt-4o", body)


async def manage(azure, at, principal):
    """Let the operator give roles on an account, as sandbox.bootstrap does."""
    where = f"{at}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
    role = f"Microsoft.Authorization/roleDefinitions/{bootstrap.ACCESS_ADMINISTRATOR}"
    properties = {
        "roleDefinitionId": f"{SUBSCRIPTION_ID}/providers/{role}",
        "principalId": principal,
        "principalType": "ServicePrincipal",
        "condition": bootstrap.ONE_ROLE,
        "conditionVersion": "2.0",
    }
    await azure.done("PUT", where, {"properties": properties})


async def contribute(azure, at, principal):
    """Let the operator write federated credentials under an identity."""
    where = f"{at}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
    role = f"Microsoft.Authorization/roleDefinitions/{bootstrap.MANAGED_IDENTITY_CONTRIBUTOR}"
    properties = {
        "roleDefinitionId": f"{SUBSCRIPTION_ID}/providers/{role}",
        "principalId": principal,
        "principalType": "ServicePrincipal",
    }
    await azure.done("PUT", where, {"properties": properties})
