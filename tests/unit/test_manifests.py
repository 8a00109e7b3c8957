"""The objects of a chatbot, and when a live one is no longer what was wanted."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from chatbot_operator import manifests
from chatbot_operator.manifests import (
    INTENT,
    TEMPLATE,
    differences,
    differs,
    disclaimer,
    owned,
    restoration,
)
from chatbot_operator.ports import Outlet
from hypothesis import example, given
from hypothesis import strategies as st
from unit.bodies import IDENTITY, chatbot, wanted

USE = "azure.workload.identity/use"
SINCE = "2026-01-31T12:00:00Z"


def made(**spec):
    """Everything made for a chatbot, by kind."""
    of = wanted(**spec)
    objects = (
        manifests.service_account(of.chatbot, of.identity),
        manifests.config_map(of.chatbot, since=SINCE),
        manifests.service(of.chatbot),
        manifests.deployment(of),
    )
    return {each["kind"]: each for each in objects}


def pod_template(**given):
    return manifests.deployment(wanted(**given))["spec"]["template"]


def environment(**spec):
    (container,) = pod_template(**spec)["spec"]["containers"]
    return {entry["name"]: entry.get("value") for entry in container["env"]}


def test_the_identity_label_is_in_the_pod_template_only():
    for kind, each in made().items():
        assert USE not in each["metadata"]["labels"], kind
    deployment, service = made()["Deployment"], made()["Service"]
    assert deployment["spec"]["template"]["metadata"]["labels"][USE] == "true"
    assert USE not in deployment["spec"]["selector"]["matchLabels"]
    assert USE not in service["spec"]["selector"]


def test_deployment_and_service_pick_the_chatbots_own_pods():
    objects = made()
    labels = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for picked in (
        objects["Deployment"]["spec"]["selector"]["matchLabels"],
        objects["Service"]["spec"]["selector"],
    ):
        assert picked.items() <= labels.items()
        assert picked["app.kubernetes.io/instance"] == "support"


def test_the_service_account_names_identity_and_tenant():
    annotations = made()["ServiceAccount"]["metadata"]["annotations"]
    assert annotations["azure.workload.identity/client-id"] == IDENTITY.client_id
    assert annotations["azure.workload.identity/tenant-id"] == IDENTITY.tenant_id


def test_no_pod_gets_a_token_for_the_cluster():
    assert made()["ServiceAccount"]["automountServiceAccountToken"] is False
    assert pod_template()["spec"]["automountServiceAccountToken"] is False


def test_pods_pass_the_restricted_pod_security_standard():
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted."""
    spec = pod_template()["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] != 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert [volume.keys() for volume in spec["volumes"]] == [{"name", "configMap"}]
    assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC"}


def test_every_object_is_the_chatbots_and_goes_with_it():
    uid = chatbot().uid
    for each in made().values():
        assert owned(each, uid)
        assert not owned(each, "another life")
        assert each["metadata"]["namespace"] == "team"
        assert each["metadata"]["name"] == "support"
    assert not owned({"metadata": {}}, uid)
    bystander = {"metadata": {"ownerReferences": [{"uid": uid}]}}
    assert not owned(bystander, uid)


def test_another_prompt_rolls_the_pods():
    before, after = (pod_template(chat={"systemPrompt": text}) for text in ("one", "two"))
    assert before["metadata"]["annotations"] != after["metadata"]["annotations"]
    assert before["spec"] == after["spec"]


def test_another_identity_rolls_the_pods():
    other = replace(IDENTITY, client_id="other")
    assert pod_template()["metadata"] != pod_template(identity=other)["metadata"]


def test_a_replica_more_does_not_roll_the_pods():
    assert pod_template(replicas=1) == pod_template(replicas=2)


def test_what_is_not_given_is_not_sent():
    names = environment().keys()
    assert not names & {"TEMPERATURE", "MAX_OUTPUT_TOKENS", "SYSTEM_PROMPT_FILE"}
    cold = environment(openai={"temperature": 0, "maxOutputTokens": 800})
    assert (cold["TEMPERATURE"], cold["MAX_OUTPUT_TOKENS"]) == ("0", "800")


def test_the_prompt_travels_in_the_config_map():
    prompted = made(chat={"systemPrompt": "Be kind. 🙂"})
    assert prompted["ConfigMap"]["data"]["system-prompt"] == "Be kind. 🙂"
    assert environment(chat={"systemPrompt": "x"})["SYSTEM_PROMPT_FILE"] == (
        "/etc/chatbot/system-prompt"
    )


@given(st.text(st.sampled_from("$()HOST é"), max_size=12) | st.text(max_size=100))
@example("$(HOST)")
@example("$$(HOST)")
@example("$$$(HOST)")
@example("100 $$")
@example("$é")
def test_a_title_reaches_the_chatbot_as_it_was_written(title):
    value = environment(chat={"title": title or "x"})["CHAT_TITLE"]
    assert expanded(value, {"HOST": "10.0.0.1"}) == (title or "x")


def expanded(text, variables):
    """Expand as the kubelet does (k8s.io/kubernetes/third_party/forked/golang/expansion)."""
    data, out, cursor = text.encode(), b"", 0
    while cursor < len(data):
        rest = data[cursor + 1 :]
        if data[cursor : cursor + 1] != b"$" or not rest:
            out, cursor = out + data[cursor : cursor + 1], cursor + 1
        elif rest[:1] == b"$":
            out, cursor = out + b"$", cursor + 2
        elif rest[:1] == b"(" and b")" in rest:
            name, _, _ = rest[1:].partition(b")")
            found = variables.get(name.decode(errors="replace"))
            out += b"$(" + name + b")" if found is None else found.encode()
            cursor += len(name) + 3
        else:
            # Go turns the byte after the sign into a character of its own.
            out, cursor = out + b"$" + chr(rest[0]).encode(), cursor + 2
    return out.decode(errors="replace")


FULL = made(
    openai={"temperature": 0.5, "maxOutputTokens": 800},
    chat={"title": "Help", "systemPrompt": "Be kind."},
)
EVERY_KIND = pytest.mark.parametrize("kind", list(FULL))


def leaves(value, path=()):
    """Paths to everything a manifest says."""
    if isinstance(value, dict):
        return [leaf for key, each in value.items() for leaf in leaves(each, (*path, key))]
    if isinstance(value, list):
        return [leaf for at, each in enumerate(value) for leaf in leaves(each, (*path, at))]
    return [path]


def changed(manifest, path, change):
    """A copy of the manifest in which `change` was done to what holds the leaf."""
    live = copy.deepcopy(manifest)
    holder = live
    for step in path[:-1]:
        holder = holder[step]
    change(holder, path[-1])
    return live


def edit(holder, key):
    holder[key] = "edited" if holder[key] != "edited" else "other"


def take_away(holder, key):
    del holder[key]


@EVERY_KIND
def test_an_object_as_it_was_written_does_not_differ(kind):
    assert not differs(copy.deepcopy(FULL[kind]), FULL[kind])


@EVERY_KIND
def test_an_object_that_is_not_there_differs(kind):
    assert differs(None, FULL[kind])


@EVERY_KIND
@pytest.mark.parametrize("change", [edit, take_away])
def test_every_edit_by_somebody_else_counts(kind, change):
    unseen = [
        path
        for path in leaves(FULL[kind])
        if not differs(changed(FULL[kind], path, change), FULL[kind])
    ]
    assert unseen == []


def with_defaults(value):
    """What an API server returns: every object has fields more, every named list may."""
    if isinstance(value, dict):
        filled = {key: with_defaults(each) for key, each in value.items()}
        return {"filledIn": {"by": "the cluster"}, **filled}
    if isinstance(value, list):
        return [with_defaults(each) for each in value]
    return value


@EVERY_KIND
def test_what_the_cluster_fills_in_does_not_count(kind):
    live = with_defaults(FULL[kind]) | {"status": {"replicas": 1}}
    live["metadata"] |= {"uid": "u", "resourceVersion": "9", "managedFields": [{"manager": "m"}]}
    assert not differs(live, FULL[kind])


def test_the_order_of_a_list_of_named_things_does_not_count():
    live = copy.deepcopy(FULL["Deployment"])
    (container,) = live["spec"]["template"]["spec"]["containers"]
    container["env"].reverse()
    container["env"].insert(0, {"name": "AZURE_CLIENT_ID", "value": "from elsewhere"})
    assert not differs(live, FULL["Deployment"])


def test_the_order_of_a_list_of_words_counts():
    manifest = {"args": ["a", "b"]}
    assert differs({"args": ["b", "a"]}, manifest)
    assert differs({"args": ["a", "b", "c"]}, manifest)
    assert not differs({"args": ["a", "b"]}, manifest)


def test_an_owner_of_another_kind_that_bears_the_same_name_does_not_count():
    live = copy.deepcopy(FULL["Service"])
    live["metadata"]["ownerReferences"].append({"kind": "Backup", "name": "support", "uid": "b"})
    assert not differs(live, FULL["Service"])


def test_a_field_that_is_no_longer_wanted_counts():
    warm = made(openai={"temperature": 0.5})["Deployment"]
    plain = made()["Deployment"]
    assert differs(warm, plain)
    unsigned = copy.deepcopy(plain)
    del unsigned["metadata"]["annotations"][INTENT]
    del unsigned["spec"]["template"]["metadata"]["annotations"][TEMPLATE]
    assert not differs(warm, unsigned), "only the hash of the intent can tell"


def test_what_differs_is_named_by_its_path():
    live = copy.deepcopy(FULL["Deployment"])
    live["spec"]["replicas"] = 7
    (container,) = live["spec"]["template"]["spec"]["containers"]
    container["env"] = [e for e in container["env"] if e["name"] != "PORT"]
    container["image"] = "other"
    pods = "spec.template.spec.containers[chatbot]"
    assert differences(live, FULL["Deployment"]) == [
        "spec.replicas",
        f"{pods}.image",
        f"{pods}.env[PORT]",
    ]


def test_the_same_chatbot_makes_the_same_objects():
    assert made() == made()


def lived(manifest):
    """A manifest as it lives."""
    live = copy.deepcopy(manifest)
    live["metadata"] |= {"uid": "u", "resourceVersion": "7"}
    return live


def test_what_differs_is_restored_part_by_part_and_only_if_nothing_changed_since():
    wanted_ = made()["Deployment"]
    live = lived(wanted_)
    (container,) = live["spec"]["template"]["spec"]["containers"]
    del container["livenessProbe"]["httpGet"]
    assert restoration(live, wanted_) == [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
        {"op": "add", "path": "/spec/template", "value": wanted_["spec"]["template"]},
    ]


@pytest.mark.parametrize("kind", ["ServiceAccount", "ConfigMap", "Service", "Deployment"])
def test_what_is_as_wanted_needs_no_restoration(kind):
    assert restoration(lived(made()[kind]), made()[kind]) == []


def test_what_the_operator_holds_by_a_patch_is_given_up():
    live = lived(made()["ConfigMap"])
    applied = {"manager": "chatbot-operator", "operation": "Apply"}
    others = {"manager": "kubectl-edit", "operation": "Update"}
    live["metadata"]["managedFields"] = [applied, others]
    assert disclaimer(live) == []
    live["metadata"]["managedFields"].append({**applied, "operation": "Update"})
    assert disclaimer(live)[1:] == [{"op": "remove", "path": "/metadata/managedFields/2"}]


def test_other_authorities_make_other_pods():
    marks = {
        manifests.deployment(wanted(outlet=Outlet(authorities=pem)))["spec"]["template"][
            "metadata"
        ]["annotations"][TEMPLATE]
        for pem in ("", "one", "other")
    }
    assert len(marks) == 3
