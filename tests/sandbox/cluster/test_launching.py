"""From a container's specification to a process, without starting one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sandbox.cluster.node.launching import (
    Launch,
    Surroundings,
    UnlaunchableError,
    expand,
    launch,
    translate,
)

POD = {
    "metadata": {"name": "chat-1", "namespace": "team", "uid": "u", "labels": {"app": "chat"}},
    "spec": {"nodeName": "sandbox", "serviceAccountName": "chat"},
}
OBJECTS = {
    ("configMap", "team", "settings"): {"data": {"title": "Hello"}},
    ("secret", "team", "hidden"): {"data": {"key": "dmFsdWU="}},
}


def launched(**container: Any) -> Launch:
    around = Surroundings(
        pod=POD,
        address="127.9.1.1",
        node_address="127.9.0.1",
        directory=Path("/pods/u"),
        images={"registry:5000/team/chat": ("python", "-m", "chat"), "exact:1": ("exact",)},
        environment={"PATH": "/bin"},
        lookup=lambda *key: OBJECTS.get(key),
    )
    image = "registry:5000/team/chat:2@sha256:abc"
    return launch(around, {"name": "chat", "image": image, **container})


def test_an_image_is_found_exactly_or_by_its_repository():
    assert launched().argv == ("python", "-m", "chat")
    assert launched(image="exact:1").argv == ("exact",)
    with pytest.raises(UnlaunchableError) as refusal:
        launched(image="exact:2")
    assert refusal.value.reason == "ErrImagePull"


def test_arguments_follow_the_entrypoint_and_a_command_replaces_it():
    assert launched(args=["--x"]).argv == ("python", "-m", "chat", "--x")
    assert launched(command=["sh", "-c"], args=["true"]).argv == ("sh", "-c", "true")


def test_variables_expand_in_order_and_dollars_escape():
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)-$(C)-$$(A)"}]

    started = launched(env=env, args=["$(B)"])

    assert started.environment["B"] == "1-$(C)-$(A)"
    assert started.argv[-1] == "1-$(C)-$(A)"
    assert expand("$ $$ $(", {}) == "$ $ $("


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ({"fieldRef": {"fieldPath": "metadata.name"}}, "chat-1"),
        ({"fieldRef": {"fieldPath": "metadata.labels['app']"}}, "chat"),
        ({"fieldRef": {"fieldPath": "status.podIP"}}, "127.9.1.1"),
        ({"fieldRef": {"fieldPath": "status.hostIP"}}, "127.9.0.1"),
        ({"configMapKeyRef": {"name": "settings", "key": "title"}}, "Hello"),
        ({"secretKeyRef": {"name": "hidden", "key": "key"}}, "value"),
        ({"secretKeyRef": {"name": "absent", "key": "key", "optional": True}}, None),
    ],
)
def test_a_variable_may_come_from_elsewhere(source, value):
    started = launched(env=[{"name": "A", "valueFrom": source}])

    assert started.environment.get("A") == value


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"configMapKeyRef": {"name": "absent", "key": "a"}}, 'configmap "absent" not found'),
        (
            {"secretKeyRef": {"name": "hidden", "key": "a"}},
            "couldn't find key a in Secret team/hidden",
        ),
        ({"fieldRef": {"fieldPath": "spec.nothing"}}, "unsupported fieldPath: spec.nothing"),
    ],
)
def test_a_missing_source_is_a_configuration_error_in_the_kubelets_words(source, message):
    with pytest.raises(UnlaunchableError) as refusal:
        launched(env=[{"name": "A", "valueFrom": source}])

    assert refusal.value.reason == "CreateContainerConfigError"
    assert str(refusal.value) == message


def test_all_keys_of_a_config_map_may_become_variables():
    started = launched(envFrom=[{"configMapRef": {"name": "settings"}, "prefix": "X_"}])

    assert started.environment["X_title"] == "Hello"


def test_mount_paths_become_directories_of_the_pod():
    mounts = [{"name": "v", "mountPath": "/etc/chat"}, {"name": "t", "mountPath": "/tmp"}]  # noqa: S108
    env = [{"name": "FILE", "value": "/etc/chat/prompt"}, {"name": "URL", "value": "http://h/tmp"}]

    started = launched(volumeMounts=mounts, env=env, args=["--file=/etc/chat/x", "/etc/chatter"])

    assert started.environment["FILE"] == "/pods/u/volumes/v/prompt"
    assert started.environment["URL"] == "http://h/tmp"
    assert started.environment["TMPDIR"] == "/pods/u/volumes/t"
    assert started.argv[-2:] == ("--file=/pods/u/volumes/v/x", "/etc/chatter")


def test_the_working_directory_is_the_pods_or_a_volume():
    mount = {"name": "v", "mountPath": "/work"}

    assert launched(workingDir="/app").directory == Path("/pods/u")
    assert launched(workingDir="/work", volumeMounts=[mount]).directory == Path("/pods/u/volumes/v")


def test_the_longest_mount_path_wins():
    assert translate("/a/b/c", {"/a": "/1", "/a/b": "/2"}) == "/2/c"


def test_only_a_container_with_an_api_token_gets_a_kubeconfig():
    mount = {"name": "api", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}

    assert launched(volumeMounts=[mount]).environment["KUBECONFIG"] == "/pods/u/kubeconfig"
    assert dict(launched().environment) == {"PATH": "/bin"}
