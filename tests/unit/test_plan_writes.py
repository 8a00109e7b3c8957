"""How a plan tells what differs, and what it never shows."""

from __future__ import annotations

import pytest
from chatbot_operator.cli.plan.patches import apply_patch, merged, patched
from chatbot_operator.cli.plan.writes import Verb, changed_characters, differences, of_objects
from chatbot_operator.manifests import INTENT, TEMPLATE


def paths(before, after, kind="Deployment"):
    return {d.path: (d.before, d.after) for d in differences(before, after, kind=kind)}


def deployment(mark="1", **spec):
    template = {"metadata": {"annotations": {TEMPLATE: mark}}, "spec": spec}
    return {"metadata": {"namespace": "team", "name": "support"}, "spec": {"template": template}}


def test_what_has_a_name_goes_by_it_and_what_has_none_by_its_place():
    before = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], "list": ["x", "y"]}
    after = {"env": [{"name": "B", "value": "3"}], "list": ["x", "z"]}
    assert paths(before, after) == {
        "env[A].name": ("A", None),
        "env[A].value": ("1", None),
        "env[B].value": ("2", "3"),
        "list[1]": ("y", "z"),
    }


def test_what_the_api_server_keeps_for_itself_is_no_difference():
    annotations = {INTENT: "a", "kubectl.kubernetes.io/last-applied-configuration": "secret"}
    before = {"metadata": {"uid": "1", "managedFields": [1], "annotations": annotations}}
    after = {"metadata": {"uid": "2", "annotations": {INTENT: "b"}}, "status": {"replicas": 3}}
    assert paths(before, after) == {}


def test_keys_that_are_no_words_stand_in_brackets():
    after = {"metadata": {"annotations": {"azure.workload.identity/client-id": "x"}}}
    assert list(paths({}, after)) == ["metadata.annotations[azure.workload.identity/client-id]"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [("spec.chat.systemPrompt", "AzureOpenAIChatbot"), ("data.system-prompt", "ConfigMap")],
)
def test_what_the_model_is_told_is_counted_however_short(path, kind):
    def body(text):
        for key in reversed(path.split(".")):
            text = {key: text}
        return text

    (found,) = differences(body("Be kind."), body("Be cruel."), kind=kind)
    assert (found.before, found.after, found.characters) == ("", "", 5)


def test_any_key_of_a_config_map_may_be_a_prompt():
    (found,) = differences({}, {"data": {"tone.txt": "Be kind."}}, kind="ConfigMap")
    assert (found.before, found.after, found.characters) == (None, "", 8)


def test_long_text_is_counted_and_an_arm_id_is_not_text():
    long = "x" * 500
    (counted,) = differences({}, {"spec": {"chat": {"welcome": long}}}, kind="AzureOpenAIChatbot")
    assert (counted.after, counted.characters) == ("", 500)
    (whole,) = differences({}, {"scope": long})
    assert whole.after == long


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [("", "abc", 3), ("abc", "abc", 0), ("abcd", "abXd", 1), ("aa", "aaa", 1), ("abc", "xyz", 3)],
)
def test_changed_characters(before, after, count):
    assert changed_characters(before, after) == count


def test_pods_that_are_replaced_are_told_of():
    replaced = of_objects(Verb.CHANGE, "Deployment", deployment("1"), deployment("2"))
    assert replaced.note == "Its pods are replaced."
    same = of_objects(Verb.CHANGE, "Deployment", deployment("1"), deployment("1", x="y"))
    assert (same.note, [d.path for d in same.differences]) == ("", ["spec.template.spec.x"])
    assert of_objects(Verb.DELETE, "Deployment", deployment(), None).differences == ()


def test_an_apply_without_the_api_server_merges_what_has_names():
    live = {"spec": {"a": 1, "env": [{"name": "A", "value": "1"}, {"name": "B"}], "list": [1, 2]}}
    manifest = {"spec": {"env": [{"name": "A", "value": "2"}, {"name": "C"}], "list": [3]}}
    assert merged(live, manifest) == {
        "spec": {
            "a": 1,
            "env": [{"name": "A", "value": "2"}, {"name": "B"}, {"name": "C"}],
            "list": [3],
        }
    }
    assert live["spec"]["list"] == [1, 2], "what was read stays as it was"


def test_a_json_patch():
    live = {"metadata": {"uid": "1", "x/y": 1}, "spec": {"replicas": 2, "list": [1, 2]}}
    operations = [
        {"op": "test", "path": "/metadata/uid", "value": "1"},
        {"op": "replace", "path": "/spec/replicas", "value": 0},
        {"op": "remove", "path": "/spec/list/0"},
        {"op": "add", "path": "/metadata/x~1y", "value": 2},
    ]
    assert patched(live, operations) == {
        "metadata": {"uid": "1", "x/y": 2},
        "spec": {"replicas": 0, "list": [2]},
    }


def test_kubectl_apply_removes_what_it_applied_and_nothing_else():
    live = {"spec": {"a": 1, "b": {"c": 1, "theirs": 1}, "default": 1}}
    last = {"spec": {"a": 1, "b": {"c": 1}}}
    manifest = {"spec": {"b": {"d": 2}}}
    patch = apply_patch(live, manifest, last)
    assert patch == {"spec": {"a": None, "b": {"c": None, "d": 2}}}
    assert apply_patch(live, last, last) == {}
