"""What the schemas say, as the API server has them: described, bounded, in words."""

from __future__ import annotations

import json

import pytest
from waiting import until


def test_explain_reads_like_documentation(kubectl, installed):
    def explained():  # the API server publishes a schema some moments after it takes it
        text = kubectl("explain", "chatbot.spec.openAI", check=False)
        return text if "Name of a model deployment in that account" in text else None

    assert "<empty>" not in until(explained, "an explanation")


@pytest.mark.parametrize("plural", ["azureopenaichatbots", "azureopenaiaccounts"])
def test_every_field_is_described(kubectl, installed, plural):
    crd = json.loads(kubectl("get", "crd", f"{plural}.chatbot-operator.dev", "-o", "json"))
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert undescribed(schema) == ["apiVersion", "kind", "metadata"]


def undescribed(schema, path=""):
    fields = schema.get("properties", {})
    found = [f"{path}{name}" for name, field in fields.items() if "description" not in field]
    for name, field in fields.items():
        nested = field.get("items", field)
        found += undescribed(nested, f"{path}{name}.")
    return found


def test_every_size_is_bounded(kubectl, installed):
    for plural in ("azureopenaichatbots", "azureopenaiaccounts"):
        crd = json.loads(kubectl("get", "crd", f"{plural}.chatbot-operator.dev", "-o", "json"))
        schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        assert unbounded(schema["properties"]["spec"], "spec") == []


def unbounded(schema, path):
    kind, found = schema.get("type"), []
    if kind == "string" and not {"maxLength", "enum", "format"} & schema.keys():
        found.append(path)
    if kind == "array" and "maxItems" not in schema:
        found.append(path)
    if "additionalProperties" in schema and "maxProperties" not in schema:
        found.append(path)
    for name, field in schema.get("properties", {}).items():
        found += unbounded(field, f"{path}.{name}")
    if "items" in schema:
        found += unbounded(schema["items"], f"{path}[]")
    return found


def patterns(schema, path):
    found = [path] if "pattern" in schema else []
    parts = dict(schema.get("properties", {}))
    for key in {"items", "additionalProperties"} & schema.keys():
        parts["*"] = schema[key]
    return found + [
        each for name, part in parts.items() for each in patterns(part, f"{path}.{name}")
    ]


@pytest.mark.parametrize("plural", ["azureopenaichatbots", "azureopenaiaccounts"])
def test_no_refusal_shows_a_regular_expression_instead_of_words(kubectl, installed, plural):
    crd = json.loads(kubectl("get", "crd", f"{plural}.chatbot-operator.dev", "-o", "json"))
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    quantities = ["pods.resources.requests.*", "pods.resources.limits.*"]  # not bounded: no rule
    assert set(patterns(spec, "spec")) <= {f"spec.{each}" for each in quantities}
