"""What others put into the pods is reported and stays."""

from __future__ import annotations

import copy

import pytest
from chatbot_operator.manifests import differences
from chatbot_operator.ports import DEPLOYMENTS, PODS
from cluster_world import key, path


async def audit(hand, namespace):
    found = (await hand.conditions(namespace))["LeastPrivilege"]
    return found["status"], found["reason"], found["message"]


def sidecar(spec):
    spec["containers"].append({"name": "sidecar", "image": "theirs"})


def secret(spec):
    spec["containers"][0]["envFrom"] = [{"secretRef": {"name": "theirs", "optional": True}}]


def variable(spec):
    spec["containers"][0]["env"].append({"name": "THEIRS", "value": "yes"})


def volume(spec):
    spec["volumes"].append({"name": "theirs", "emptyDir": {}})
    spec["containers"][0]["volumeMounts"].append({"name": "theirs", "mountPath": "/theirs"})


EDITS = {
    sidecar: ["container sidecar"],
    secret: ["chatbot: envFrom"],
    variable: ["chatbot: env THEIRS"],
    volume: ["chatbot: mount /theirs", "volume theirs"],
}


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
async def test_what_others_add_to_the_pods_is_reported_and_stays(operator, hand, settled, edit):
    assert (await audit(hand, settled))[:2] == ("True", "NothingForeign")
    before = await hand.get(DEPLOYMENTS, settled)
    live = copy.deepcopy(before)
    edit(live["spec"]["template"]["spec"])
    del live["metadata"]["resourceVersion"], live["status"]
    await hand.api.put(path(DEPLOYMENTS, settled, "support"), live)
    await operator.settle(key(settled))
    status, reason, message = await audit(hand, settled)
    assert (status, reason) == ("False", "ForeignContent")
    assert all(name in message for name in EDITS[edit])
    assert (await hand.conditions(settled))["Ready"]["status"] == "True"
    after = await hand.get(DEPLOYMENTS, settled)
    assert differences(after["spec"]["template"], live["spec"]["template"]) == []
    live["spec"]["template"] = before["spec"]["template"]
    await hand.api.put(path(DEPLOYMENTS, settled, "support"), live)
    await hand.roll_out(settled, "support")
    await operator.settle(key(settled))
    assert (await audit(hand, settled))[:2] == ("True", "NothingForeign")


async def test_a_debugging_container_in_a_pod_is_reported(operator, hand, settled):
    (pod,) = (await hand.api.get(path(PODS, settled)))["items"]
    name = pod["metadata"]["name"]
    added = {"spec": {"ephemeralContainers": [{"name": "debugger", "image": "busybox"}]}}
    await hand.api.patch(f"{path(PODS, settled, name)}/ephemeralcontainers", added)
    await operator.settle(key(settled))
    assert "ephemeralContainer debugger" in (await audit(hand, settled))[2]
