"""What others put into a chatbot's pods is found; what any cluster puts there is not."""

from __future__ import annotations

import copy

import pytest
from chatbot_operator import manifests
from chatbot_operator.manifests import TEMPLATE, foreign
from chatbot_operator.status import MESSAGE_LIMIT, Surplus, least_privilege
from unit.bodies import wanted
from unit.small_world import SmallWorld

MANIFEST = manifests.deployment(wanted())


def live():
    return copy.deepcopy(MANIFEST)


def pod_of(deployment):
    template = deployment["spec"]["template"]
    return {
        "metadata": copy.deepcopy(template["metadata"]),
        "spec": copy.deepcopy(template["spec"]),
    }


def container(spec):
    return spec["containers"][0]


ADDED = {
    "containers sidecar": lambda s: s["containers"].append({"name": "sidecar"}),
    "initContainers init": lambda s: s.update(initContainers=[{"name": "init"}]),
    "ephemeralContainers sh": lambda s: s.update(ephemeralContainers=[{"name": "sh"}]),
    "volume x": lambda s: s["volumes"].append({"name": "x", "emptyDir": {}}),
    "hostPID": lambda s: s.update(hostPID=True),
    "chatbot: env X": lambda s: container(s)["env"].append({"name": "X", "value": "1"}),
    "chatbot: mount /x": lambda s: container(s)["volumeMounts"].append(
        {"name": "config", "mountPath": "/x"}
    ),
    "chatbot: envFrom": lambda s: container(s).update(envFrom=[{"secretRef": {"name": "x"}}]),
    "chatbot: command": lambda s: container(s).update(command=["sh"]),
    "chatbot: lifecycle": lambda s: container(s).update(lifecycle={"preStop": {}}),
}


@pytest.mark.parametrize("name", ADDED)
def test_what_was_added_to_the_template_or_to_a_pod_is_named(name):
    word = name.replace("ontainers ", "ontainer ")
    edited = live()
    ADDED[name](edited["spec"]["template"]["spec"])
    assert foreign(edited, [], MANIFEST) == [word]
    pod = pod_of(live())
    ADDED[name](pod["spec"])
    assert foreign(live(), [pod], MANIFEST) == [word]


@pytest.mark.parametrize(
    "token", ["azure-identity-token", "azure-workload-identity-reserved-0d6b5d7f2a11"]
)
def test_what_workload_identity_and_the_api_server_put_into_pods_is_usual(token):
    pod = pod_of(live())
    pod["spec"]["volumes"] += [{"name": token}, {"name": "kube-api-access-x7k2p"}]
    container(pod["spec"])["env"].append({"name": "AZURE_CLIENT_ID", "value": "c"})
    container(pod["spec"])["volumeMounts"] += [
        {"name": token, "mountPath": "/var/run/secrets/azure/tokens"},
        {"name": "kube-api-access-x7k2p", "mountPath": "/var/run/secrets/kubernetes.io"},
    ]
    assert foreign(live(), [pod], MANIFEST) == []
    container(pod["spec"])["env"].append({"name": "AZURE_CLIENT_SECRET", "value": "s"})
    assert foreign(live(), [pod], MANIFEST) == ["chatbot: env AZURE_CLIENT_SECRET"]


def test_in_the_template_the_webhooks_variables_are_not_usual():
    edited = live()
    container(edited["spec"]["template"]["spec"])["env"].append({"name": "AZURE_CLIENT_ID"})
    assert foreign(edited, [], MANIFEST) == ["chatbot: env AZURE_CLIENT_ID"]


def test_pods_that_are_being_replaced_do_not_count():
    pod = pod_of(live())
    pod["metadata"]["annotations"][TEMPLATE] = "before"
    pod["spec"]["containers"].append({"name": "sidecar"})
    assert foreign(live(), [pod], MANIFEST) == []


def test_findings_of_any_kind_make_one_condition():
    assert least_privilege([]).status == "True"
    both = [Surplus("Second", "Also this."), Surplus("First", "This.")]
    found = least_privilege(both)
    assert (found.status, found.reason, found.message) == ("False", "First", "This. Also this.")
    assert found == least_privilege(reversed(both))
    assert len(least_privilege([Surplus("Much", "x" * 5000)]).message) == MESSAGE_LIMIT


async def test_a_foreign_container_is_reported_once_and_the_chatbot_works_on():
    world = SmallWorld()
    await world.settle()
    assert world.condition("LeastPrivilege") == ("True", "NothingForeign")
    for added in (
        world.deployment["spec"]["template"],
        world.cluster.objects["pods", "team", "pod"],
    ):
        added["spec"]["containers"].append({"name": "sidecar"})
    world.cluster.told.clear()
    for _ in range(2):
        await world.look(after=60)
    assert world.condition("LeastPrivilege") == ("False", "ForeignContent")
    assert world.condition("Ready") == ("True", "Ready")
    assert [note.reason for note in world.cluster.told] == ["ForeignContent"]
    assert "container sidecar" in world.cluster.told[0].message
