"""AKS clusters, for the address of their OIDC issuer (Microsoft.ContainerService)."""

from __future__ import annotations

from sandbox.azure.arm.call import Call, Operation, Reply
from sandbox.azure.arm.groups import find_group
from sandbox.azure.errors import resource_not_found
from sandbox.azure.world import resource_id

KIND = "Microsoft.ContainerService/managedClusters"


def _get(call: Call) -> Reply:
    group, name = find_group(call).name, call.params["name"]
    cluster = call.store.clusters.get(resource_id(group, KIND, name).lower())
    if cluster is None:
        raise resource_not_found(KIND, name, group)
    return Reply(
        200,
        {
            "id": cluster.id,
            "name": cluster.name,
            "type": KIND,
            "location": cluster.location,
            "tags": {},
            "properties": {
                "provisioningState": "Succeeded",
                "powerState": {"code": "Running"},
                "oidcIssuerProfile": {"enabled": True, "issuerURL": cluster.issuer},
                "securityProfile": {"workloadIdentity": {"enabled": True}},
            },
        },
    )


_ONE = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{KIND}/{{name}}"

OPERATIONS = (Operation("GET", _ONE, _get, resource=KIND),)
