"""What the cluster's controllers make of objects when all goes well. Pure.

Whether pods start, are admitted and are answered shows only the real run; a rehearsal goes on as if
they were.
"""

from __future__ import annotations

import copy
from typing import Final

from chatbot_operator.ports import DEPLOYMENTS, HTTP_ROUTES, SERVICES, Object, Resource

ADDRESS: Final = "192.0.2.1"
"""An address that is nobody's (https://www.rfc-editor.org/rfc/rfc5737)."""


def made_by_controllers(resource: Resource, body: Object) -> Object:
    """Give an object with the status that it comes to."""
    if resource == DEPLOYMENTS:
        return {**body, "status": _rolled_out(body)}
    if resource == SERVICES and body["spec"].get("type") == "LoadBalancer":
        known = body.get("status", {}).get("loadBalancer", {}).get("ingress")
        return {**body, "status": {"loadBalancer": {"ingress": known or [{"ip": ADDRESS}]}}}
    if resource == HTTP_ROUTES and not body.get("status", {}).get("parents"):
        return {**body, "status": {"parents": [{"conditions": [_accepted(body)]}]}}
    return body


def pods_of(deployment: Object | None) -> list[Object]:
    """Give a pod of a Deployment, with an address; none where it runs none."""
    if deployment is None or deployment["spec"].get("replicas", 1) == 0:
        return []
    metadata, template = deployment["metadata"], copy.deepcopy(deployment["spec"]["template"])
    return [
        {
            "metadata": {
                "name": f"{metadata['name']}-rehearsed",
                "namespace": metadata["namespace"],
                "uid": "(rehearsed)",
                **template.get("metadata", {}),
                "ownerReferences": [{"kind": "ReplicaSet", "name": f"{metadata['name']}-1"}],
            },
            "spec": template["spec"],
            "status": {"podIP": ADDRESS},
        }
    ]


def _rolled_out(deployment: Object) -> Object:
    count = deployment["spec"].get("replicas", 1)
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    generation = deployment["metadata"].get("generation", 1)
    return {"observedGeneration": generation, **dict.fromkeys(counts, count)}


def _accepted(route: Object) -> Object:
    generation = route["metadata"].get("generation")
    return {"type": "Accepted", "status": "True", "observedGeneration": generation}
